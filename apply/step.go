package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/kind"
)

// step carries out a task and everything that belongs to it.
func (r *runner) step(ctx context.Context, t *task) Step {
	start, c := r.Now(), t.change
	s := Step{Change: c, ID: cmp.Or(t.id, c.ID)}
	if t.first {
		s.ID, s.Err = r.first(ctx, c)
	}
	if s.Err == nil && t.last {
		s.Err = r.last(ctx, c, s.ID)
	}
	if len(c.Sensitive) > 0 || slices.ContainsFunc(c.Kind.Attrs, func(a kind.Attr) bool { return a.SendsSecret() }) {
		s.Err = kind.Discreet(s.Err)
	}
	s.Took = r.Now().Sub(start)
	return s
}

// first carries out the first part of a change and gives the object's ID.
func (r *runner) first(ctx context.Context, c *plan.Change) (id string, err error) {
	switch c.Action {
	case plan.Create, plan.Rotate, plan.Replace:
		return r.watched(c, plan.Create, "", func() (string, error) {
			id, err := r.create(ctx, c)
			if err == nil && !c.Divided() {
				err = r.setLate(ctx, c, id)
			}
			return id, err
		})
	case plan.Update:
		if fields := c.First(); len(fields) > 0 {
			return r.watched(c, plan.Update, c.ID, func() (string, error) { return c.ID, r.update(ctx, c, c.ID, fields, c.Late) })
		}
	case plan.Delete:
		return r.watched(c, plan.Delete, c.ID, func() (string, error) { return c.ID, r.remove(ctx, c, c.ID) })
	}
	if c.Import {
		err = r.record(c, c.ID, nil)
	}
	return c.ID, err
}

// last carries out the last part: what is set last, then the end of what the
// change supersedes. A run that is cut off before it leaves it to the next one,
// and so does one to which B2 did not confirm the new object.
func (r *runner) last(ctx context.Context, c *plan.Change, id string) (err error) {
	if c.Divided() && len(c.Late) > 0 {
		_, err = r.watched(c, plan.Update, id, func() (string, error) { return id, r.setLate(ctx, c, id) })
	}
	if err == nil && !r.unconfirmed(c) {
		err = r.removeSuperseded(ctx, c)
	}
	// Only now: the entry is what the next run would find the rest by.
	if err == nil && (c.Action == plan.Delete || c.Action == plan.Forget) {
		err = r.forget(c.Addr)
	}
	return err
}

// setLate sends the attributes that are set last.
func (r *runner) setLate(ctx context.Context, c *plan.Change, id string) error {
	if len(c.Late) == 0 {
		return nil
	}
	return r.update(ctx, c, id, c.Late, nil)
}

// watched tells of the beginning and the end of one action.
func (r *runner) watched(c *plan.Change, action plan.Action, id string, do func() (string, error)) (string, error) {
	start := r.Now()
	e := Event{Addr: c.Addr, Kind: c.Kind, Action: action, Stage: Started, ID: id}
	r.emit(e)
	id, e.Err = do()
	e.Stage, e.Took = Done, r.Now().Sub(start)
	if id != "" {
		e.ID = id
	}
	if e.Err != nil {
		e.Stage = Failed
	}
	r.emit(e)
	return id, e.Err
}

// removeSuperseded deletes what a replacement took the place of, and what
// interrupted runs left under the address.
func (r *runner) removeSuperseded(ctx context.Context, c *plan.Change) error {
	ids := c.Leftovers
	if c.Action == plan.Replace {
		ids = append([]string{c.ID}, ids...)
	}
	for _, id := range ids {
		if _, err := r.watched(c, plan.Delete, id, func() (string, error) { return id, r.retire(ctx, c, id) }); err != nil {
			return err
		}
	}
	return nil
}

// retire deletes a superseded object and strikes it from the entry's list.
func (r *runner) retire(ctx context.Context, c *plan.Change, id string) error {
	if err := r.remove(ctx, c, id); err != nil {
		return err
	}
	e, ok := r.entry(c.Addr)
	if !ok || len(e.Retiring) == 0 {
		return nil
	}
	e.Retiring = slices.DeleteFunc(slices.Clone(e.Retiring), func(old kind.Retiree) bool { return old.ID == id })
	return r.put(e)
}

func (r *runner) remove(ctx context.Context, c *plan.Change, id string) error {
	live, err := r.members(c.Kind, id)
	if err != nil {
		return err
	}
	return c.Kind.Delete(ctx, kind.Call{API: r.API, ID: id, Live: live, Force: c.Force, Progress: func(n int) {
		r.emit(Event{Addr: c.Addr, Kind: c.Kind, Action: plan.Delete, Stage: Emptying, ID: id, Count: n})
	}})
}

// members is the live object as a map; nil where it was not read.
func (r *runner) members(k *kind.Kind, id string) (map[string]any, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.Snapshot.ByID(k, id)
	if o == nil {
		return nil, nil
	}
	return o.Members()
}

