package plan

import (
	"slices"
	"strings"

	"b2form/schema/addr"
	"b2form/schema/config"
)

// DeliveryDigest identifies where and how the resource's secret goes: what the
// state records as StateEntry.DeliveryDigest once it has been carried out. It holds one
// part per delivery, so that a removed delivery can be told from a changed one.
func DeliveryDigest(r *config.Resource) string {
	return strings.Join(deliveryDigests(r), ",")
}

func deliveryDigests(r *config.Resource) []string {
	out := make([]string, len(r.Deliveries))
	for i := range r.Deliveries {
		out[i] = r.Deliveries[i].SettingsDigest
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// findReplaceReason says why a live object must be replaced although its settings
// may be as wanted; "" where nothing asks for it.
func (p *planner) findReplaceReason(r *config.Resource, h match) string {
	const undelivered = "its secret was never delivered"
	switch {
	case p.replace[r.Addr], p.rotate[r.Addr]:
		return "as requested"
	case !r.Kind.YieldsSecret():
		return ""
	case h.anyRecovered:
		return undelivered
	case h.recordedSiblingGone || h.hasUnknownSuccessors:
		return "the state lags behind: it does not know which " + r.Kind.Name + " was delivered last"
	case len(r.Deliveries) == 0 || h.isImportedWithoutSecret():
		return ""
	case !h.entry.Delivered:
		return undelivered
	case !allDelivered(h.entry, r):
		return "its delivery changed"
	}
	return ""
}

// isImportedWithoutSecret reports whether the object was made by somebody else, so that
// its secret cannot be delivered.
func (h *match) isImportedWithoutSecret() bool {
	return h.toBeImported || h.entry != nil && !h.entry.Adopted.IsZero() && !h.entry.Delivered
}

// allDelivered reports whether everything that the resource delivers was carried
// out. A delivery that is no longer wanted does not matter.
func allDelivered(e *addr.StateEntry, r *config.Resource) bool {
	done := strings.Split(e.DeliveryDigest, ",")
	return !slices.ContainsFunc(deliveryDigests(r), func(d string) bool { return !slices.Contains(done, d) })
}

// planDelivery notes where a new secret will go, or that it would be lost.
func (p *planner) planDelivery(r *config.Resource, c *Change) {
	for i := range r.Deliveries {
		c.DeliverTo = append(c.DeliverTo, r.Deliveries[i].DisplayName)
	}
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
	renew := "b2form apply -replace="
	if _, ok := r.Kind.RotationOf(r.Value); ok {
		renew = "b2form rotate "
	}
	p.warnf(r.Block.HeaderRange.Ptr(), "The secret is unknown",
		"%s was not made by b2form, so its secret is unknown and %s. To get a new one, run `%s'%s'`.", r.Addr, what, renew, r.Addr)
}
