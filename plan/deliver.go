package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// DeliveryDigest identifies where and how the resource's secret goes: what the
// state records as StateEntry.DeliveryDigest once it has been carried out. It holds one
// part per delivery, so that a removed delivery can be told from a changed one, and further ones: of each file that is
// written, and where remote IDs of others are delivered. remoteID gives these; nil: they do not count.
func DeliveryDigest(r *config.Resource, remoteID func(addr.Addr) string) string {
	var out []string
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		out = append(out, d.SettingsDigest)
		if d.FileDigest != "" {
			out = append(out, fileDigestPrefix+d.FileDigest)
		}
		if len(d.HoldsIDsOf) > 0 && remoteID != nil {
			out = append(out, deliveredIDsDigest(d.SettingsDigest, d.HoldsIDsOf, remoteID))
		}
	}
	return joinDigests(out)
}

// deliveryApprovalDigest identifies what is approved of where and how the resource's secret goes. hidden says that
// sensitive values take part in it.
func deliveryApprovalDigest(r *config.Resource) (digest string, hidden bool) {
	out := make([]string, len(r.Deliveries))
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		out[i] = cmp.Or(d.ApprovalDigest, d.SettingsDigest)
		hidden = hidden || d.HasOtherSensitive
	}
	return joinDigests(out), hidden
}

func joinDigests(parts []string) string {
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), ",")
}

// deliveredIDsDigest is the part of the remote IDs that a delivery holds.
func deliveredIDsDigest(settingsDigest string, of []addr.Addr, remoteID func(addr.Addr) string) string {
	h := sha256.New()
	for _, a := range of {
		fmt.Fprintf(h, "%s\n", remoteID(a))
	}
	return idsDigestPrefix(settingsDigest) + hex.EncodeToString(h.Sum(nil)[:16])
}

// fileDigestPrefix begins the part of a file.
const fileDigestPrefix = "file-"

func idsDigestPrefix(settingsDigest string) string { return settingsDigest + ":" }

// deliveredSettings is the digest by which the state records that a delivery was carried out.
func deliveredSettings(d *config.Delivery, recordedParts []string) (settingsDigest string, delivered bool) {
	for _, digest := range append([]string{d.SettingsDigest}, d.EarlierDigests...) {
		if slices.ContainsFunc(recordedParts, func(part string) bool {
			return part == digest || strings.HasPrefix(part, idsDigestPrefix(digest))
		}) {
			return digest, true
		}
	}
	return "", false
}

// RecordsFileOf gives a function that reports whether one of the entries records that a secret was delivered to the file of a delivery,
// in whatever form.
func RecordsFileOf(entries []addr.StateEntry) func(*config.Delivery) bool {
	recorded := map[string]bool{}
	for i := range entries {
		if entries[i].Delivered {
			for part := range strings.SplitSeq(entries[i].DeliveryDigest, ",") {
				settings, _, _ := strings.Cut(part, ":")
				recorded[settings] = true
			}
		}
	}
	return func(d *config.Delivery) bool {
		return recorded[fileDigestPrefix+d.FileDigest] || // a state of before files counted has none
			recorded[d.SettingsDigest] || slices.ContainsFunc(d.EarlierDigests, func(digest string) bool { return recorded[digest] })
	}
}

// replaceReasonBeyondFields says why a live object must be replaced although its settings
// may be as wanted; "" where nothing asks for it.
func (p *planner) replaceReasonBeyondFields(r *config.Resource, h match, fields []string) string {
	switch {
	case p.replace[r.Addr], p.rotate[r.Addr]:
		return "as requested"
	case !r.Kind.YieldsSecret():
		return ""
	case h.anyUnsupersededRecovered:
		return h.recoveredReason()
	case h.isSiblingOfGoneRecorded || h.hasUnknownSuccessors:
		return "the state lags behind: it does not know which " + r.Kind.Name + " was delivered last"
	case len(r.Deliveries) == 0 || h.isImportedWithoutSecret():
		return ""
	case !h.entry.Delivered:
		return "its secret was never delivered"
	}
	reason, madeAnew := p.staleDelivery(h.entry, r)
	if len(fields) == 0 && len(madeAnew) > 0 {
		p.linkPlanner.soleUpdateCauses[r.Addr] = madeAnew
	}
	return reason
}

// recoveredReason says why something is replaced of which an interrupted run made an object, or may have. A secret is delivered
// before that is recorded, so nobody knows whether that run got to it: also what is recorded may have lost its users to the other one.
func (h *match) recoveredReason() string {
	by := "an interrupted run"
	if len(h.maybeForeignIDs) > 0 {
		by += ", or somebody else since,"
	}
	if h.isObjectRecovered() {
		return by + " made it, and its secret may not have been delivered"
	}
	return by + " made another one, whose secret may have been delivered"
}

// isImportedWithoutSecret reports whether the object was made by somebody else, so that
// its secret cannot be delivered.
func (h *match) isImportedWithoutSecret() bool {
	return h.toBeImported || h.entry != nil && !h.entry.Adopted.IsZero() && !h.entry.Delivered
}

