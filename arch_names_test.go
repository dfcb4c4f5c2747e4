package b2form_test

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"b2form/schema"
	"b2form/schema/kind"
)

// genericPackages know no kind: what differs between kinds stands in descriptors.
var genericPackages = []string{"plan", "apply", "internal/account", "schema/kind"}

// byChance lists what is written there as the name of something else.
var byChance = map[string][]string{
	"schema/kind": {"value"}, // member of the wrapper around what B2 hides
}

// checkKindNames finds where code that is about every kind looks for one by its name,
// or for one of its attributes.
func checkKindNames(s *source) []finding {
	if !slices.Contains(genericPackages, s.name) {
		return nil
	}
	names := namesOf(schema.Kinds())
	return s.inspect(func(n ast.Node) []finding {
		var found []finding
		for _, e := range lookedFor(n) {
			text, ok := s.plainText(e)
			if ok && names[text] && !slices.Contains(byChance[s.name], text) {
				found = append(found, s.finding(e, "%q names a kind or an attribute; ask the descriptor", text))
			}
		}
		return found
	})
}

// plainText is the text that a constant has. One with a type of its own, as an action
// "create" has, is no name of anything else.
func (s *source) plainText(e ast.Expr) (text string, ok bool) {
	c := s.info.Types[e]
	basic, ok := c.Type.(*types.Basic)
	if !ok || c.Value == nil || basic.Info()&types.IsString == 0 {
		return "", false
	}
	return constant.StringVal(c.Value), true
}

// namesOf lists the names of kinds, and of attributes at whatever depth.
func namesOf(kinds []*kind.Kind) map[string]bool {
	names := map[string]bool{}
	var add func([]kind.Attr)
	add = func(attrs []kind.Attr) {
		for _, a := range attrs {
			names[a.Name] = true
			add(a.Object)
		}
	}
	for _, k := range kinds {
		names[k.Name], names[k.Plural] = true, true
		add(k.Attrs)
	}
	return names
}

// lookedFor lists what a node compares with, or looks up by.
func lookedFor(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			return []ast.Expr{n.X, n.Y}
		}
	case *ast.CaseClause:
		return n.List
	case *ast.IndexExpr:
		return []ast.Expr{n.Index}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "GetAttr" || f.Sel.Name == "Attr") {
			return n.Args
		}
	}
	return nil
}

// What the package kind, through which everything goes, may come to.
const (
	maxKindExports = 130
	maxKindFields  = 24
	maxAttrFields  = 26
)

// checkKindExports counts what a reader of the package kind has to know.
func checkKindExports(s *source) []finding {
	if s.name != "schema/kind" {
		return nil
	}
	var found []finding
	at := s.files[0]
	if names := exports(s.pkg); len(names) > maxKindExports {
		found = append(found, s.finding(at, "%d names are exported; the limit is %d", len(names), maxKindExports))
	}
	for name, limit := range map[string]int{"Kind": maxKindFields, "Attr": maxAttrFields} {
		t, ok := s.pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			found = append(found, s.finding(at, "there is no type %s", name))
			continue
		}
		if n := t.Type().Underlying().(*types.Struct).NumFields(); n > limit {
			found = append(found, s.finding(at, "%s has %d fields; the limit is %d", name, n, limit))
		}
	}
	return found
}

// exports lists the exported names of a package: constants, variables, functions,
// types, and methods as Type.Method, also those of interfaces.
func exports(p *types.Package) []string {
	var names []string
	for _, name := range p.Scope().Names() {
		o := p.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		names = append(names, name)
		t, ok := o.(*types.TypeName)
		if !ok || t.IsAlias() {
			continue
		}
		for _, m := range methods(t.Type().(*types.Named)) {
			if m.Exported() {
				names = append(names, name+"."+m.Name())
			}
		}
	}
	return names
}

func methods(t *types.Named) []*types.Func {
	all := slices.Collect(t.Methods())
	if i, ok := t.Underlying().(*types.Interface); ok {
		all = slices.AppendSeq(all, i.ExplicitMethods())
	}
	return all
}

// checkRetired finds declarations that bring a name back that was given up for
// another one.
func checkRetired(s *source) []finding {
	given := retired()[s.name]
	var found []finding
	for _, old := range slices.Sorted(maps.Keys(given)) {
		if o := declared(s.pkg, old); o != nil {
			at := finding{Position: s.fset.Position(o.Pos())}
			at.text = old + " is a retired name; it is " + given[old] + " now"
			found = append(found, at)
		}
	}
	return found
}

// declared finds a name, or a field or method as Type.Name, in a package; nil: it is
// not there.
func declared(p *types.Package, name string) types.Object {
	name, member, isMember := strings.Cut(name, ".")
	o := p.Scope().Lookup(name)
	if !isMember || o == nil {
		return o
	}
	named, ok := o.Type().(*types.Named)
	if !ok {
		return nil
	}
	for _, m := range methods(named) {
		if m.Name() == member {
			return m
		}
	}
	if fields, ok := named.Underlying().(*types.Struct); ok {
		for f := range fields.Fields() {
			if f.Name() == member {
				return f
			}
		}
	}
	return nil
}
