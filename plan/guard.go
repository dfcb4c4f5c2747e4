package plan

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// checkRequest refuses what must not be planned. It reports whether the account and
// the credentials allow to look further.
func (p *planner) checkRequest() (goOn bool) {
	p.checkRightAccountAndKindsRead()
	p.warnClockSkew()
	if p.diags.HasErrors() {
		return false
	}
	p.checkReplaceDeclared()
	p.checkRotateAddrs()
	p.checkTargets()
	return true
}

// guardChange refuses changes that must not be made. r is the block, nil where that is
// gone. Each guard looks for itself whether it concerns such a change.
func (p *planner) guardChange(r *config.Resource, h match, c *Change) {
	for _, guard := range []func(*config.Resource, match, *Change){
		p.checkPreventDestroyOnDelete, p.refuseDeleteOfKeyInUse, p.checkPreventDestroyOnReplace, p.checkByKind, p.checkReferencesExist,
		p.requireWithinAllowedNamePrefix,
	} {
		guard(r, h, c)
	}
}

// replacementTargets are what an address to replace or to renew stands for: a resource, all instances of it, or the keys
// of a module, which may hold other resources too.
func (p *planner) replacementTargets(a addr.Addr) (named []*config.Resource) {
	for _, r := range p.Config.Resources {
		if a.Covers(r.Addr) && (a.Kind != "" || r.Kind.YieldsSecret()) {
			named = append(named, r)
		}
	}
	return named
}

// whyNothingNamed says of an address that stands for nothing what is wrong with it.
func (p *planner) whyNothingNamed(a addr.Addr) string {
	if slices.ContainsFunc(p.Config.Resources, func(r *config.Resource) bool { return a.Covers(r.Addr) }) {
		return fmt.Sprintf("%s declares no key.", a)
	}
	return fmt.Sprintf("%s is not in the configuration.%s", a, AddressAdvice(a, addrsOf(p.Config.Resources)))
}

// checkReplaceDeclared refuses -replace for what is not declared.
func (p *planner) checkReplaceDeclared() {
	if p.Destroy {
		return
	}
	for _, a := range p.Replace {
		if len(p.replacementTargets(a)) == 0 {
			p.errorf(nil, "Nothing to replace", "-replace=%s: %s", a, p.whyNothingNamed(a))
		}
	}
}

// checkRotateAddrs refuses to renew what does not rotate. Of a module it is enough that some key does.
func (p *planner) checkRotateAddrs() {
	if p.Destroy {
		return
	}
	for _, a := range p.Rotate {
		named := p.replacementTargets(a)
		if len(named) == 0 {
			p.errorf(nil, "Nothing to rotate", "%s", p.whyNothingNamed(a))
			continue
		}
		var fixed []*config.Resource
		for _, r := range named {
			if _, ok := r.Kind.RotationOf(r.Value); !ok {
				fixed = append(fixed, r)
			}
		}
		for _, r := range fixed {
			detail := fmt.Sprintf("%s is a %s; only keys rotate.", r.Addr, r.Kind.Name)
			if r.Kind.Credential != nil {
				detail = fmt.Sprintf("%s has no rotate block, which says how long the old key lives on. Add one, "+
					"or run `b2form apply -replace='%s'`, which deletes the old key at once.", r.Addr, r.Addr)
			}
			if a.Kind == "" && len(fixed) < len(named) {
				p.warnf(&r.Block.HeaderRange, "A key of the module is not renewed", "%s", detail)
			} else {
				p.errorf(&r.Block.HeaderRange, "Nothing to rotate", "%s", detail)
			}
		}
	}
}

// checkPreventDestroyOnDelete refuses to delete what prevent_destroy protects. What the block
// says counts; what the state remembers counts where the block is gone.
func (p *planner) checkPreventDestroyOnDelete(r *config.Resource, h match, c *Change) {
	addr := c.Addr
	switch {
	case c.Action != Delete && !c.DestroysUnlisted():
	case r != nil && r.PreventDestroy:
		rng := r.Block.RangeOf("prevent_destroy")
		p.errorf(&rng, "Instance cannot be destroyed",
			"%s has prevent_destroy set, but the plan destroys it. Set prevent_destroy = false, or keep it with `b2form state rm '%s'`.",
			addr, addr)
	case r == nil && h.entry != nil && h.entry.PreventDestroy && p.Config.FindRemoval(addr) == nil:
		p.errorf(nil, "Instance cannot be destroyed",
			"%s is no longer in the configuration, but it was protected by prevent_destroy. To destroy it, write\n"+
				"  removed {\n    from    = %s\n    destroy = true\n  }\nTo keep it and stop managing it, write the same with destroy = "+
				"false.", addr, addr)
	}
}

// refuseDeleteOfKeyInUse refuses to delete the key that this run works with.
func (p *planner) refuseDeleteOfKeyInUse(r *config.Resource, _ match, c *Change) {
	inUse := p.Snapshot.Account.KeyID
	ends := c.Action == Replace || c.Action == Delete
	if !(ends && c.RemoteID == inUse) && !slices.ContainsFunc(c.FurtherDeletes, func(o NamedObject) bool { return o.ID == inUse }) {
		return
	}
	var subject *hcl.Range
	if r != nil {
		subject = &r.Block.HeaderRange
	}
	p.errorf(subject, "The key in use cannot be deleted",
		"%s is the application key (%s) that this run works with, and the plan deletes it. "+
			"Run b2form with other credentials, or stop managing this key with `b2form state rm '%s'`.", c.Addr, inUse, c.Addr)
}

