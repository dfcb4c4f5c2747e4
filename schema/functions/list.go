package functions

import (
	"errors"
	"slices"
	"strconv"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"b2form/schema/kind"
)

// listFunctions are Terraform's functions on collections that no library has,
// or has under that name with other arguments.
func listFunctions() map[string]function.Function {
	return map[string]function.Function{
		"alltrue":   partlyKnownFunction(cty.Bool, allOrAny(true), param("list", cty.List(cty.Bool))),
		"anytrue":   partlyKnownFunction(cty.Bool, allOrAny(false), param("list", cty.List(cty.Bool))),
		"distinct":  distinctFunction(),
		"index":     whollyKnownFunction(cty.Number, index, param("list", cty.DynamicPseudoType), param("value", cty.DynamicPseudoType)),
		"length":    lengthFunction(),
		"lookup":    lookupFunction(),
		"matchkeys": matchkeysFunction(),
		"one":       oneFunction(),
		"sum":       whollyKnownFunction(cty.Number, sum, param("list", cty.DynamicPseudoType)),
		"transpose": whollyKnownFunction(cty.Map(cty.List(cty.String)), transpose, param("map", cty.Map(cty.List(cty.String)))),
	}
}

// allOrAny is alltrue where all is set and anytrue otherwise: the answer is all
// unless an element says otherwise, whatever the unknown ones are.
func allOrAny(all bool) func([]cty.Value) (cty.Value, error) {
	return func(args []cty.Value) (cty.Value, error) {
		answer := cty.BoolVal(all)
		for it := args[0].ElementIterator(); it.Next(); {
			_, v := it.Element()
			switch {
			case !v.IsKnown():
				answer = cty.UnknownVal(cty.Bool)
			case !v.IsNull() && v.True() != all || v.IsNull() && all:
				return cty.BoolVal(!all), nil
			}
		}
		return answer, nil
	}
}

// distinctFunction takes linear time for texts, where that of the library compares each with all others.
func distinctFunction() function.Function {
	general := stdlib.DistinctFunc
	return function.New(&function.Spec{Description: general.Description(), Params: general.Params(),
		Type: general.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if list := args[0]; !list.Type().Equals(cty.List(cty.String)) || !list.IsWhollyKnown() || list.LengthInt() == 0 {
				return general.Call(args)
			}
			seen := map[cty.Value]bool{}
			var out []cty.Value
			for it := args[0].ElementIterator(); it.Next(); {
				if _, text := it.Element(); !seen[text] {
					seen[text] = true
					out = append(out, text)
				}
			}
			return cty.ListVal(out), nil
		}})
}

func index(args []cty.Value) (cty.Value, error) {
	list := args[0]
	if t := list.Type(); !t.IsListType() && !t.IsTupleType() {
		return cty.NilVal, function.NewArgErrorf(0, "a list is needed")
	}
	for it := list.ElementIterator(); it.Next(); {
		at, v := it.Element()
		if eq := v.Equals(args[1]); eq.IsKnown() && eq.True() {
			return at, nil
		}
	}
	return cty.NilVal, errors.New("the list has no such element")
}

func sum(args []cty.Value) (cty.Value, error) {
	if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
		return cty.NilVal, function.NewArgErrorf(0, "a list of numbers is needed")
	}
	if args[0].LengthInt() == 0 {
		return cty.NilVal, function.NewArgErrorf(0, "an empty list has no sum")
	}
	total := cty.Zero
	infinite := 0 // the sign of the infinite ones
	for it := args[0].ElementIterator(); it.Next(); {
		_, v := it.Element()
		n, err := convert.Convert(v, cty.Number)
		if err != nil || n.IsNull() {
			return cty.NilVal, function.NewArgErrorf(0, "a list of numbers is needed")
		}
		if f := n.AsBigFloat(); f.IsInf() {
			if f.Sign() == -infinite {
				return cty.NilVal, function.NewArgErrorf(0, "numbers that are endless in both directions have no sum")
			}
			infinite = f.Sign()
		}
		total = total.Add(n)
	}
	return total, nil
}

