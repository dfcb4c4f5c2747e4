// Package functions is what expressions may call: Terraform's functions without
// those that read the clock, the machine or random numbers, and b2form's own.
package functions

import (
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/hashicorp/go-cty-funcs/collection"
	"github.com/hashicorp/go-cty-funcs/encoding"
	"github.com/hashicorp/go-cty-funcs/uuid"
	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"b2form/schema/folder"
	"b2form/schema/parse"
)

// All is every function by the names that expressions call it by: Terraform's
// functions, with core:: before their names too, and the presets for lifecycle
// and CORS rules. Those that ImpureNames lists, and list, map, type and ephemeralasnull,
// return an error that says what to write instead. What reads files reads below the folder.
func All(d folder.Folder, b *parse.Budget) map[string]function.Function {
	return withTemplateAndRemovedFunctions(d, b, coreFunctions(d, b))
}

// ForPolicyDirs is All for policies from elsewhere, to which what a configuration calls sensitive stays so, in templates
// too.
func ForPolicyDirs(d folder.Folder, b *parse.Budget) map[string]function.Function {
	core := coreFunctions(d, b)
	core["nonsensitive"] = refusingFunction("what the configuration calls sensitive stays so in policies")
	maps.Copy(core, tryFunctions(true))
	return withTemplateAndRemovedFunctions(d, b, core)
}

// withTemplateAndRemovedFunctions is every function: core, what renders templates with core, and what Terraform gave up.
func withTemplateAndRemovedFunctions(d folder.Folder, b *parse.Budget, core map[string]function.Function) map[string]function.Function {
	all := withCorePrefixed(core, templateFunctions(d, b, core))
	maps.Copy(all, refusedRemovedFunctions())
	return all
}

// withCorePrefixed is every function of both by its name, and by that with core:: before it, which is Terraform's way
// to say that no provider's function is meant.
func withCorePrefixed(core, more map[string]function.Function) map[string]function.Function {
	all := make(map[string]function.Function, 2*(len(core)+len(more))+moreNames)
	for _, group := range []map[string]function.Function{core, more} {
		for name, f := range group {
			all[name], all["core::"+name] = f, f
		}
	}
	return all
}

// Room in maps, which take long to grow: for all functions that core:: may stand before, and for names that it may not.
const coreNames, moreNames = 130, 10

// coreFunctions is the functions that core:: may stand before, without those that render templates.
func coreFunctions(d folder.Folder, b *parse.Budget) map[string]function.Function {
	core := make(map[string]function.Function, coreNames)
	for _, group := range []map[string]function.Function{
		libraryFunctions(), setFunctions(), textFunctions(), hashFunctions(), encodingFunctions(), networkFunctions(), listFunctions(),
		sensitivityFunctions(), tryFunctions(false), fileFunctions(d),
	} {
		for name, f := range group {
			core[name] = withStepCount(name, f, b)
		}
	}
	for _, group := range []map[string]function.Function{capabilityPresets(), lifecyclePresets(), corsPresets(), refusedImpureFunctions()} {
		maps.Copy(core, group)
	}
	return core
}

const noNumber = "there is no such number, or it has more than 308 digits"

// withErrorForPanicOrInfinity is a function of a library that answers some arguments with a panic, an infinite number or "EOF";
// why is said of them instead.
func withErrorForPanicOrInfinity(f function.Function, why string) function.Function {
	plain := func(err error) error {
		var panicked function.PanicError
		if errors.As(err, &panicked) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New(why)
		}
		return err
	}
	return function.New(&function.Spec{Params: f.Params(), VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			t, err := f.ReturnTypeForValues(args)
			return t, plain(err)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			if err == nil && v.IsKnown() && (v.RawEquals(cty.PositiveInfinity) || v.RawEquals(cty.NegativeInfinity)) {
				err = errors.New(why)
			}
			return v, plain(err)
		},
	})
}

