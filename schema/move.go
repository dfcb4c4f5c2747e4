package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/syntax"
)

// evaluateMoves reads the moved blocks.
func (l *module) evaluateMoves() {
	for _, b := range l.moved {
		content, complete := l.readContent(b, syntax.FindFixedBlock(b.Type))
		if !complete {
			continue
		}
		from, ok := l.readAddress(content.Attributes["from"])
		to, alsoOK := l.readAddress(content.Attributes["to"])
		if !ok || !alsoOK {
			continue
		}
		m := config.Move{From: from, To: to, Range: b.DefRange}
		if why := l.findMoveProblem(m); why != "" {
			l.errorAt(b.DefRange, "Invalid move", why)
			continue
		}
		l.config.Moves = append(l.config.Moves, m)
	}
}

// findMoveProblem says what is wrong with a move; "" where nothing is.
func (l *module) findMoveProblem(m config.Move) string {
	for _, other := range l.config.Moves {
		switch {
		case other.From == m.From:
			return fmt.Sprintf("%s is moved already at %s. Remove one of the blocks.", m.From, other.Range)
		case other.To == m.To:
			return fmt.Sprintf("%s is moved to %s already at %s. Only one object can have an address.", other.From, m.To, other.Range)
		}
	}
	switch {
	case m.From == m.To:
		return fmt.Sprintf("from and to are both %s. Remove the block.", m.From)
	case m.From.Kind != m.To.Kind && (m.From.Kind == "" || m.To.Kind == ""):
		return "from and to must both be resources, or both modules."
	case m.From.Kind != m.To.Kind:
		return fmt.Sprintf("%s cannot become %s: a %s stays a %s.", m.From, m.To, m.From.Kind, m.From.Kind)
	}
	for _, r := range l.config.Resources {
		if to, ok := m.Apply(r.Addr); ok && to != r.Addr {
			return fmt.Sprintf("%s is declared still at %s, so nothing moves from it. Rename its block, or remove the moved block.", r.Addr,
				r.Block.HeaderRange)
		}
	}
	return ""
}

// checkMoveLoops reports moves that lead round in a circle.
func (l *module) checkMoveLoops() {
	next := map[addr.Addr]config.Move{}
	for _, m := range l.config.Moves {
		next[m.From] = m
	}
	for _, first := range l.config.Moves {
		steps := []string{first.From.String()}
		for m, ok := first, true; ok && len(steps) <= len(next); m, ok = next[m.To] {
			steps = append(steps, m.To.String())
			if m.To == first.From {
				l.errorAt(first.Range, "Invalid move", fmt.Sprintf("These moves lead round in a circle: %s. To swap two objects, move "+
					"one of them to a third address first.", strings.Join(steps, " → ")))
				return
			}
		}
	}
}

// checkRemovalsOfMoved refuses removed blocks of addresses that a moved block leaves: they would remove nothing.
func (l *module) checkRemovalsOfMoved() {
	for _, r := range l.config.Removals {
		for _, m := range l.config.Moves {
			if to, ok := m.Apply(r.From); ok {
				l.errorAt(r.Range, "Invalid removal", fmt.Sprintf("What was %s is %s now, as the moved block at %s says, so nothing is "+
					"left at that address. Write from = %s, or delete one of the blocks.", r.From, to, m.Range, to))
				break
			}
		}
	}
}

// evaluateRemovals reads the removed blocks.
func (l *module) evaluateRemovals() {
	for _, b := range l.removed {
		content, complete := l.readContent(b, syntax.FindFixedBlock(b.Type))
		if !complete {
			continue
		}
		r := config.Removal{Range: b.DefRange}
		var ok bool
		if r.From, ok = l.readAddress(content.Attributes["from"]); !ok {
			continue
		}
		if a := content.Attributes["destroy"]; a != nil {
			v, ok := l.evalSetting(a, cty.Bool, "true or false")
			if !ok {
				continue
			}
			r.Destroy = !v.IsNull() && v.True()
		}
		if a := content.Attributes["force_destroy"]; a != nil && !l.readForceDestroy(a, &r) {
			continue
		}
		if why := l.findRemovalProblem(r); why != "" {
			l.errorAt(content.Attributes["from"].Expr.Range(), "Invalid removal", why)
			continue
		}
		l.config.Removals = append(l.config.Removals, r)
	}
}

// readForceDestroy reads whether an object that is destroyed goes with everything it holds.
func (l *module) readForceDestroy(a *hcl.Attribute, r *config.Removal) (ok bool) {
	v, ok := l.evalSetting(a, cty.Bool, "true or false")
	if !ok {
		return false
	}
	if v.IsNull() {
		return true
	}
	force := v.True()
	r.ForceDestroy = &force
	switch k := l.kinds[r.From.Kind]; {
	case k != nil && k.Destroy.ForceAttr == "":
		l.errorAt(a.NameRange, "Invalid removal", fmt.Sprintf("A %s holds nothing that could go with it. Remove %s.", k.Name, a.Name))
	case force && !r.Destroy:
		l.errorAt(a.NameRange, "Invalid removal", fmt.Sprintf("%s says how the object is destroyed, but it is not. Write destroy = true "+
			"as well, or remove %s.", a.Name, a.Name))
	default:
		return true
	}
	return false
}

func (l *module) findRemovalProblem(r config.Removal) string {
	for _, other := range l.config.Removals {
		if other.From == r.From {
			return fmt.Sprintf("%s is removed already at %s. Delete one of the blocks.", r.From, other.Range)
		}
	}
	for _, res := range l.config.Resources {
		if r.Covers(res.Addr) {
			return fmt.Sprintf("%s is declared still at %s. Delete its block, or delete the removed block.", res.Addr,
				res.Block.HeaderRange)
		}
	}
	return ""
}

// resolveAddressKeys is an address whose keys may come from variables and local values; nil:
// it is none. ok is false where an error was reported.
func (l *module) resolveAddressKeys(e hcl.Expression) (nilIfNotAddress hcl.Traversal, noError bool) {
	e = nativeAddressExpr(e)
	keys := nonConstantInstanceKeys(e)
	if len(keys) == 0 {
		t, diags := hcl.AbsTraversalForExpr(e)
		if diags.HasErrors() {
			return nil, true
		}
		return t, true
	}
	var variables []hcl.Traversal
	for _, key := range keys {
		variables = append(variables, key.Variables()...)
	}
	return l.evalAddress(e, l.staticScope.context(l.resolve(variables, allowedRefs{}), l.baseContext))
}

// readAddress reads the address of a resource or module that need not be declared, as
// seen from this module.
func (l *module) readAddress(a *hcl.Attribute) (address addr.Addr, ok bool) {
	var to addr.Addr
	t, ok := l.resolveAddressKeys(a.Expr)
	if !ok {
		return to, false
	}
	if ok = t != nil; ok {
		to, ok = addr.TargetFromTraversal(t)
		to.Module = strings.Trim(l.addressPrefix+"."+to.Module, ".")
	}
	switch {
	case !ok:
		l.errorAt(a.Expr.Range(), "Invalid address", fmt.Sprintf("%s needs the address of a resource or module, as bucket.photos, "+
			"bucket.logs[\"edge\"] or module.site.", a.Name))
	case to.Kind != "" && l.kinds[to.Kind] == nil:
		ok = false
		why := l.terraformReferenceAdvice(t, allowedRefs{})
		if why == "" {
			why = fmt.Sprintf("There is no kind of resource %q.%s", to.Kind, words.DidYouMean(to.Kind, "", l.sortedKindNames()))
		}
		l.errorAt(a.Expr.Range(), "Invalid address", why)
	}
	return to, ok
}
