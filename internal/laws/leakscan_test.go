package laws_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"b2form/internal/secret"
)

// A prowler follows every pointer of a value, also through unexported fields,
// and looks at every text that it reaches. So a secret cannot hide in a value
// that merely prints well. Only secret.Value may hold one; the client keeps its
// own credentials inside functions, which nothing can look into.
type prowler struct {
	judge
	*canaries
	seen    map[visit]bool
	printed map[reflect.Type]int
}

type visit struct {
	typ     reflect.Type
	pointer uintptr
}

func (c *canaries) scan(j judge, name string, thing any) {
	j.Helper()
	p := &prowler{judge: j, canaries: c, seen: map[visit]bool{}, printed: map[reflect.Type]int{}}
	p.walk(name, reflect.ValueOf(thing))
}

// enough is how many values of one type are printed.
const enough = 3

func (p *prowler) walk(path string, v reflect.Value) {
	if !v.IsValid() || v.Type() == reflect.TypeFor[secret.Value]() || foreign(v.Type()) {
		return
	}
	t := v.Type()
	if strings.HasPrefix(t.PkgPath(), "b2form/") && v.CanInterface() && p.printed[t] < enough {
		p.printed[t]++
		p.nowhere(p, path+" as %+v", fmt.Sprintf("%+v", v.Interface()))
	}
	switch v.Kind() {
	case reflect.String:
		p.nowhere(p, path, v.String())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		if v.Kind() == reflect.Pointer {
			at := visit{t, v.Pointer()}
			if p.seen[at] {
				return
			}
			p.seen[at] = true
		}
		p.walk(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			p.walk(path+"."+t.Field(i).Name, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			p.nowhere(p, path, text(v))
			return
		}
		for i := range v.Len() {
			p.walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			p.walk(path+"[key]", it.Key())
			p.walk(fmt.Sprintf("%s[%v]", path, it.Key()), it.Value())
		}
	}
}

func text(v reflect.Value) string {
	var b strings.Builder
	for i := range v.Len() {
		b.WriteByte(byte(v.Index(i).Uint()))
	}
	return b.String()
}

// foreign reports whether a type belongs to what carries requests: it holds
// them by its nature, and is not the product's.
func foreign(t reflect.Type) bool {
	for _, pkg := range []string{"net", "crypto", "os", "bufio", "sync", "b2form/internal/laws", "b2form/internal/emulator"} {
		if t.PkgPath() == pkg || strings.HasPrefix(t.PkgPath(), pkg+"/") || strings.HasPrefix(t.PkgPath(), pkg+"_test") {
			return true
		}
	}
	return false
}

// The prowler must be able to find, and spare what it should.
func TestProwlerFinds(t *testing.T) {
	const canary = "K0049canaryCanaryCanary/+canary"
	c := &canaries{keys: []string{canary}}
	for name, leak := range map[string]any{
		"a field": struct{ deep *struct{ raw []byte } }{&struct{ raw []byte }{[]byte("x" + canary)}}, "a key": map[any]int{canary: 1},
		"an interface": []any{nil, map[string]any{"a": [1]string{canary}}},
	} {
		v := &verdict{}
		if c.scan(v, name, leak); len(v.said) == 0 {
			t.Errorf("not found in %s", name)
		}
	}
	v := &verdict{}
	if c.scan(v, "a secret", struct{ key secret.Value }{secret.New(canary)}); len(v.said) > 0 {
		t.Errorf("found where it belongs: %v", v.said)
	}
}