// staleDelivery says why not everything was delivered that would be now; "" where it was. A delivery that is no
// longer wanted does not matter. madeAnew are the objects of this plan that it is because of.
func (p *planner) staleDelivery(e *addr.StateEntry, r *config.Resource) (reason string, madeAnew []addr.Addr) {
	done := strings.Split(e.DeliveryDigest, ",")
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		settings, delivered := deliveredSettings(d, done)
		if !delivered {
			return "its delivery changed", nil
		}
		for _, a := range d.HoldsIDsOf {
			if p.deliveredIDs[a] == "" && !slices.Contains(madeAnew, a) {
				madeAnew = append(madeAnew, a)
			}
		}
		// A state of before IDs counted has none.
		idsRecorded := slices.ContainsFunc(done, func(part string) bool { return strings.HasPrefix(part, idsDigestPrefix(settings)) })
		if idsRecorded && !slices.Contains(done, deliveredIDsDigest(settings, d.HoldsIDsOf, p.remoteIDAfterPlan)) {
			reason = "what it delivers of " + words.JoinAnd(addr.Strings(d.HoldsIDsOf)) + " was made anew"
		}
	}
	if len(madeAnew) > 0 {
		reason = "what it delivers of " + words.JoinAnd(addr.Strings(madeAnew)) + " is made anew"
	}
	return reason, madeAnew
}

// idsHeldByDeliveries are the remote IDs, after the plan, of the objects of which deliveries of others hold something; "" where
// the object is made by it.
type idsHeldByDeliveries map[addr.Addr]string

// setIfDelivered notes what becomes of an object, where a delivery of another one depends on it.
func (d idsHeldByDeliveries) setIfDelivered(a addr.Addr, remoteIDOrNone string) {
	if _, matters := d[a]; matters {
		d[a] = remoteIDOrNone
	}
}

// remoteIDAfterPlan is the remote ID that an object has after the plan; "": not known before it is carried out.
func (p *planner) remoteIDAfterPlan(a addr.Addr) string { return p.deliveredIDs[a] }

// declaredInDeliveryOrder lists what is declared: what delivers something of others behind these, of which it notes
// what is recorded. No configuration has circles of them.
func (p *planner) declaredInDeliveryOrder() []*config.Resource {
	depths := map[addr.Addr]int{}
	var depth func(r *config.Resource) int
	depth = func(r *config.Resource) int {
		most, known := depths[r.Addr]
		for i := 0; i < len(r.Deliveries) && !known; i++ {
			for _, a := range r.Deliveries[i].HoldsIDsOf {
				if e := p.entry(a); e != nil {
					p.deliveredIDs[a] = e.ID
				} else {
					p.deliveredIDs[a] = ""
				}
				if other := p.declaration(a); other != nil {
					most = max(most, depth(other)+1)
				}
			}
		}
		if most > 0 {
			depths[r.Addr] = most
		}
		return most
	}
	for _, r := range p.declared {
		depth(r)
	}
	if len(depths) == 0 {
		return p.declared
	}
	return slices.SortedStableFunc(slices.Values(p.declared), func(a, b *config.Resource) int {
		return cmp.Compare(depths[a.Addr], depths[b.Addr])
	})
}

// planDelivery notes where a new secret will go, what it may replace there, or that it would be lost.
func (p *planner) planDelivery(r *config.Resource, c *Change) {
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		c.DeliverTo = append(c.DeliverTo, d.DisplayName)
		if p.ForeignFiles[d.Path] {
			c.Hazards = append(c.Hazards, kind.Hazard{Kind: kind.ReplacesLocalFiles,
				Detail: d.DisplayName + " is there already, and nothing tells that b2form wrote it; what stands in it is lost"})
		}
	}
	c.Hazards = sortUniqueHazards(c.Hazards)
	if len(r.Deliveries) == 0 {
		p.plan.Undelivered = append(p.plan.Undelivered, r.Addr)
	}
}

// warnUnknownSecret says of an adopted object that its secret cannot be had.
func (p *planner) warnUnknownSecret(r *config.Resource, h match, action Action) {
	if !r.Kind.YieldsSecret() || action != NoOp || !h.isImportedWithoutSecret() || !h.toBeImported && len(r.Deliveries) == 0 {
		return
	}
	what := "b2form cannot show or deliver it"
	if len(r.Deliveries) > 0 {
		what = "its deliver blocks are not carried out"
	}
	renew := "run `b2form apply -replace="
	if _, ok := r.Kind.RotationOf(r.Value); ok {
		renew = "run `b2form rotate "
		if h.toBeImported { // rotate imports nothing
			renew = "take it over with `b2form apply`, and then run `b2form rotate "
		}
	}
	p.warnf(r.Block.HeaderRange.Ptr(), "The secret is unknown",
		"%s was not made with this state, so its secret is unknown and %s. To get a new one, %s'%s'`.", r.Addr, what, renew, r.Addr)
}
