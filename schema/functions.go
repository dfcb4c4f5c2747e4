package schema

import (
	"errors"
	"fmt"
	"maps"

	"github.com/hashicorp/go-cty-funcs/cidr"
	"github.com/hashicorp/go-cty-funcs/collection"
	"github.com/hashicorp/go-cty-funcs/encoding"
	"github.com/hashicorp/go-cty-funcs/uuid"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"b2form/schema/bucket"
)

// rootContext holds what every expression of the module in dir may use:
// functions and path.*. Paths are relative to the configuration's folder, as
// those given to functions are.
func rootContext(o Options, dir string) *hcl.EvalContext {
	all := functions(folder{o.Dir, dir, o.Cwd})
	for name, f := range maps.Clone(all) {
		all["core::"+name] = f // Terraform's way to say that no provider's function is meant
	}
	maps.Copy(all, otherwiseFunctions())
	return &hcl.EvalContext{
		Functions: all,
		Variables: map[string]cty.Value{"path": cty.ObjectVal(map[string]cty.Value{
			"module": cty.StringVal(modulePath(o, dir)),
			"root":   cty.StringVal("."),
			"cwd":    cty.StringVal(o.Cwd),
		})},
	}
}

// Functions is the library: Terraform's functions by their names, without those
// that read the clock, the machine or random numbers, and the presets for
// lifecycle and CORS rules. File functions read below dir and nowhere else; cwd is what a
// relative dir is relative to.
func Functions(dir, cwd string) map[string]function.Function {
	return functions(folder{dir, dir, cwd})
}

func functions(d folder) map[string]function.Function {
	all := map[string]function.Function{}
	for _, part := range []map[string]function.Function{
		libraryFunctions(), setFunctions(), textFunctions(), hashFunctions(), encodingFunctions(), listFunctions(), markFunctions(),
		presets(), corsPresets(), impureFunctions(),
	} {
		maps.Copy(all, part)
	}
	maps.Copy(all, fileFunctions(d))
	maps.Copy(all, templateFunctions(d, maps.Clone(all)))
	return all
}

// libraryFunctions are taken as they are from the libraries of HCL and cty.
func libraryFunctions() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
		"join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
		"split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc,
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,
		"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,

		"chunklist": stdlib.ChunklistFunc, "coalesce": collection.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc,
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc, "merge": stdlib.MergeFunc,
		"range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"yamldecode": yaml.YAMLDecodeFunc, "yamlencode": yaml.YAMLEncodeFunc,
		"base64decode": encoding.Base64DecodeFunc, "base64encode": encoding.Base64EncodeFunc, "urlencode": encoding.URLEncodeFunc,
		"uuidv5": uuid.V5Func,

		"cidrhost": cidr.HostFunc, "cidrnetmask": cidr.NetmaskFunc, "cidrsubnet": cidr.SubnetFunc, "cidrsubnets": cidr.SubnetsFunc,

		"try": tryfunc.TryFunc, "can": tryfunc.CanFunc,
		"tobool": stdlib.MakeToFunc(cty.Bool), "tonumber": stdlib.MakeToFunc(cty.Number), "tostring": stdlib.MakeToFunc(cty.String),
		"tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), "tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	}
}

func setFunctions() map[string]function.Function {
	return map[string]function.Function{
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      stdlib.SetProductFunc,
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
	}
}

// otherwiseFunctions are functions of Terraform's that it has given up, or has in its
// console only.
func otherwiseFunctions() map[string]function.Function {
	return map[string]function.Function{
		"list": refused("b2form has no list(), nor has Terraform any more: write [1, 2], or tolist([1, 2])"),
		"map":  refused("b2form has no map(), nor has Terraform any more: write { a = 1 }, or tomap({ a = 1 })"),
		"type": refused("type() is there in b2form console only"),
	}
}

