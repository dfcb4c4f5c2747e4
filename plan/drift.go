package plan

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A DriftStatus is how a live object, or its configuration, is beside what the last run recorded of it.
type DriftStatus string

// The drifts.
const (
	DriftUnknown DriftStatus = "" // nothing is recorded, or of other attributes
	Unchanged    DriftStatus = "unchanged"
	Changed      DriftStatus = "changed"
	Gone         DriftStatus = "gone" // of objects: there is none with the recorded ID
)

func driftOf(recordedDigest, currentDigest string) DriftStatus {
	switch recordedDigest {
	case "":
		return DriftUnknown
	case currentDigest:
		return Unchanged
	}
	return Changed
}

// drift compares a declared object that is live with what the state recorded of it.
func (p *planner) drift(r *config.Resource, h match) (liveDrift, configDrift DriftStatus) {
	e := h.entryIfSameObject()
	if e == nil || e.DriftDigests == "" || p.Applied.Salt == "" {
		return DriftUnknown, DriftUnknown
	}
	now, err := p.digester.digests(r, h.object)
	if err != nil || now.AttrSetDigest() != e.DriftDigests.AttrSetDigest() {
		return DriftUnknown, DriftUnknown
	}
	return driftOf(e.DriftDigests.Live(), now.Live()), driftOf(e.DriftDigests.Declared(), now.Declared())
}

// driftOfAbsent says of an object that is recorded and not live whether it was deleted outside of b2form: not by
// a run that was cut off, and not by its own end.
func (p *planner) driftOfAbsent(k *kind.Kind, e *addr.StateEntry) DriftStatus {
	if at, _ := p.expiredAt(k, e); e.DriftDigests == "" || !at.IsZero() {
		return DriftUnknown
	}
	return Gone
}

// clearDigestsBeforeChanges has the digests forgotten of what is about to be updated or deleted: a run that is cut
// off then leaves it open what is live.
func (p *planner) clearDigestsBeforeChanges() {
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		e := p.entry(c.Addr)
		touched := c.Action == Update || c.Action == Replace || c.Action == Delete
		if !touched || c.Import || e == nil || e.DriftDigests == "" {
			continue
		}
		at, found := slices.BinarySearchFunc(p.plan.Records, c.Addr, func(e addr.StateEntry, a addr.Addr) int { return e.Addr.Compare(a) })
		if !found {
			p.plan.Records = slices.Insert(p.plan.Records, at, *e)
		}
		p.plan.Records[at].DriftDigests = ""
	}
}

// A DigestRenewal brings the digests of a state up to date.
type DigestRenewal struct {
	Salt     string // of the state; "": it has no digests
	Config   *config.Config
	Snapshot *kind.Snapshot // as it is now
	Entries  []addr.StateEntry
	// NotAsDeclared says which objects are not as declared, or nobody knows; nil: each is.
	NotAsDeclared map[addr.Addr]bool
	// LiveDigestsOnly renews what is recorded of live objects, and not of their configuration.
	LiveDigestsOnly bool
}

// RenewedEntries lists the entries that are to have other digests, with these, in their order.
func (r *DigestRenewal) RenewedEntries() (changed []addr.StateEntry) {
	if r.Salt == "" {
		return nil
	}
	declared := r.Config.ResourcesByAddr()
	d := newDigester(r.Salt)
	var out []addr.StateEntry
	for _, e := range r.Entries {
		res := declared[e.Addr]
		if res == nil || r.NotAsDeclared[e.Addr] {
			continue
		}
		o := r.Snapshot.ByID(res.Kind, e.ID)
		if o == nil {
			continue
		}
		now, err := d.digests(res, o)
		if err != nil {
			continue // whoever looks at the object says so
		}
		if r.LiveDigestsOnly {
			now = keepRecordedDeclaredDigest(now, e.DriftDigests)
		}
		if now != e.DriftDigests {
			e.DriftDigests = now
			out = append(out, e)
		}
	}
	return out
}

// MaybeShownAsBefore lists the entries whose objects were changed so little before now that B2 may show them as they were
// before, and that are live and other than the last run left them, as far as digests with the state's salt tell.
func MaybeShownAsBefore(salt string, c *config.Config, s *kind.Snapshot, entries []addr.StateEntry,
	now time.Time) (differ []addr.StateEntry) {
	var recent []addr.StateEntry
	for _, e := range entries {
		if e.MayBeShownAsBefore(now) {
			recent = append(recent, e)
		}
	}
	if len(recent) == 0 {
		return nil
	}
	renewal := DigestRenewal{Salt: salt, Config: c, Snapshot: s, Entries: recent, LiveDigestsOnly: true}
	renewed := renewal.RenewedEntries()
	for _, e := range recent {
		if len(renewed) == 0 || renewed[0].Addr != e.Addr {
			continue
		}
		if renewed[0].DriftDigests.AttrSetDigest() == e.DriftDigests.AttrSetDigest() {
			differ = append(differ, e)
		}
		renewed = renewed[1:]
	}
	return differ
}

