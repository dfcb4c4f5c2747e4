package functions

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/kind"
)

// textFunctions are Terraform's functions on strings that no library has.
func textFunctions() map[string]function.Function {
	test := func(f func(s, part string) bool, part string) function.Function {
		return whollyKnownFunction(cty.Bool, func(args []cty.Value) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		}, param("text", cty.String), param(part, cty.String))
	}
	return map[string]function.Function{
		"startswith":  test(strings.HasPrefix, "start"),
		"endswith":    test(strings.HasSuffix, "end"),
		"strcontains": test(strings.Contains, "part"),
		"replace": whollyKnownFunction(cty.String, replace, param("text", cty.String), param("old", cty.String),
			param("new", cty.String)),
		"timeadd": whollyKnownFunction(cty.String, timeadd, param("time", cty.String), param("duration", cty.String)),
		"timecmp": whollyKnownFunction(cty.Number, timecmp, param("a", cty.String), param("b", cty.String)),
	}
}

// replace takes a regular expression where the pattern stands between slashes.
func replace(args []cty.Value) (cty.Value, error) {
	s, old, with := args[0].AsString(), args[1].AsString(), args[2].AsString()
	if len(old) < 2 || old[0] != '/' || old[len(old)-1] != '/' {
		return cty.StringVal(strings.ReplaceAll(s, old, with)), nil
	}
	re, err := regexp.Compile(old[1 : len(old)-1])
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(1, "the regular expression between the slashes is not valid: %s", err)
	}
	return cty.StringVal(re.ReplaceAllString(s, with)), nil
}

func timeadd(args []cty.Value) (cty.Value, error) {
	t, err := time.Parse(time.RFC3339, args[0].AsString())
	if err != nil {
		return cty.NilVal, notATimeError(0)
	}
	d, err := time.ParseDuration(args[1].AsString())
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(1, "a duration of at most 292 years in hours, minutes and seconds is needed, "+
			"like 24h or -1h30m")
	}
	if t = t.Add(d); t.Year() < 0 || t.Year() > 9999 {
		return cty.NilVal, errors.New("the result is outside of the years 0 to 9999")
	}
	return cty.StringVal(t.Format(time.RFC3339)), nil
}

func notATimeError(arg int) error {
	return function.NewArgErrorf(arg, "a time like 2026-01-31T12:00:00Z is needed")
}

func timecmp(args []cty.Value) (cty.Value, error) {
	var at [2]time.Time
	for i := range at {
		t, err := time.Parse(time.RFC3339, args[i].AsString())
		if err != nil {
			return cty.NilVal, notATimeError(i)
		}
		at[i] = t
	}
	return cty.NumberIntVal(int64(at[0].Compare(at[1]))), nil
}

// A digester is one way to turn content into a printable hash.
type digester func(content []byte) string

func digesters() map[string]digester {
	sum := func(make func() hash.Hash, print func([]byte) string) digester {
		return func(content []byte) string {
			h := make()
			h.Write(content) // never fails
			return print(h.Sum(nil))
		}
	}
	return map[string]digester{
		"md5":          sum(md5.New, hex.EncodeToString),
		"sha1":         sum(sha1.New, hex.EncodeToString),
		"sha256":       sum(sha256.New, hex.EncodeToString),
		"sha512":       sum(sha512.New, hex.EncodeToString),
		"base64sha256": sum(sha256.New, base64.StdEncoding.EncodeToString),
		"base64sha512": sum(sha512.New, base64.StdEncoding.EncodeToString),
	}
}

func hashFunctions() map[string]function.Function {
	out := map[string]function.Function{}
	for name, digest := range digesters() {
		out[name] = whollyKnownFunction(cty.String, func(args []cty.Value) (cty.Value, error) {
			return cty.StringVal(digest([]byte(args[0].AsString()))), nil
		}, param("text", cty.String))
	}
	return out
}

// sensitivityFunctions set, remove and query the mark of sensitive values.
func sensitivityFunctions() map[string]function.Function {
	marking := func(change func(v cty.Value) cty.Value) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType,
				AllowNull: true, AllowUnknown: true, AllowMarked: true, AllowDynamicType: true}},
			Type: func(args []cty.Value) (cty.Type, error) { return change(args[0]).Type(), nil },
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return change(args[0]), nil },
		})
	}
	return map[string]function.Function{
		"sensitive":    marking(func(v cty.Value) cty.Value { return v.Mark(kind.Sensitive) }),
		"issensitive":  marking(func(v cty.Value) cty.Value { return cty.BoolVal(v.HasMark(kind.Sensitive)) }),
		"nonsensitive": marking(Nonsensitive),
	}
}

// Nonsensitive is the value without the mark of a sensitive one. It keeps all other
// marks, and those inside the value.
func Nonsensitive(v cty.Value) cty.Value {
	v, marks := v.Unmark()
	for m := range marks {
		if m != kind.Sensitive {
			v = v.Mark(m)
		}
	}
	return v
}

// checkNotNull reports an argument that is null.
func checkNotNull(v cty.Value, argIndex int, argName string) error {
	if v.IsNull() {
		return function.NewArgError(argIndex, fmt.Errorf("%s must not be null", argName))
	}
	return nil
}