// checkPreventDestroyOnReplace refuses to replace a protected object. One that an
// interrupted run left is not protected: nobody ever got its secret.
func (p *planner) checkPreventDestroyOnReplace(r *config.Resource, h match, c *Change) {
	if c.Action == Replace && r.PreventDestroy && !h.isObjectRecovered() {
		rng := r.Block.RangeOf("prevent_destroy")
		p.errorf(&rng, "Instance cannot be destroyed",
			"%s has prevent_destroy set, but the plan replaces it, which deletes the old %s. "+
				"Undo the change, or set prevent_destroy = false first.", r.Addr, r.Kind.Name)
	}
}

// checkByKind asks the kind whether the step is possible at all.
func (p *planner) checkByKind(r *config.Resource, _ match, c *Change) {
	if r == nil || r.Kind.CheckChange == nil || c.Action == NoOp || deletesOrForgets(c) {
		return
	}
	for _, problem := range r.Kind.CheckChange(c.Before, c.After) {
		rng := problemRange(r, problem)
		if len(c.Sensitive) > 0 {
			problem.Detail = "Details are left out: the block uses a sensitive value, which they might repeat."
		}
		if problem.Warning {
			p.warnf(&rng, problem.Summary, "%s", problem.Detail)
		} else {
			p.errorf(&rng, problem.Summary, "%s", problem.Detail)
		}
	}
}

// forceOrCheckChildDeletes refuses to delete a bucket beside files in it that are only hidden:
// it would not be empty. Files of a bucket that goes with everything it holds go
// for good too, unless they are to stay.
func (p *planner) forceOrCheckChildDeletes() {
	hidden, forgotten := map[identityKey][]*Change{}, map[identityKey][]*Change{}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		if c.Kind.ScopeAttr() == "" {
			continue
		}
		for _, o := range c.LeavesInB2() {
			parent := identityKey{c.Kind.ParentKind(), c.Kind.ParentIdentity(o.Name)}
			forgotten[parent] = append(forgotten[parent], c)
		}
		if (c.Action == Delete || c.Action == Replace) && !c.ForceDestroy {
			parent := identityKey{c.Kind.ParentKind(), c.Kind.ParentIdentity(c.Identity)}
			hidden[parent] = append(hidden[parent], c)
		}
	}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		at := identityKey{c.Kind.Name, c.Identity}
		files := hidden[at]
		if c.Action == Delete && len(forgotten[at]) > 0 {
			p.refuseForgottenInDeleted(c, forgotten[at][0])
		}
		switch {
		case c.Action != Delete || len(files) == 0:
		case c.ForceDestroy:
			for _, file := range files {
				file.ForceDestroy = true
				if file.Kind.Destroy.Hazards != nil {
					file.Hazards = sortUniqueHazards(append(file.Hazards, file.Kind.Destroy.Hazards(true, false)...))
				}
			}
		default:
			p.reportNotEmptied(c, files)
		}
	}
}

// refuseForgottenInDeleted is about what a removed block leaves in B2, in a parent that the plan deletes.
func (p *planner) refuseForgottenInDeleted(parent, child *Change) {
	var subject *hcl.Range
	if removal := p.Config.FindRemoval(child.Addr); removal != nil {
		subject = &removal.Range
	}
	name := parent.Kind.Name
	p.errorf(subject, "The "+name+" goes away", "%s is to stay in B2 without being managed, but %s, which it is in, is destroyed by the "+
		"same plan. Write a removed block for %s too, which keeps the %s, or one with destroy = true for %s.", child.Addr, parent.Addr,
		parent.Addr, name,
		child.Addr)
}

func (p *planner) reportNotEmptied(c *Change, files []*Change) {
	what := files[0].Addr.String()
	if n := len(files) - 1; n > 0 {
		what = fmt.Sprintf("%s and %d more", what, n)
	}
	force, child := c.Kind.Destroy.ForceAttr, files[0].Kind
	advice := fmt.Sprintf("Set %s = true on the %s, which deletes all their versions, or on the %s, which deletes everything in it.", force,
		child.Plural, c.Kind.Name)
	var subject *hcl.Range
	if r := p.declaration(c.Addr); r != nil {
		subject = &r.Block.HeaderRange
	} else {
		advice = fmt.Sprintf("To delete everything in it, write\n  removed {\n    from          = %s\n    destroy       = true\n    %s "+
			"= true\n"+
			"  }\n"+
			"To keep the %s and stop managing it, write the same without the last two lines.", c.Addr, force, c.Kind.Name)
	}
	p.errorf(subject, words.CapitalizeUnlessName(c.Kind.Name)+" will not be empty",
		"The plan deletes %s, but it only hides %s in it: the versions stay, and B2 deletes only empty %s. %s", c.Addr, what, c.Kind.Plural,
		advice)
}