// impureFunctions say why they are not there: what they return differs from
// run to run, so no plan that uses them would ever be empty.
func impureFunctions() map[string]function.Function {
	out := map[string]function.Function{}
	for _, name := range ImpureFunctions() {
		out[name] = refused(fmt.Sprintf("b2form has no %s(): a plan must come out the same on every run and machine; give such a value as a variable", name))
	}
	return out
}

func refused(why string) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "arguments", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
		Type:     func([]cty.Value) (cty.Type, error) { return cty.NilType, errors.New(why) },
		Impl:     func([]cty.Value, cty.Type) (cty.Value, error) { return cty.DynamicVal, nil },
	})
}

// ImpureFunctions lists the functions of Terraform's that are refused with a
// reason.
func ImpureFunctions() []string {
	return []string{"timestamp", "plantimestamp", "uuid", "bcrypt", "abspath", "pathexpand"}
}

// pure is a function of wholly known, non-null values with a fixed result type.
func pure(result cty.Type, impl func(args []cty.Value) (cty.Value, error), params ...function.Parameter) function.Function {
	spec := &function.Spec{Type: function.StaticReturnType(result), Params: params}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		for _, a := range args {
			if !a.IsWhollyKnown() {
				return cty.UnknownVal(result), nil
			}
		}
		return impl(args)
	}
	return function.New(spec)
}

// takes is a parameter of a function; name as in its signature in docs().
func takes(name string, t cty.Type) function.Parameter {
	return function.Parameter{Name: name, Type: t}
}

// presets are the web console's three choices of a lifecycle ("Lifecycle Rules"
// in the B2 documentation), as lists to be used alone or in concat().
func presets() map[string]function.Function {
	rule := map[string]cty.Type{
		"file_name_prefix":                                       cty.String,
		"days_from_uploading_to_hiding":                          cty.Number,
		"days_from_hiding_to_deleting":                           cty.Number,
		"days_from_starting_to_canceling_unfinished_large_files": cty.Number,
	}
	list := cty.List(cty.Object(rule))
	keep := func(days cty.Value) cty.Value {
		members := make(map[string]cty.Value, len(rule))
		for name, t := range rule {
			members[name] = cty.NullVal(t)
		}
		members["file_name_prefix"], members["days_from_hiding_to_deleting"] = cty.StringVal(""), days
		return cty.ListVal([]cty.Value{cty.ObjectVal(members)})
	}
	return map[string]function.Function{
		"keep_only_last_version": pure(list, func([]cty.Value) (cty.Value, error) { return keep(cty.NumberIntVal(1)), nil }),
		"keep_all_versions":      pure(list, func([]cty.Value) (cty.Value, error) { return cty.ListValEmpty(list.ElementType()), nil }),
		"keep_prior_versions": pure(list, func(args []cty.Value) (cty.Value, error) {
			if f := args[0].AsBigFloat(); !f.IsInt() || f.Sign() < 1 {
				return cty.NilVal, function.NewArgErrorf(0, "a whole number of days of at least 1 is needed; to keep only the last version use keep_only_last_version()")
			}
			return keep(args[0]), nil
		}, takes("days", cty.Number)),
	}
}

// corsPresets are what web pages need for downloads and for uploads, as lists to
// be used alone or in concat().
func corsPresets() map[string]function.Function {
	preset := func(rules func(origins cty.Value) cty.Value) function.Function {
		return pure(bucket.CORSType(), func(args []cty.Value) (cty.Value, error) {
			if args[0].LengthInt() == 0 {
				return cty.NilVal, function.NewArgErrorf(0, `at least one origin is needed, such as "https://www.example.com", "https" or "*"`)
			}
			return rules(args[0]), nil
		}, takes("origins", cty.List(cty.String)))
	}
	return map[string]function.Function{
		"cors_for_downloads":       preset(bucket.CORSForDownloads),
		"cors_for_browser_uploads": preset(bucket.CORSForBrowserUploads),
	}
}
