package terraform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
)

// A stateObject is an object of the state that an item declares.
type stateObject struct {
	of       *item
	recorded addr.StateEntry
	instance *stateInstance
}

// objectsOfItems are the objects of the state whose items are carried over.
func (m *migration) objectsOfItems() (list []stateObject) {
	if m.state == nil {
		return nil
	}
	for _, r := range m.state.Resources {
		k := m.byType[r.Type]
		if k == nil || r.Mode != "managed" {
			continue
		}
		for _, i := range r.Instances {
			a, it, why := m.b2formAddress(r, i)
			if e, complete := m.entry(k, a, i); why == "" && complete {
				list = append(list, stateObject{it, e, i})
			}
		}
	}
	return list
}

// leaveTwins leaves items that declare one object in b2form's eyes: several versions of a file are one file here.
func (m *migration) leaveTwins(objects []stateObject) {
	type declaration struct {
		it *item
		at addr.Addr
	}
	byObject := map[string]declaration{}
	compare := func(object string, it *item, at addr.Addr) {
		now, before := declaration{it, at}, byObject[object]
		byObject[object] = now
		twin := before.it
		if twin == nil || before == now { // or a state that has it twice
			return
		}
		for _, pair := range [][2]*item{{it, twin}, {twin, it}} {
			pair[0].markNotCarriedOver(fmt.Sprintf("It is the same %s as %s: several versions of one are one block here, with "+
				"what the newest holds. Leave the block of the newest, let Terraform forget the others by \"terraform state rm\", and run "+
				"this again.", it.kind.Name, pair[1].title()))
		}
	}
	for _, o := range objects {
		if o.of.holdsContent() {
			compare(o.recorded.ID, o.of, o.recorded.Addr)
		}
	}
	for _, mod := range m.calleesFirst {
		for _, it := range mod.items {
			if it.holdsContent() && it.fate == carried && !isRepeated(it) {
				compare(mod.dir+" "+it.writtenValue("bucket_id", 0)+" "+it.writtenValue("file_name", 0), it, addr.Addr{})
			}
		}
	}
}

// holdsContent reports whether an item declares what a local file holds.
func (it *item) holdsContent() bool {
	return it.kind != nil && it.kind.Content != nil && it.block.Type == "resource"
}

// writtenValue is an attribute of a file as it is written, where it is that of another file as written there.
func (it *item) writtenValue(name string, depth int) string {
	a := it.block.Body.Attributes[name]
	if a == nil {
		return ""
	}
	if e, direct := a.Expr.(*hclsyntax.ScopeTraversalExpr); direct && len(e.Traversal) == 3 && depth < maxDepth {
		to, last := it.module.findReferencedItem(e.Traversal), addr.RootOrAttrName(e.Traversal[2])
		switch {
		case to == nil:
		case to.holdsContent() && last == name:
			return to.writtenValue(name, depth+1)
		case last == "id":
			return to.referenceName + "." + name
		}
	}
	return it.file.nativeTextAt(a.Expr.Range())
}

// checkSources leaves items whose files are not there, and notes content that changed since it was uploaded: Terraform looks
// at neither after that.
func (m *migration) checkSources(objects []stateObject) {
	for _, mod := range m.calleesFirst {
		for _, it := range mod.items {
			if !it.holdsContent() || it.fate != carried {
				continue
			}
			constant := it.constantSource()
			known := slices.DeleteFunc(slices.Clone(objects), func(o stateObject) bool { return o.of != it })
			if len(known) == 0 && constant != "" {
				m.checkSource(it, constant, "")
			}
			for _, o := range known {
				source := constant
				if source == "" {
					source = o.instance.text(it.kind.Content.SourceAttr)
				}
				m.checkSource(it, source, o.instance.text(terraformName(it.kind.FindAttr(it.kind.Content.SHA1Attr))))
			}
		}
	}
}

const sha1Digits = 40 // in hexadecimal; of a large file the state has none

func (m *migration) checkSource(it *item, source, uploadedSHA1 string) {
	now, err := m.SHA1OfFile(it.module.dir, source)
	switch {
	case it.fate != carried:
	case err != nil:
		it.markNotCarriedOver(fmt.Sprintf("b2form compares what its source holds, and %s. Put it there, and run this "+
			"again.", err))
	case len(uploadedSHA1) == sha1Digits && !strings.EqualFold(now, uploadedSHA1):
		m.result.UploadsChangedFiles = true
		m.result.ChangedMeaning = append(m.result.ChangedMeaning, it.place(fmt.Sprintf("What is in %q has changed since Terraform "+
			"uploaded it. Terraform does not look at that; b2form uploads it.", source)))
	}
}

// constantSource is the path of an item's file where it needs nothing but the folders to be known; "": it needs more.
func (it *item) constantSource() string {
	a := it.block.Body.Attributes[it.kind.Content.SourceAttr]
	if a == nil {
		return ""
	}
	v, diags := a.Expr.Value(&hcl.EvalContext{Variables: map[string]cty.Value{"path": cty.ObjectVal(map[string]cty.Value{
		"module": cty.StringVal(it.module.dir), "root": cty.StringVal(".")})}})
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}