// transpose turns {a = [x, y]} into {x = [a], y = [a]}.
func transpose(args []cty.Value) (cty.Value, error) {
	found := map[string][]cty.Value{}
	for it := args[0].ElementIterator(); it.Next(); {
		key, list := it.Element()
		if err := checkNotNull(list, 0, "a list in the map"); err != nil {
			return cty.NilVal, err
		}
		for e := list.ElementIterator(); e.Next(); {
			_, v := e.Element()
			if err := checkNotNull(v, 0, "an element"); err != nil {
				return cty.NilVal, err
			}
			found[v.AsString()] = append(found[v.AsString()], key)
		}
	}
	if len(found) == 0 {
		return cty.MapValEmpty(cty.List(cty.String)), nil
	}
	out := make(map[string]cty.Value, len(found))
	for key, list := range found {
		out[key] = cty.ListVal(list)
	}
	return cty.MapVal(out), nil
}

// dynamicParam describes a parameter of any type that keeps its marks.
func dynamicParam(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType, AllowMarked: true, AllowDynamicType: true}
}

// lengthFunction counts characters too, which the library keeps apart.
func lengthFunction() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowMarked: true, AllowDynamicType: true,
			AllowUnknown: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if t == cty.String || t == cty.DynamicPseudoType || t.IsTupleType() || t.IsObjectType() || t.IsCollectionType() {
				return cty.Number, nil
			}
			return cty.NilType, function.NewArgErrorf(0, "a string, list, set, map or object is needed")
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, marks := args[0].Unmark()
			switch t := v.Type(); {
			case t == cty.DynamicPseudoType || t == cty.String && !v.IsKnown():
				return cty.UnknownVal(cty.Number).WithMarks(marks), nil
			case t == cty.String:
				n, err := stdlib.Strlen(v)
				return n.WithMarks(marks), err
			case t.IsObjectType():
				return cty.NumberIntVal(int64(len(t.AttributeTypes()))).WithMarks(marks), nil
			}
			return v.Length().WithMarks(marks), nil
		},
	})
}

// lookupFunction has a default that may be left out, and may be null.
func lookupFunction() function.Function {
	rest := dynamicParam("default")
	rest.AllowNull, rest.AllowUnknown = true, true
	return function.New(&function.Spec{
		Params:   []function.Parameter{dynamicParam("map"), {Name: "key", Type: cty.String, AllowMarked: true}},
		VarParam: &rest,
		Type:     lookupType,
		Impl:     lookupValue,
	})
}

func lookupType(args []cty.Value) (cty.Type, error) {
	m, _ := args[0].Unmark()
	key, marks := args[1].Unmark()
	t, hasDefault := m.Type(), len(args) == 3
	switch {
	case len(args) > 3:
		return cty.NilType, errors.New("lookup takes a map, a key and perhaps a default")
	case t == cty.DynamicPseudoType:
		return t, nil
	case t.IsMapType() && hasDefault:
		if _, err := convert.Convert(args[2], t.ElementType()); err != nil {
			return cty.NilType, function.NewArgErrorf(2, "the default must be of the type of the map's elements: %s",
				t.ElementType().FriendlyName())
		}
		return t.ElementType(), nil
	case t.IsMapType():
		return t.ElementType(), nil
	case !t.IsObjectType():
		return cty.NilType, function.NewArgErrorf(0, "a map or object is needed")
	case !key.IsKnown():
		return cty.DynamicPseudoType, nil
	case t.HasAttribute(key.AsString()):
		return t.AttributeType(key.AsString()), nil
	case hasDefault:
		return args[2].Type(), nil
	}
	return cty.NilType, noElementError(key, marks)
}

func lookupValue(args []cty.Value, result cty.Type) (cty.Value, error) {
	m, marks := args[0].Unmark()
	key, keyMarks := args[1].Unmark()
	v := cty.UnknownVal(result)
	switch t := m.Type(); {
	case !m.IsKnown() || !key.IsKnown():
	case t.IsObjectType() && t.HasAttribute(key.AsString()):
		v = m.GetAttr(key.AsString())
	case t.IsMapType() && m.HasIndex(key).True():
		v = m.Index(key)
	case len(args) == 3:
		v, _ = convert.Convert(args[2], result) // its type was judged already
	default:
		return cty.NilVal, noElementError(key, keyMarks)
	}
	return v.WithMarks(marks, keyMarks), nil
}

