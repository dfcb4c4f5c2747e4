package b2form_test

import (
	"go/ast"
	"go/token"
	"go/types"
)

// checkPackageVariables finds what changes a package variable, of this package or of
// another one: assignments to it or to what it leads to (a field, an element, what a
// pointer points at), built-in functions that write, and calls that are given its
// address. It follows local variables that are defined as a map, slice or pointer out
// of a package variable, but not what calls do with them.
func checkPackageVariables(s *source) []finding {
	w := writes{s, map[types.Object]*types.Var{}}
	return s.inspect(func(n ast.Node) []finding {
		w.follow(n)
		var found []finding
		for _, e := range w.written(n) {
			if v := w.variable(e); v != nil && !w.isOther(e) {
				found = append(found, s.finding(n, "the package variable %s is changed", v.Name()))
			}
		}
		return found
	})
}

type writes struct {
	*source
	// behind tells which package variable a local one was made of.
	behind map[types.Object]*types.Var
}

// written lists what a node writes to, as far as that shows.
func (w *writes) written(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.CallExpr:
		return w.writtenByCall(n)
	case *ast.SelectorExpr:
		// A method of the pointer, called on the variable.
		if m := w.info.Selections[n]; m != nil && m.Kind() == types.MethodVal && !m.Indirect() {
			if _, ok := m.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer); ok {
				return []ast.Expr{n.X}
			}
		}
	}
	return nil
}

func (w *writes) writtenByCall(call *ast.CallExpr) []ast.Expr {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := w.info.Uses[id].(*types.Builtin); ok {
			n := b.Name()
			if n == "delete" || n == "clear" || n == "copy" || n == "append" && isPart(call.Args[0]) {
				// The elements, whatever the variable that leads to them is.
				return []ast.Expr{&ast.StarExpr{X: call.Args[0]}}
			}
			return nil
		}
	}
	var given []ast.Expr
	for _, arg := range call.Args {
		if u, ok := ast.Unparen(arg).(*ast.UnaryExpr); ok && u.Op == token.AND {
			given = append(given, u.X)
		}
	}
	return given
}

// isPart reports whether what is appended to e may overwrite what stands behind it.
func isPart(e ast.Expr) bool {
	_, ok := ast.Unparen(e).(*ast.SliceExpr)
	return ok
}

// variable is the package variable that e is, lies in or is reached through; nil:
// none.
func (w *writes) variable(e ast.Expr) *types.Var {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			v, ok := w.info.Uses[x].(*types.Var)
			if !ok {
				return nil
			}
			if v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
				return v
			}
			return w.behind[v]
		case *ast.SelectorExpr:
			if w.info.Selections[x] == nil { // of a package
				e = x.Sel
			} else {
				e = x.X
			}
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.TypeAssertExpr:
			e = x.X
		case *ast.UnaryExpr:
			if x.Op != token.AND {
				return nil
			}
			e = x.X
		default:
			return nil
		}
	}
}

// isOther reports whether e is a local variable itself, which another value does not
// hurt.
func (w *writes) isOther(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && w.behind[w.info.Uses[id]] != nil
}

// follow remembers local variables through which package variables change.
func (w *writes) follow(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE && len(n.Lhs) == len(n.Rhs) {
			for i := range n.Lhs {
				w.remember(n.Lhs[i], n.Rhs[i])
			}
		}
	case *ast.ValueSpec:
		if len(n.Names) == len(n.Values) {
			for i := range n.Names {
				w.remember(n.Names[i], n.Values[i])
			}
		}
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE && n.Value != nil {
			w.remember(n.Value, n.X)
		}
	}
}

func (w *writes) remember(local, from ast.Expr) {
	id, ok := local.(*ast.Ident)
	if !ok {
		return
	}
	v, ok := w.info.Defs[id].(*types.Var)
	if !ok || v.Parent() == w.pkg.Scope() {
		return
	}
	switch v.Type().Underlying().(type) {
	case *types.Map, *types.Slice, *types.Pointer:
		if behind := w.variable(from); behind != nil {
			w.behind[v] = behind
		}
	}
}
