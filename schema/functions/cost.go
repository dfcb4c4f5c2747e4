package functions

import (
	"math"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/parse"
)

// spendsNoSteps are functions that go through nothing: they hand on what they are given, or
// evaluate expressions, which are counted by themselves.
func spendsNoSteps(name string) bool {
	switch name {
	case "try", "can", "sensitive", "nonsensitive", "issensitive", "templatefile", "templatestring":
		return true
	}
	return false
}

// withStepCount is a function whose calls spend steps: for what it is given, before it
// runs for what that can grow to, and for what it returns.
func withStepCount(name string, f function.Function, b *parse.Budget) function.Function {
	if spendsNoSteps(name) {
		return f
	}
	passAll := func(p *function.Parameter) {
		p.AllowNull, p.AllowUnknown, p.AllowDynamicType, p.AllowMarked = true, true, true, true
		if p.Type.IsCollectionType() {
			p.Type = cty.DynamicPseudoType
		}
	}
	spec := &function.Spec{Description: f.Description(), Type: function.StaticReturnType(cty.DynamicPseudoType), Params: f.Params(),
		VarParam: f.VarParam()} // both are copies
	for i := range spec.Params {
		passAll(&spec.Params[i])
	}
	if spec.VarParam != nil {
		passAll(spec.VarParam)
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if err := checkNesting(name, args); err != nil {
			return cty.NilVal, err
		}
		b.MustSpendReading(args, name)
		args, err := asCollections(name, f, args)
		if err != nil {
			return cty.NilVal, err
		}
		if n := extraSteps(name, args); n > 0 {
			b.MustSpend(clampStepCount(n), name)
		}
		v, err := f.Call(args)
		if err == nil {
			b.MustSpendValue(v, name)
		}
		return v, err
	}
	return function.New(spec)
}

// asCollections gives lists and maps for tuples and objects with elements of one type, where a
// function takes collections: cty takes quadratic time to find the type of all. A null without a type is refused where
// cty would take it for a value that is not known.
func asCollections(name string, f function.Function, args []cty.Value) ([]cty.Value, error) {
	out := slices.Clone(args)
	for i, v := range args {
		p := f.VarParam()
		if i < len(f.Params()) {
			p = &f.Params()[i]
		}
		var err error
		switch {
		case v.IsNull() && (!p.AllowNull || !p.AllowDynamicType && v.Type() == cty.DynamicPseudoType):
			return nil, function.NewArgErrorf(i, "argument must not be null")
		case name == "tomap":
			out[i] = asCollection(v, true)
		case name == "tolist", name == "toset":
			out[i] = asCollection(v, false)
		case p.Type.IsCollectionType():
			if out[i], err = convert.Convert(asCollection(v, p.Type.IsMapType()), p.Type); err != nil {
				if _, ofTuple := convert.Convert(v, p.Type); ofTuple != nil {
					err = ofTuple // which says what element is meant
				}
				return nil, function.NewArgError(i, err)
			}
		}
	}
	return out, nil
}

// asCollection is the map of an object, or the list of a tuple, if all elements have one type, and
// otherwise the value.
func asCollection(v cty.Value, wantMap bool) cty.Value {
	plain, marks := v.Unmark()
	if t := plain.Type(); !(wantMap && t.IsObjectType() || !wantMap && t.IsTupleType()) || !plain.IsKnown() || plain.IsNull() ||
		plain.LengthInt() == 0 {
		return v
	}
	element := cty.NilType
	for it := plain.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if element == cty.NilType {
			element = e.Type()
		}
		if element.HasDynamicTypes() || !e.Type().Equals(element) {
			return v
		}
	}
	if wantMap {
		return cty.MapVal(plain.AsValueMap()).WithMarks(marks)
	}
	return cty.ListVal(plain.AsValueSlice()).WithMarks(marks)
}

func clampStepCount(n float64) int64 { return int64(min(n, math.MaxInt64/4)) }

// stepsPerNumber is what a number takes up in steps, and bytesPerStep how many bytes of a text
// one step makes.
const (
	stepsPerNumber = 8
	bytesPerStep   = 8
)

