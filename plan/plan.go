// Package plan decides what would change: a pure function from configuration,
// live account and state to a Plan. It reads no clock, no environment and no
// network, and gives byte-identical plans for the same input.
package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// An Action is what happens to one object.
type Action string

// The actions. Replace makes the new object first and then deletes the old one.
const (
	NoOp    Action = "no-op" // only with Import, where the state takes the object over, with MovedFrom, or with FurtherDeletes
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace"
	Rotate  Action = "rotate" // make a successor; the old object lives on for a while, and a later run deletes it
	Delete  Action = "delete"
	Forget  Action = "forget"  // the object is gone, or stays and is not ours any more: the state drops it
	Refresh Action = "refresh" // only with Request.RefreshOnly: the state is told what is live
)

// MakesObject reports whether the action makes an object: as it is declared.
func (a Action) MakesObject() bool { return a == Create || a == Replace || a == Rotate }

// Symbol is how the action is drawn in front of a block.
func (a Action) Symbol() string {
	switch a {
	case Create, Rotate:
		return "+"
	case Update:
		return "~"
	case Replace:
		return "+/-"
	case Delete:
		return "-"
	case Forget:
		return "."
	}
	return " "
}

// A Change is what would happen to one address. It is data: it can be saved,
// hashed and shown in any form.
type Change struct {
	Addr   addr.Addr
	Kind   *kind.Kind
	Action Action
	Import bool // the live object is not in the state yet and becomes ours
	// ImportedSiblings are further live objects of a rotation that are not in the state yet and become
	// ours: each is among FurtherDeletes, Retiring or Overlapping too. Sorted by ID.
	ImportedSiblings []NamedObject

	// MovedFrom is the address under which the state has it so far; zero: this one.
	MovedFrom addr.Addr

	Identity string // what finds the object: a bucket's or key's name
	RemoteID string // remote ID of the live object; "" on create
	LiveName string // what ID is called now; "" on create

	// Before is the decoded live object (every attribute), After the completed
	// configuration (settable attributes); null where there is none. In After of an object that stays,
	// an attribute that keeps B2's value holds that value.
	Before, After cty.Value
	Fields        []string // attributes that differ, in the descriptor's order
	// IgnoredFieldsMadeAnew are those of Fields that are no reason for the change: an object that stays keeps what it has there,
	// as ignore_changes says, and the one that takes its place is made as declared.
	IgnoredFieldsMadeAnew []string
	Sensitive             []string // attributes whose values must not be shown, neither old nor new; sorted
	Reason                string   // why, in words, without brackets: "bucket.x is not in configuration"
	Hazards               []kind.Hazard
	DeliverTo             []string // where a new secret will go, in words
	ForceDestroy          bool     // what Deletes lists goes with everything it holds
	// FurtherDeletes are further objects that interrupted runs made for this address, or
	// that were replaced and whose time is over. They are deleted after the action.
	// Sorted by ID.
	FurtherDeletes []NamedObject
	// MaybeForeignDeletes are those of the deleted objects that interrupted runs announced so long ago that
	// somebody else may have made them since. Sorted by ID.
	MaybeForeignDeletes []NamedObject
	// MaybeForeignReplaced are the imported objects that the block may not have made and that are destroyed: by the run
	// that takes them over, or by one after the overlap.
	MaybeForeignReplaced []NamedObject
	// FurtherForgets are further objects of this address that stay in B2, and that the state drops with it. Only
	// with Forget; sorted by ID.
	FurtherForgets []NamedObject
	// Retiring are further objects of this address that live on, and until when.
	// Sorted by ID.
	Retiring []addr.RetiringObject
	// Overlapping are objects that live on for Overlap after the secret of the new
	// one was delivered. Only with Rotate, or with Create where interrupted runs left
	// something; sorted by ID.
	Overlapping []NamedObject
	Overlap     time.Duration
	// LiveDrift says whether the live object was changed outside of b2form, and Edited whether its
	// configuration was edited, since the last run: of what differs from its configuration.
	LiveDrift, ConfigDrift DriftStatus
}

// A NamedObject is one live object: its remote ID, and what it is called.
type NamedObject struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// String is how people are shown it.
func (n NamedObject) String() string { return fmt.Sprintf("%s (ID %s)", n.Name, n.ID) }

// Imports are all live objects that the change makes ours, the current one last.
func (c *Change) Imports() []NamedObject {
	if c.Import {
		return append(slices.Clone(c.ImportedSiblings), NamedObject{c.RemoteID, c.LiveName})
	}
	return c.ImportedSiblings
}

