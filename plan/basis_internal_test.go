package plan

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A plain kind has what a digest asks for.
func plainKind(name string) *kind.Kind {
	return &kind.Kind{Name: name, IdentityAttr: "name", Attrs: []kind.Attr{{Name: "name", Type: cty.String}}}
}

// filled is a value of a type in which nothing is zero; n makes two differ.
func filled(t *testing.T, typ reflect.Type, n int) reflect.Value {
	t.Helper()
	v := reflect.New(typ).Elem()
	switch typ {
	case reflect.TypeFor[cty.Value]():
		return reflect.ValueOf(cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(fmt.Sprint("name ", n))}))
	case reflect.TypeFor[*kind.Kind]():
		return reflect.ValueOf(plainKind(fmt.Sprint("kind", n)))
	case reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC))
	case reflect.TypeFor[addr.Addr]():
		return reflect.ValueOf(addr.Addr{Kind: "kind", Label: fmt.Sprint("label", n)})
	}
	switch typ.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text ", n))
	case reflect.Bool:
		v.SetBool(n%2 == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Slice:
		v = reflect.MakeSlice(typ, 1, 1)
		v.Index(0).Set(filled(t, typ.Elem(), n))
	case reflect.Struct:
		for i := range typ.NumField() {
			v.Field(i).Set(filled(t, typ.Field(i).Type, n))
		}
	default:
		t.Fatalf("%s: say how it is filled", typ)
	}
	return v
}

// digestOf is the basis of a plan.
func digestOf(t *testing.T, made Plan) string {
	t.Helper()
	k := plainKind("kind")
	snapshot, err := kind.NewSnapshot(&wire.Account{ID: "a", Realm: "r"}, []*kind.Kind{k}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlanner(Request{Config: &config.Config{}, Kinds: []*kind.Kind{k}, Snapshot: snapshot})
	p.plan = made
	if p.computeBasisAndSaved(); p.diags.HasErrors() {
		t.Fatal(p.diags)
	}
	return p.plan.Basis
}

// No field of a plan is left out of its basis but those that are named here.
func TestBasisCoversEveryField(t *testing.T) {
	one := func() Plan {
		return Plan{
			Changes:       filled(t, reflect.TypeFor[[]Change](), 1).Interface().([]Change),
			Steps:         filled(t, reflect.TypeFor[[]Step](), 1).Interface().([]Step),
			Records:       filled(t, reflect.TypeFor[[]addr.StateEntry](), 1).Interface().([]addr.StateEntry),
			Moves:         filled(t, reflect.TypeFor[[]EntryMove](), 1).Interface().([]EntryMove),
			OutputChanges: filled(t, reflect.TypeFor[[]OutputChange](), 1).Interface().([]OutputChange),
		}
	}
	before := digestOf(t, one())
	if again := digestOf(t, one()); again != before {
		t.Fatal("two digests of one plan differ")
	}
	for _, test := range []struct {
		of       reflect.Type
		leftOut  map[string]string // with the reason
		included func(p *Plan) reflect.Value
	}{
		{reflect.TypeFor[Plan](), map[string]string{
			"Basis":           "it is the digest",
			"SavedForm":       "it is what is digested",
			"Salted":          "it says how the digest was made",
			"Warnings":        "what they are about is in the changes, or changes nothing",
			"KeptObjects":     "they are judged anew before the plan is carried out, and nothing is done to them",
			"RotatingObjects": "they tell of the present also where nothing changes",
		}, func(p *Plan) reflect.Value { return reflect.ValueOf(p).Elem() }},
		{reflect.TypeFor[Change](), map[string]string{
			"Kind": "the address names it", "MaybeForeignReplaced": "hazards name each"},
			func(p *Plan) reflect.Value { return reflect.ValueOf(&p.Changes[0]).Elem() }},
		{reflect.TypeFor[Step](), nil, func(p *Plan) reflect.Value { return reflect.ValueOf(&p.Steps[0]).Elem() }},
		{reflect.TypeFor[addr.StateEntry](), nil, func(p *Plan) reflect.Value { return reflect.ValueOf(&p.Records[0]).Elem() }},
		{reflect.TypeFor[EntryMove](), nil, func(p *Plan) reflect.Value { return reflect.ValueOf(&p.Moves[0]).Elem() }},
		{reflect.TypeFor[OutputChange](), nil, func(p *Plan) reflect.Value { return reflect.ValueOf(&p.OutputChanges[0]).Elem() }},
	} {
		for i := range test.of.NumField() {
			field := test.of.Field(i)
			if slices.Contains([]reflect.Type{reflect.TypeFor[hcl.Diagnostics](), reflect.TypeFor[*Saved](),
				reflect.TypeFor[map[addr.Addr]KeptObject]()}, field.Type) && test.leftOut[field.Name] != "" {
				continue
			}
			p := one()
			test.included(&p).Field(i).Set(filled(t, field.Type, 2))
			differs := digestOf(t, p) != before
			if out := test.leftOut[field.Name] != ""; differs == out {
				t.Errorf("%s.%s: the basis differs: %v; left out: %v", test.of.Name(), field.Name, differs, out)
			}
		}
	}
}