// extraSteps is how many steps a function spends beyond what it is given and returns:
// where its result can be far larger than that, or its time. Arguments of another
// type than it takes grow to nothing; it refuses them.
func extraSteps(name string, args []cty.Value) float64 {
	a := make([]callArgument, 4)
	for i := range min(len(args), len(a)) {
		a[i] = callArgument{args[i]}
	}
	switch name {
	case "range":
		return rangeLength(args) * stepsPerNumber
	case "setproduct":
		n := 1.0
		for _, list := range args {
			n *= callArgument{list}.lengthIfKnown()
		}
		return n * float64(stepsPerNumber+2*len(args))
	case "format":
		longest := 0.0
		for _, v := range args[1:] {
			longest = max(longest, formattedBytes(v))
		}
		return formatSteps(a[0].textIfKnown(), longest)
	case "formatlist":
		n, longest := 1.0, 0.0
		for _, list := range args[1:] {
			n = max(n, callArgument{list}.lengthIfKnown())
			longest = max(longest, longestElementBytes(list))
		}
		return n * formatSteps(a[0].textIfKnown(), longest)
	case "indent":
		return a[0].numberIfKnown() * float64(strings.Count(a[1].textIfKnown(), "\n")+1) / bytesPerStep // it makes one to repeat
	case "join":
		return a[1].lengthIfKnown() * float64(len(a[0].textIfKnown())) / bytesPerStep
	case "replace":
		return replaceSteps(a[0].textIfKnown(), a[1].textIfKnown(), a[2].textIfKnown())
	case "regex", "regexall":
		return regexSteps(a[0].textIfKnown(), a[1].textIfKnown())
	case "split":
		return float64(strings.Count(a[1].textIfKnown(), a[0].textIfKnown())+1) * 4
	case "distinct":
		if args[0].Type().Equals(cty.List(cty.String)) {
			return a[0].lengthIfKnown()
		}
		n := a[0].lengthIfKnown()
		return n*n/stepsPerNumber + n*max(0, formattedBytes(args[0])/stepsPerNumber-n-1) // with what is in the elements
	case "matchkeys":
		return a[1].lengthIfKnown() * a[2].lengthIfKnown() / stepsPerNumber
	case "strrev", "title", "length", "substr":
		return float64(len(a[0].textIfKnown())) / 4
	case "csvdecode", "jsondecode", "yamldecode":
		return float64(len(a[0].textIfKnown())) / 2
	case "parseint", "tonumber":
		n := float64(len(a[0].textIfKnown()))
		return n * n / 10_000
	}
	return 0
}

// A callArgument is one of a call, of which nothing is known.
type callArgument struct{ value cty.Value }

// knownValue is the value without marks, if it is a known one.
func (a callArgument) knownValue() (unmarked cty.Value, knownAndNotNull bool) {
	if a.value == cty.NilVal {
		return a.value, false
	}
	v, _ := a.value.Unmark()
	return v, v.IsKnown() && !v.IsNull()
}

func (a callArgument) textIfKnown() string {
	if v, ok := a.knownValue(); ok && v.Type() == cty.String {
		return v.AsString()
	}
	return ""
}

func (a callArgument) numberIfKnown() float64 {
	if v, ok := a.knownValue(); ok && v.Type() == cty.Number {
		n, _ := v.AsBigFloat().Float64()
		return n
	}
	return 0
}

func (a callArgument) lengthIfKnown() float64 {
	v, ok := a.knownValue()
	if t := v.Type(); ok && (t.IsTupleType() || t.IsCollectionType()) {
		return float64(v.LengthInt())
	}
	return 0
}

// rangeLength is how many numbers range makes.
func rangeLength(args []cty.Value) float64 {
	from, to, by := 0.0, 0.0, 1.0
	switch len(args) {
	case 1:
		to = callArgument{args[0]}.numberIfKnown()
	case 2, 3:
		from, to = callArgument{args[0]}.numberIfKnown(), callArgument{args[1]}.numberIfKnown()
	}
	if len(args) == 3 {
		by = callArgument{args[2]}.numberIfKnown()
	}
	if by == 0 { // or not known, or null
		return 0
	}
	return math.Abs(to-from) / math.Abs(by)
}

// formattedBytes is about how long a value is where format writes it, with all that is in it.
func formattedBytes(v cty.Value) (n float64) {
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		n += max(stepsPerNumber, float64(len(callArgument{v}.textIfKnown())))
		return true, nil
	})
	return n
}

// longestElementBytes is formattedBytes of the longest element of a list, or of what is none.
func longestElementBytes(list cty.Value) (longest float64) {
	if (callArgument{list}).lengthIfKnown() == 0 {
		return formattedBytes(list)
	}
	list, _ = list.Unmark()
	for _, v := range list.Elements() {
		longest = max(longest, formattedBytes(v))
	}
	return longest
}

// formatSteps bounds what format makes: widths and precisions, and arguments as often as they are
// named. longest is the longest of them, in bytes.
func formatSteps(format string, longest float64) float64 {
	n := 0.0
	for {
		_, verb, found := strings.Cut(format, "%")
		if !found {
			return n / bytesPerStep
		}
		width, rest := leadingNumber(strings.TrimLeft(verb, "-+ #0"))
		precision, rest := leadingNumber(strings.TrimPrefix(rest, "."))
		n += longest + width + precision
		format = rest[min(1, len(rest)):] // "%%" is no verb
	}
}

// leadingNumber is the number that a text begins with, or 0, and the rest.
func leadingNumber(s string) (number float64, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	number, _ = strconv.ParseFloat(s[:len(s)-len(rest)], 64) // "" is 0, and what has too many digits is infinite
	return number, rest
}

func replaceSteps(s, old, with string) float64 {
	if len(old) < 2 || old[0] != '/' || old[len(old)-1] != '/' {
		return float64(strings.Count(s, old)) * float64(len(with)) / bytesPerStep
	}
	return float64(len(s)+1)*float64(len(with)+1)/bytesPerStep + regexSteps(old[1:len(old)-1], s)
}

// regexSteps is what looking for a regular expression takes: all of its program for each
// byte, and a text for each group where it is found.
func regexSteps(pattern, s string) float64 {
	size := float64(len(pattern))
	if len(s) > 1000 || strings.Contains(pattern, "{") {
		if re, err := syntax.Parse(pattern, syntax.Perl); err == nil {
			if prog, err := syntax.Compile(re.Simplify()); err == nil {
				size = float64(len(prog.Inst))
			}
		}
	}
	return float64(len(s)+1) * (size/64 + float64(strings.Count(pattern, "(")) + 1)
}