// A Plan is everything that would change.
type Plan struct {
	Changes []Change // sorted by address; what is approved
	// Steps are what is executed: all of it, in an order in which needs come first.
	Steps    []Step
	Warnings hcl.Diagnostics // things to know; never a reason to stop
	// Undelivered are the resources whose new secret would go nowhere. Whoever shows the
	// plan warns of them, or refuses them where there is no terminal to show the
	// secret on. Sorted.
	Undelivered []addr.Addr
	// Basis is a digest of the plan together with what it was made from: the
	// planned addresses, the names they use and the revisions they touch. Two
	// plans with one Basis do the same to the same things.
	Basis string
	// SavedForm is what Basis is a digest of, where Request.Save asks for it.
	SavedForm *Saved
	// Salted says that Basis covers values that the plan hides: Request.DigestSalt is in it.
	Salted bool
	// Records are state entries that are written before the first step: of imported objects, and of
	// objects that stay and whose record differs from what is live or declared, since an interrupted
	// run made the object, or its protection or its deliveries are other than recorded. Sorted by
	// address. An entry that is new has no times: who writes it knows the clock.
	Records []addr.StateEntry
	// MovedIntents are the addresses of interrupted runs' announcements that count for
	// another address now, since the block got another label. Sorted.
	MovedIntents []EntryMove
	// Moves are the state entries that get another address before anything else,
	// in an order in which each address is free.
	Moves []EntryMove
	// RotatingObjects tell of every declared object that is renewed from time to time
	// and lives. Sorted by address.
	RotatingObjects []RotatingObject
	// LeftOut are the addresses with changes or records that Request.RotationsOnly, Target and Exclude keep
	// out of Changes and Records. Sorted.
	LeftOut []addr.Addr
	// KeptObjects are the declared objects that stay and of which ignore_changes leaves attributes as they are live.
	KeptObjects map[addr.Addr]KeptObject
	// OutputChanges are those that change; sorted by name. They alone make no plan that there is anything to
	// do for.
	OutputChanges []OutputChange
	// ProtectionChanges are the settings in Records that the state records otherwise now; sorted by address and name.
	// They change nothing in B2, but what becomes of an object whose block is gone.
	ProtectionChanges []ProtectionChange
}

// A ProtectionChange is a setting about the end of an object that stays, of which the state records the contrary.
type ProtectionChange struct {
	Addr     addr.Addr `json:"address"`
	Setting  string    `json:"setting"` // prevent_destroy, or the kind's DestroyBehavior.ForceAttr
	Declared bool      `json:"declared"`
}

// A RotatingObject is the present of an object that is renewed from time to time, or the end of one that is gone and is to
// be made anew.
type RotatingObject struct {
	Addr               addr.Addr
	LiveName, RemoteID string
	MadeAt             time.Time             // zero: it was made before rotation was asked for, and nobody can say
	Due                time.Time             // when it is to be renewed; zero: never
	UnscheduledReason  string                // why it is to be renewed now, whatever its age; "": nothing asks for that
	Retiring           []addr.RetiringObject // its predecessors that live on; sorted by ID
}

// IsDue reports whether it is to be renewed now.
func (r *RotatingObject) IsDue(now time.Time) bool { return !r.Due.IsZero() && !now.Before(r.Due) }

// A Request is what Make plans from.
type Request struct {
	Config   *config.Config
	Kinds    []*kind.Kind
	Snapshot *kind.Snapshot
	Entries  []addr.StateEntry // what the state says is ours
	// Announced are identities per kind that an interrupted run was about to
	// make: a live object found under one is ours.
	Announced []AnnouncedCreate
	Applied   LastApply // what it says of the last apply
	Destroy   bool      // plan the deletion of everything owned
	// RefreshOnly plans nothing but what the state is to be told of changes outside of b2form.
	RefreshOnly bool
	Replace     []addr.Addr // replace these even if nothing differs, without an overlap
	Rotate      []addr.Addr // renew these even if they are not due
	// RotationsOnly plans nothing but what rotation asks for: of the addresses in
	// Rotate, or of every address where that is empty.
	RotationsOnly bool
	// Target and Exclude are addresses of resources, instances and, with Kind "", modules. Where
	// there is a Target, nothing is planned but that and what it needs; what is in Exclude, or
	// needs that, is left out.
	Target, Exclude []addr.Addr
	// ImportOnly plans nothing but that the live object which an import block of the
	// configuration names for this address becomes ours, whatever differs. nil: everything.
	ImportOnly *addr.Addr
	// ForeignFiles are destinations, each a Delivery's Path, at which a file stands that nothing tells to be b2form's.
	ForeignFiles   map[string]bool
	Now            time.Time // by B2's clock: what ends, and when something is due, is decided by it
	LocalClockTime time.Time // by the clock of this machine; zero: that is not compared
	// DigestSalt goes into Plan.Basis where the plan hides values. Two plans can be compared only
	// if they were made with the same. Without one the basis must not be shown: it would tell who
	// guesses a hidden value that he is right.
	DigestSalt []byte
	// HashHidden hashes the hidden values with DigestSalt. nil: [SlowHashIfSalted].
	HashHidden    func(texts []string, salt []byte) (string, error)
	FillSavedForm bool // fill Plan.Saved
}