func noElementError(key cty.Value, marks cty.ValueMarks) error {
	name := strconv.Quote(key.AsString())
	if marks.Has(kind.Sensitive) {
		name = "with this sensitive key"
	}
	return function.NewArgErrorf(1, "there is no element %s and no default", name)
}

// oneFunction turns a list of at most one element into that element or null.
func oneFunction() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{dynamicParam("list")},
		Type: func(args []cty.Value) (cty.Type, error) {
			v, _ := args[0].Unmark()
			switch t := v.Type(); {
			case t == cty.DynamicPseudoType:
				return t, nil
			case t.IsListType() || t.IsSetType():
				return t.ElementType(), nil
			case t.IsTupleType() && t.Length() == 0:
				return cty.DynamicPseudoType, nil
			case t.IsTupleType() && t.Length() == 1:
				return t.TupleElementType(0), nil
			case t.IsTupleType():
				return cty.NilType, function.NewArgErrorf(0, "a list of at most one element is needed; this has %d", t.Length())
			}
			return cty.NilType, function.NewArgErrorf(0, "a list, set or tuple is needed")
		},
		Impl: func(args []cty.Value, result cty.Type) (cty.Value, error) {
			v, marks := args[0].Unmark()
			if !v.IsKnown() || !v.Length().IsKnown() {
				return cty.UnknownVal(result).WithMarks(marks), nil
			}
			switch n := v.LengthInt(); n {
			case 0:
				return cty.NullVal(result).WithMarks(marks), nil
			case 1:
				return v.AsValueSlice()[0].WithMarks(marks), nil
			default:
				return cty.NilVal, function.NewArgErrorf(0, "a list of at most one element is needed; this has %d", n)
			}
		},
	})
}

// matchkeysFunction picks the values whose key at the same place is wanted.
func matchkeysFunction() function.Function {
	list := func(name string) function.Parameter {
		return function.Parameter{Name: name, Type: cty.List(cty.DynamicPseudoType)}
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{list("values"), list("keys"), list("wanted")},
		Type: func(args []cty.Value) (cty.Type, error) {
			if t, _ := convert.UnifyUnsafe([]cty.Type{args[1].Type(), args[2].Type()}); t == cty.NilType {
				return cty.NilType, function.NewArgErrorf(2, "the wanted keys must be of the type of the keys")
			}
			return args[0].Type(), nil
		},
		Impl: func(args []cty.Value, result cty.Type) (cty.Value, error) {
			values, keys, wanted := args[0], args[1], args[2]
			if !keys.IsWhollyKnown() || !wanted.IsWhollyKnown() || !values.IsKnown() {
				return cty.UnknownVal(result), nil
			}
			t, _ := convert.UnifyUnsafe([]cty.Type{keys.Type(), wanted.Type()})
			keys, keysErr := convert.Convert(keys, t)
			wanted, wantedErr := convert.Convert(wanted, t)
			if keysErr != nil || wantedErr != nil {
				return cty.NilVal, function.NewArgErrorf(2, "the wanted keys must be of the type of the keys")
			}
			if values.LengthInt() != keys.LengthInt() {
				return cty.NilVal, errors.New("the lists of values and keys must have the same length")
			}
			var out []cty.Value
			all := values.AsValueSlice()
			for i, key := range keys.AsValueSlice() {
				same := func(w cty.Value) bool { eq := key.Equals(w); return eq.IsKnown() && eq.True() }
				if slices.ContainsFunc(wanted.AsValueSlice(), same) {
					out = append(out, all[i])
				}
			}
			if len(out) == 0 {
				return cty.ListValEmpty(result.ElementType()), nil
			}
			return cty.ListVal(out), nil
		},
	})
}
