package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sync/errgroup"

	"b2form/internal/planfile"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/wire"
)

// addCountsAndFindUndeletable says of every change that deletes objects with everything they hold how much that
// is, before anybody approves it. What the credentials may not look at is said so. It notes the objects that are
// not deleted: what B2 deletes only when it is empty, and what may not be deleted at all.
func (s *session) addCountsAndFindUndeletable(ctx context.Context, p *plan.Plan) error {
	counts := make([]wire.ContentsCount, len(p.Changes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallelism)
	for i := range p.Changes {
		c := &p.Changes[i]
		if !c.DestroysContents() && !deletedOnlyIfEmpty(p, c) {
			continue
		}
		g.Go(func() (err error) {
			if c.DestroysContents() {
				counts[i], err = s.countContents(ctx, c, wire.MostCounted)
				return err
			}
			counts[i], err = s.countContents(ctx, c, wire.VersionsPerPage) // that it is not empty is enough
			if ctx.Err() == nil {
				return nil // B2 itself refuses to delete what is not empty
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.undeletable, s.destroyed = nil, nil
	for i := range p.Changes {
		c := &p.Changes[i]
		refusal, err := s.deleteRefusal(c)
		if err != nil {
			return err
		}
		if refusal == nil {
			refusal = counts[i].LockedError()
		}
		if refusal == nil && !c.DestroysContents() && counts[i].Versions > 0 {
			refusal = c.Kind.Destroy.NotEmptyError(counts[i].String())
		}
		if refusal != nil {
			s.undeletable = append(s.undeletable, undeletableObject{c.Addr, refusal})
		}
		if c.DestroysContents() {
			c.DescribeContents(counts[i].String())
			s.destroyed = append(s.destroyed, planfile.DestroyedContents{Addr: c.Addr, Text: counts[i].String()})
		}
	}
	return nil
}

// countContents counts what all objects hold that the change deletes, of each up to so many versions.
func (s *session) countContents(ctx context.Context, c *plan.Change, most int) (sum wire.ContentsCount, err error) {
	for _, o := range c.Deletes() {
		n, err := c.Kind.Destroy.CountContents(ctx, s.client, o.ID, most, s.b2Time())
		if err != nil {
			return sum, err
		}
		sum = sum.Plus(n)
	}
	return sum, nil
}

// deleteRefusal is why an object that would be deleted never is; nil: it may be.
func (s *session) deleteRefusal(c *plan.Change) (*wire.ExplainedError, error) {
	o := s.snapshot.ByID(c.Kind, c.RemoteID)
	if c.Action != plan.Delete || o == nil || c.Kind.Destroy.CheckDelete == nil {
		return nil, nil
	}
	live, err := o.JSONMembers()
	if err != nil {
		return nil, err
	}
	return c.Kind.Destroy.CheckDelete(live), nil
}

// deletedOnlyIfEmpty reports whether B2 refuses the delete of an object that holds something, and no
// other change takes out of it what it holds.
func deletedOnlyIfEmpty(p *plan.Plan, c *plan.Change) bool {
	if c.Action != plan.Delete || c.ForceDestroy || c.Kind.Destroy.NotEmptyError == nil {
		return false
	}
	return !slices.ContainsFunc(p.Changes, func(other plan.Change) bool {
		k := other.Kind
		return other.Action == plan.Delete && k.Content != nil && k.ParentKind() == c.Kind.Name &&
			k.ParentIdentity(other.Identity) == c.Identity
	})
}

// capabilitiesToLookInto is what looking into what is deleted only while it is empty takes.
func capabilitiesToLookInto(p *plan.Plan) (list []plan.RequiredCapability) {
	for i := range p.Changes {
		c := &p.Changes[i]
		if !deletedOnlyIfEmpty(p, c) {
			continue
		}
		capability := c.Kind.Destroy.CountCapability
		at := slices.IndexFunc(list, func(r plan.RequiredCapability) bool { return r.Capability == capability })
		if at < 0 {
			at, list = len(list), append(list, plan.RequiredCapability{Capability: capability})
		}
		list[at].NeededBy = append(list[at].NeededBy, c.Addr)
	}
	return list
}

// warnNotLookedInto names what is deleted only while it is empty, where the credentials do not see whether it is.
func (s *session) warnNotLookedInto(p *plan.Plan) (diags hcl.Diagnostics) {
	for _, r := range capabilitiesToLookInto(p) {
		if !s.snapshot.Account.HasCapability(r.Capability) {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Not known to be empty",
				Subject: s.blockRange(r.NeededBy[0]), Detail: fmt.Sprintf("Without the capability %s b2form cannot see whether anything "+
					"is in %s. B2 deletes only what is empty; where it is not, what is deleted before it is gone all the same.",
					r.Capability, r.NeededByText())})
		}
	}
	return diags
}

// An undeletableObject is one that would not be deleted, and why.
type undeletableObject struct {
	addr addr.Addr
	why  *wire.ExplainedError
}

// diagnoseUndeletable says which objects would not be deleted, before others are changed that must be first.
func (s *session) diagnoseUndeletable(severity hcl.DiagnosticSeverity) (diags hcl.Diagnostics) {
	for _, o := range s.undeletable {
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: o.why.Summary, Subject: s.blockRange(o.addr),
			Detail: fmt.Sprintf("%s cannot be deleted, so %s. %s", o.addr, refusalConsequence(severity), o.why.Detail)})
	}
	return diags
}
