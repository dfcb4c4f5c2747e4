package schema

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A cachedReferenceList is what an argument that names whole resources came to. Most keys name one of few
// buckets, and going through the object of each takes longer than all else of a block.
type cachedReferenceList struct {
	value cty.Value
	marks []cty.ValueMarks
}

type cachedReferenceListKey struct {
	module   *module
	attr     *kind.Attr
	listText string
}

// referenceListCacheKey is the text of a list of references to single resources; "": it is something else.
func referenceListCacheKey(e hcl.Expression, kinds map[string]*kind.Kind) string {
	list, ok := e.(*hclsyntax.TupleConsExpr)
	if !ok {
		return ""
	}
	text := ""
	for _, item := range list.Exprs {
		ref, ok := item.(*hclsyntax.ScopeTraversalExpr)
		if !ok || len(ref.Traversal) != 2 || kinds[ref.Traversal.RootName()] == nil {
			return ""
		}
		text += ref.Traversal.RootName() + "." + addr.RootOrAttrName(ref.Traversal[1]) + " "
	}
	return text
}

// linkListKey is a list of names of other objects, as one text.
type linkListKey struct {
	attr        *kind.Attr
	joinedNames string
}

// internLinkList gives one pointer for all equal lists of names of other objects: most
// objects of a block refer to few, and what equal pointers lead to is worked out
// once.
func (e *instanceEvaluation) internLinkList(a *kind.Attr, v *cty.Value) *cty.Value {
	if a.Link.RefKind == "" || !v.Type().IsListType() || !v.IsWhollyKnown() || v.IsNull() {
		return v
	}
	var key strings.Builder
	for it := v.ElementIterator(); it.Next(); {
		_, name := it.Element()
		if name.IsNull() {
			return v
		}
		key.WriteString(name.AsString() + "\x00")
	}
	at := linkListKey{a, key.String()}
	if known := e.internedLinkLists[at]; known != nil {
		return known
	}
	e.internedLinkLists[at] = v
	return v
}

// reuseLastEqualText gives the pointer of the block or instance before where the text is the same.
func (e *instanceEvaluation) reuseLastEqualText(arg *argument, v *cty.Value) *cty.Value {
	if v.Type() != cty.String || v.IsMarked() {
		return v
	}
	if last := e.lastTexts[arg.attrIndex]; last != nil && last.RawEquals(*v) {
		return last
	}
	e.lastTexts[arg.attrIndex] = v
	return v
}