// libraryFunctions are taken as they are from the libraries of HCL and cty.
func libraryFunctions() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": withErrorForPanicOrInfinity(stdlib.LogFunc,
			noNumber),
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc,
		"pow": withErrorForPanicOrInfinity(stdlib.PowFunc, noNumber), "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc,
		"indent": withErrorForPanicOrInfinity(stdlib.IndentFunc, "the number of spaces must not be below 0"),
		"join":   stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
		"split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc,
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,
		"formatdate": stdlib.FormatDateFunc,

		"chunklist": stdlib.ChunklistFunc, "coalesce": collection.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc,
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc,
		"merge": withErrorForPanicOrInfinity(stdlib.MergeFunc, "all arguments must be maps or objects"),
		"range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": withErrorForPanicOrInfinity(stdlib.JSONDecodeFunc,
			"the text ends before its JSON does"),
		"jsonencode": stdlib.JSONEncodeFunc,
		"yamldecode": yamldecodeFunction(), "yamlencode": yaml.YAMLEncodeFunc,
		"base64encode": encoding.Base64EncodeFunc, "urlencode": encoding.URLEncodeFunc,
		"uuidv5": uuid.V5Func,

		"tobool": stdlib.MakeToFunc(cty.Bool), "tonumber": finiteNumber(stdlib.MakeToFunc(cty.Number)),
		"tostring": stdlib.MakeToFunc(cty.String),
		"tolist":   collectionFunction(cty.List(cty.DynamicPseudoType)), "tomap": collectionFunction(cty.Map(cty.DynamicPseudoType)),
		"toset": collectionFunction(cty.Set(cty.DynamicPseudoType)),
	}
}

// finiteNumber refuses the texts that cty takes for infinite numbers, as "inf".
func finiteNumber(toNumber function.Function) function.Function {
	return function.New(&function.Spec{Params: toNumber.Params(), Type: toNumber.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := toNumber.Call(args)
			if n, _ := v.Unmark(); err == nil && n.IsKnown() && !n.IsNull() && n.AsBigFloat().IsInf() {
				return cty.NilVal, function.NewArgErrorf(0, "cannot convert what is infinite to number")
			}
			return v, err
		}})
}

// collectionFunction converts a value to a collection, and leaves marks at the elements that have them.
func collectionFunction(to cty.Type) function.Function {
	plain := stdlib.MakeToFunc(to)
	unmarked := func(args []cty.Value) []cty.Value {
		v, _ := args[0].UnmarkDeep()
		return []cty.Value{v}
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "v", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true, AllowMarked: true, AllowUnknown: true},
		},
		Type: func(args []cty.Value) (cty.Type, error) { return plain.ReturnTypeForValues(unmarked(args)) },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := plain.Call(unmarked(args))
			if err != nil || !args[0].ContainsMarked() {
				return v, err
			}
			return convert.Convert(args[0], to)
		},
	})
}

func setFunctions() map[string]function.Function {
	return map[string]function.Function{
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      stdlib.SetProductFunc,
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
	}
}

// refusedRemovedFunctions are functions of Terraform's that it has given up, or has in its
// console only. They say so.
func refusedRemovedFunctions() map[string]function.Function {
	return map[string]function.Function{
		"list":            refusingFunction("b2form has no list(), nor has Terraform any more: write [1, 2], or tolist([1, 2])"),
		"map":             refusingFunction("b2form has no map(), nor has Terraform any more: write { a = 1 }, or tomap({ a = 1 })"),
		"type":            refusingFunction("type() is there in b2form console only"),
		"ephemeralasnull": refusingFunction("b2form has no ephemeral values: write the value itself"),
	}
}

// refusedImpureFunctions say why they are not there: no plan that uses them would ever be
// empty.
func refusedImpureFunctions() map[string]function.Function {
	out := map[string]function.Function{}
	for _, name := range ImpureNames() {
		out[name] = refusingFunction(fmt.Sprintf("b2form has no %s(): a plan must come out the same on every run and machine; give such "+
			"a value as a variable", name))
	}
	return out
}

func refusingFunction(why string) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "arguments", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true,
			AllowDynamicType: true},
		Type: func([]cty.Value) (cty.Type, error) { return cty.NilType, errors.New(why) },
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return cty.DynamicVal, nil },
	})
}

// ImpureNames lists the functions of Terraform's that are refused since what they
// return differs from run to run or from machine to machine.
func ImpureNames() []string {
	return []string{"timestamp", "plantimestamp", "uuid", "bcrypt", "abspath", "pathexpand"}
}

// whollyKnownFunction is a function of wholly known, non-null values with a fixed result type.
func whollyKnownFunction(result cty.Type, impl func(args []cty.Value) (cty.Value, error), params ...function.Parameter) function.Function {
	return partlyKnownFunction(result, func(args []cty.Value) (cty.Value, error) {
		for _, a := range args {
			if !a.IsWhollyKnown() {
				return cty.UnknownVal(result), nil
			}
		}
		return impl(args)
	}, params...)
}

// partlyKnownFunction is the same of values that are known, but may hold unknown ones.
func partlyKnownFunction(result cty.Type, impl func(args []cty.Value) (cty.Value, error), params ...function.Parameter) function.Function {
	return function.New(&function.Spec{Type: function.StaticReturnType(result), Params: params,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return impl(args) }})
}

// param is a parameter of a function; name as in its signature in docs.txt.
func param(name string, t cty.Type) function.Parameter {
	return function.Parameter{Name: name, Type: t}
}