// keepRecordedDeclaredDigest is now without what it says of the configuration, which stays as it was recorded as far as
// that is of the same attributes.
func keepRecordedDeclaredDigest(now, recorded addr.DriftDigests) addr.DriftDigests {
	declared := ""
	if now.AttrSetDigest() == recorded.AttrSetDigest() {
		declared = recorded.Declared()
	}
	return addr.NewDriftDigests(now.AttrSetDigest(), now.Live(), declared)
}

// A digester makes digests of objects. What it wrote of an attribute last is remembered, since many
// objects share it.
type digester struct {
	salt string
	last map[*kind.Kind][]digestTextCache // by the attribute's index

	attrsBuf, liveBuf, declaredBuf []byte // of the object that it is at
}

type digestTextCache struct{ live, declared cachedDigestText }

type cachedDigestText struct {
	value *cty.Value
	text  []byte
}

func newDigester(salt string) *digester {
	return &digester{salt: salt, last: map[*kind.Kind][]digestTextCache{}}
}

// digests are those of a declared object that is live. They are made from what a plan compares and
// anybody may know: not from what is sensitive, what the configuration leaves as it is, or what the
// credentials may not read.
func (d *digester) digests(r *config.Resource, o *kind.Object) (addr.DriftDigests, error) {
	live, err := o.Values()
	if err != nil {
		return "", err
	}
	last := d.last[r.Kind]
	if last == nil {
		last = make([]digestTextCache, len(r.Kind.Attrs))
		d.last[r.Kind] = last
	}
	d.attrsBuf, d.liveBuf, d.declaredBuf = append(d.attrsBuf[:0], r.Kind.Name...), d.liveBuf[:0], d.declaredBuf[:0]
	for i := range r.Kind.Attrs {
		a := &r.Kind.Attrs[i]
		if !isCompared(a) || a.Secret || r.KeepsLive(a) || slices.Contains(r.SensitiveAttrs, a.Name) || !isReadable(a, *live.PointerAt(i)) {
			continue
		}
		d.attrsBuf = append(append(d.attrsBuf, 0), a.Name...)
		d.liveBuf = append(d.liveBuf, last[i].live.textOf(a, live.PointerAt(i))...)
		d.declaredBuf = append(d.declaredBuf, last[i].declared.textOf(a, r.Value.PointerAt(i))...)
	}
	return addr.NewDriftDigests(
		saltedDigest(d.salt, "attributes", d.attrsBuf, addr.AttrsDigestLength),
		saltedDigest(d.salt, "live", d.liveBuf, addr.ObjectDigestLength),
		saltedDigest(d.salt, "declared", d.declaredBuf, addr.ObjectDigestLength),
	), nil
}

// saltedDigest is the first characters of a digest that nobody can look up who does not have the salt.
func saltedDigest(salt, purpose string, content []byte, length int) string {
	var room [512]byte // enough for most
	text := append(append(append(append(room[:0], salt...), 0), purpose...), 0)
	sum := sha256.Sum256(append(text, content...))
	return base64.RawURLEncoding.EncodeToString(sum[:length*3/4])
}

func (w *cachedDigestText) textOf(a *kind.Attr, v *cty.Value) []byte {
	if w.value != v {
		public := a.ReplaceNestedSecrets(*v, func(_ *kind.Attr, v cty.Value) cty.Value { return cty.NullVal(v.Type()) })
		w.value, w.text = v, appendComparable(w.text[:0], public)
	}
	return w.text
}

// appendComparable writes a value so that two are written alike if they are equal for a plan.
func appendComparable(to []byte, v cty.Value) []byte {
	switch t := v.Type(); {
	case !v.IsKnown():
		return append(to, '?')
	case kind.IsNullOrEmptyCollection(v):
		return append(to, '-')
	case t == cty.String:
		return appendText(to, v.AsString())
	case t == cty.Number:
		return appendText(to, v.AsBigFloat().Text('f', -1))
	case t == cty.Bool:
		return strconv.AppendBool(to, v.True())
	}
	named := v.Type().IsObjectType() || v.Type().IsMapType()
	to = append(to, '[')
	for it := v.ElementIterator(); it.Next(); { // sorted
		key, element := it.Element()
		if named && kind.IsNullOrEmptyCollection(element) {
			continue
		}
		if named {
			to = appendText(to, key.AsString())
		}
		to = appendComparable(to, element)
	}
	return append(to, ']')
}

func appendText(to []byte, s string) []byte {
	return append(append(strconv.AppendInt(to, int64(len(s)), 10), ':'), s...)
}