// An AnnouncedCreate is a create of which the journal does not know the outcome.
type AnnouncedCreate struct {
	Addr            addr.Addr
	Identity        string
	IDsBeforeCreate []string // IDs that carried the identity before
	MultiBucket     bool     // what only the newest API version lists counts too; else it may be missing in IDsBeforeCreate
	LaterAttemptID  string   // ID of the recorded object that a later attempt of the same run made; "": none
	AnnouncedAt     time.Time
}

// MayTakeEffectFor is how long after its announcement a create whose outcome is unknown may take effect.
const MayTakeEffectFor = 10 * time.Minute

// Counts are the numbers of the summary line.
type Counts struct{ Import, Add, Change, Destroy, Forget int }

// Counts adds the changes up. A replacement is one added and one destroyed.
func (p *Plan) Counts() Counts {
	var n Counts
	for i := range p.Changes {
		n = n.Plus(p.Changes[i].Counts())
	}
	return n
}

// Counts is what this change adds to the summary line.
func (c *Change) Counts() Counts {
	n := Counts{Destroy: len(c.FurtherDeletes), Import: len(c.ImportedSiblings)}
	if c.Import {
		n.Import++
	}
	switch c.Action {
	case Create, Rotate:
		n.Add = 1
	case Update:
		n.Change = 1
	case Replace:
		n.Add = 1
		n.Destroy++
	case Delete:
		n.Destroy++
	case Forget:
		n.Forget = 1 + len(c.FurtherForgets)
		if c.DestroysUnlisted() {
			n.Forget--
		}
	}
	return n
}

// DestroysUnlisted reports whether the change deletes by its ID the very object that it drops from the state: B2 did not
// list it, and may be late to do so.
func (c *Change) DestroysUnlisted() bool {
	return c.Action == Forget && slices.ContainsFunc(c.FurtherDeletes, func(o NamedObject) bool { return o.ID == c.RemoteID })
}

// Plus is the sum of both.
func (n Counts) Plus(m Counts) Counts {
	return Counts{
		Import:  n.Import + m.Import,
		Add:     n.Add + m.Add,
		Change:  n.Change + m.Change,
		Destroy: n.Destroy + m.Destroy,
		Forget:  n.Forget + m.Forget,
	}
}

// DestroysContents reports whether the change deletes objects with everything they
// hold, and says so.
func (c *Change) DestroysContents() bool {
	return c.ForceDestroy && len(c.Deletes()) > 0 && c.contentHazardIndex() >= 0
}

// DescribeContents says what the objects that the change deletes hold. It is no part of the
// plan's basis: who carries the plan out compares it.
func (c *Change) DescribeContents(text string) {
	if i := c.contentHazardIndex(); i >= 0 {
		c.Hazards[i].Detail += ": " + text
	}
}

func (c *Change) contentHazardIndex() (indexOrNegative int) {
	if c.Kind.Destroy.Hazards == nil {
		return -1
	}
	own := c.Kind.Destroy.Hazards(c.ForceDestroy, c.Action != Delete)
	return slices.IndexFunc(c.Hazards, func(h kind.Hazard) bool { return slices.Contains(own, h) })
}

// HasNoResourceChanges reports whether nothing would change, neither in B2 nor in what the
// state owns. There may still be Records to write, ProtectionChanges among them.
func (p *Plan) HasNoResourceChanges() bool { return len(p.Changes) == 0 }

// IsApplyable reports whether something that is shown would change: objects, outputs or protection.
func (p *Plan) IsApplyable() bool {
	return !p.HasNoResourceChanges() || len(p.OutputChanges) > 0 || len(p.ProtectionChanges) > 0
}

// HazardKinds lists the kinds of hazard among the changes, each once, sorted.
func (p *Plan) HazardKinds() []kind.HazardKind {
	var out []kind.HazardKind
	for i := range p.Changes {
		for _, h := range p.Changes[i].Hazards {
			out = append(out, h.Kind)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