// update sends attributes; others are pending and keep what they are. A conflict
// means that somebody else was faster, or that our own reply was lost: the
// account tells which.
func (r *runner) update(ctx context.Context, c *plan.Change, id string, fields, pending []string) error {
	live, err := r.members(c.Kind, id)
	if err != nil {
		return err
	}
	if c.Kind.Whole {
		fields = nil
		for _, a := range c.Kind.Settable() {
			fields = append(fields, a.Name)
		}
	}
	body, err := c.Kind.Encode(c.After, fields, false, r.id(c))
	if err != nil {
		return err
	}
	raw, err := c.Kind.Update(ctx, kind.Call{API: r.API, ID: id, Live: live, Body: body, Payload: r.resources[c.Addr].Payload})
	var refused *kind.Error
	if errors.As(err, &refused) && refused.Status == 409 {
		return r.afterConflict(ctx, c, id, pending, refused)
	}
	if err != nil {
		return err
	}
	o, err := r.Snapshot.Object(c.Kind, kind.JSON(raw))
	if err != nil {
		return err
	}
	return r.settle(c, o, pending)
}

func (r *runner) afterConflict(ctx context.Context, c *plan.Change, id string, pending []string, refused *kind.Error) error {
	found, err := r.look(ctx, c, nil)
	if err != nil {
		return err
	}
	for _, o := range found {
		if o.ID == id && r.check(c, o, pending) == nil {
			return r.settle(c, o, pending)
		}
	}
	return &kind.Explained{
		Summary: "The " + c.Kind.Name + " was changed by somebody else",
		Detail: fmt.Sprintf("%s %q was changed after the plan was made, so nothing was written to it. Run the command again to see what differs now.",
			title(c.Kind.Name), c.Identity),
		Cause: refused,
	}
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// settle takes the object as B2 answered it into the snapshot and the state,
// and compares it with what was planned.
func (r *runner) settle(c *plan.Change, o *kind.Object, pending []string) error {
	r.mu.Lock()
	r.Snapshot.Add(o)
	r.mu.Unlock()
	if err := r.check(c, o, pending); err != nil {
		return err
	}
	if e, _ := r.entry(c.Addr); c.Import && e.ID != o.ID {
		return r.record(c, o.ID, nil)
	}
	return nil
}

// check compares a live object with what was planned, but for attributes that are
// pending.
func (r *runner) check(c *plan.Change, o *kind.Object, pending []string) error {
	values, err := o.Values()
	if err != nil {
		return err
	}
	v := r.named(c, values)
	var entry *kind.Entry
	if e, ok := r.entry(c.Addr); ok && e.ID == o.ID {
		entry = &e
	}
	fields, _ := plan.Diff(c.Kind, c.After, v, entry, slices.Concat(r.resources[c.Addr].IgnoreChanges, pending))
	if len(fields) == 0 {
		return nil
	}
	return &kind.Explained{
		Summary: "B2 made something else than planned",
		Detail: fmt.Sprintf("%s %q was written, but B2's answer differs from the plan in %s. Look at it with `b2form plan`, and report this if it stays.",
			title(c.Kind.Name), c.Identity, strings.Join(fields, ", ")),
	}
}

// record writes the entry of an object that is ours from now on.
func (r *runner) record(c *plan.Change, id string, made *made) error {
	res := r.resources[c.Addr]
	e := kind.Entry{Addr: c.Addr, Identity: c.Identity, ID: id, PreventDestroy: res.PreventDestroy, Sensitive: res.Sensitive}
	if made == nil {
		e.Adopted = r.now()
		e.Identity = r.identity(c, id)
	} else {
		e.Created, e.Delivered, e.Delivery = made.at, made.delivered, made.digest
	}
	e.Retiring = retirees(c, r.now())
	return r.put(e)
}

// identity is the name under which a live object is found again. It may carry
// more than the change says.
func (r *runner) identity(c *plan.Change, id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.Snapshot.ByID(c.Kind, id); o != nil {
		return o.Identity
	}
	return c.Identity
}

// now is the time in the precision that the state keeps.
func (r *runner) now() time.Time { return r.Now().UTC().Truncate(time.Second) }

// live answers for deliveries: the computed attributes of what is ours.
func (r *runner) live(addr kind.Addr) (map[string]cty.Value, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entries[addr]
	if !ok {
		return nil, false
	}
	return r.Snapshot.Computed(r.kinds[addr.Kind], e.ID)
}

// retirees are the earlier objects that are recorded with the one that takes
// their place: to be deleted at once, or when their time is over. It runs from
// now, when the new one has reached its destinations.
func retirees(c *plan.Change, now time.Time) []kind.Retiree {
	out := slices.Clone(c.Retiring)
	for _, id := range c.Leftovers {
		out = append(out, kind.Retiree{ID: id})
	}
	for _, id := range c.Overlapping {
		out = append(out, kind.Retiree{ID: id, Until: now.Add(c.Overlap)})
	}
	if c.Action == plan.Replace {
		out = append(out, kind.Retiree{ID: c.ID})
	}
	slices.SortFunc(out, func(a, b kind.Retiree) int { return strings.Compare(a.ID, b.ID) })
	return out
}
