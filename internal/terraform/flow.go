package terraform

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
)

// A valueFlow is where the values of an item go: of a local value, a variable or an output of a module, or for_each of a
// block. B2's IDs may stand in outputs and checks only, so it decides whether an ID stays one or becomes a name.
type valueFlow struct {
	to        []*item  // items whose values are made from it
	toLink    bool     // to a setting that names objects
	toKnown   bool     // to where a value must be known before
	toSecret  bool     // to what is a secret here or there, so it is one
	idReaders []string // what had the ID in Terraform and is no link, as "TITLE (FILE:LINE)"
	followed  bool
}

// recordFlows rewrites everything once, only to see where values go.
func (m *migration) recordFlows() {
	m.recording = true
	for _, mod := range m.calleesFirst {
		mod.substitutes = map[string]*substituteVariable{}
		for _, it := range mod.items {
			if it.fate == carried && it.block.Type != "terraform" {
				(&rewriter{m: m, mod: mod, it: it}).item()
			}
		}
	}
	m.recording = false
	for _, mod := range m.calleesFirst {
		for _, it := range mod.items {
			if it.block.Type == "provider" && it.fate == dropped {
				for _, t := range it.refs {
					if to := mod.findReferencedItem(t); to != nil {
						to.flow.toSecret = true // the account's own key
					}
				}
			}
			it.flow.toSecret = it.flow.toSecret || it.isDeclaredSensitive()
		}
	}
	for _, mod := range m.calleesFirst {
		for _, it := range mod.items {
			it.mergeDownstreamFlow()
		}
	}
}

// mergeDownstreamFlow adds what becomes of the items that a value goes to. Values that go round in circles are no valid configuration.
func (it *item) mergeDownstreamFlow() {
	f := &it.flow
	if f.followed {
		return
	}
	f.followed = true
	for _, next := range f.to {
		next.mergeDownstreamFlow()
		f.toLink, f.toKnown = f.toLink || next.flow.toLink, f.toKnown || next.flow.toKnown
		f.toSecret = f.toSecret || next.flow.toSecret
		f.idReaders = append(f.idReaders, next.flow.idReaders...)
	}
	slices.Sort(f.idReaders)
	f.idReaders = slices.Compact(f.idReaders)
}

// use is how the expression of an item is rewritten: IDs stay only where nothing wants a name.
func (f *valueFlow) use() expressionUse {
	if f.toLink || f.toKnown {
		return flow
	}
	return computedAllowed
}

// noteUse records that a reference reads the values of an item.
func (r *rewriter) noteUse(of *item, u expressionUse, at hcl.Range) {
	if !r.m.recording {
		return
	}
	f := &of.flow
	f.toSecret = f.toSecret || r.intoSecret
	switch {
	case r.isNullTest && u != computedAllowed:
		f.toKnown = true
	case r.flowsTo != nil && u != plain && u != wantsObject:
		f.to = append(f.to, r.flowsTo)
	case u == computedAllowed || u == plain:
		f.toKnown = f.toKnown || u == plain
		p := r.it.file.place(at, "", "")
		f.idReaders = append(f.idReaders, fmt.Sprintf("%s (%s:%d)", visible.EscapeLine(r.it.title()), p.File, p.Line))
	default:
		f.toLink = true
	}
}

// valueExpression rewrites what the values of an item are made from.
func (r *rewriter) valueExpression(e hclsyntax.Expression, of *item) {
	r.valuesOf(of, func() { r.expression(e, of.flow.use(), nil) })
	r.noteLiteralIDs(e, of)
}

// valuesOf runs what rewrites expressions of which the values of an item are made.
func (r *rewriter) valuesOf(of *item, rewrite func()) {
	outer := r.flowsTo
	r.flowsTo = of
	rewrite()
	r.flowsTo = outer
}

// secretExpression rewrites what becomes a secret.
func (r *rewriter) secretExpression(e hclsyntax.Expression, u expressionUse, s *scope) {
	outer := r.intoSecret
	r.intoSecret = true
	r.expression(e, u, s)
	r.intoSecret = outer
}

// noteNameForID notes that an ID became a name although not everything that it goes to wants one.
func (r *rewriter) noteNameForID(at hcl.Range) {
	if r.m.recording || r.flowsTo == nil || len(r.flowsTo.flow.idReaders) == 0 {
		return
	}
	r.m.result.ShowsNamesForIDs = true
	readers := r.flowsTo.flow.idReaders
	text := strings.Join(readers[:min(len(readers), mostReaders)], ", ")
	if len(readers) > mostReaders {
		text += fmt.Sprintf(" and %d more", len(readers)-mostReaders)
	}
	r.m.noteChangedMeaning(r.it.file.place(at, r.it.title(), "An ID became the name, since what it goes to wants names. "+
		"It also goes to "+text+", where the ID was and the name is now."))
}

const mostReaders = 5 // that a remark lists

// bucketIDPattern is what B2's IDs of buckets look like.
var bucketIDPattern = regexp.MustCompile(`^[0-9a-f]{24}$`)

// noteLiteralIDs notes IDs of buckets that are written out where names are wanted.
func (r *rewriter) noteLiteralIDs(e hclsyntax.Expression, of *item) {
	v, constant := nonNullLiteral(e)
	if !constant || r.m.recording || !of.flow.toLink {
		return
	}
	if remark := r.m.literalIDRemark(v); remark != "" {
		r.m.noteChangedMeaning(r.it.file.place(e.Range(), r.it.title(), remark))
	}
}

// literalIDRemark is what is to be said of a value that goes to links; "": it holds no bucket's ID.
func (m *migration) literalIDRemark(v cty.Value) (remark string) {
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) { // it returns no error
		if v.IsNull() || !v.IsKnown() || v.Type() != cty.String || remark != "" {
			return true, nil
		}
		if name := m.state.findBucketName(v.AsString()); name != "" {
			remark = "It holds the ID of a bucket, and goes to where names are wanted. Write " + quoted(name) + "."
		} else if bucketIDPattern.MatchString(v.AsString()) {
			remark = "It seems to hold the ID of a bucket, and goes to where names are wanted. Write the bucket's name."
		}
		return true, nil
	})
	return remark
}
