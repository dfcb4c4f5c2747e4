package kind

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sort"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/wire"
)

// A valueDecoder turns parts of a live object into values.
type valueDecoder struct{ lookupName nameLookup }

func (d valueDecoder) object(attrs []Attr, m map[string]any) (cty.Value, error) {
	out := make(map[string]cty.Value, len(attrs))
	for i := range attrs {
		v, err := d.decodePath(&attrs[i], m, attrs[i].livePath())
		if err != nil {
			return cty.NilVal, fmt.Errorf("%s: %w", attrs[i].Name, err)
		}
		out[attrs[i].Name] = v
	}
	return cty.ObjectVal(out), nil
}

// decodePath is the attribute by its path in a live object or in a member of one; unknown
// where B2 hides it.
func (d valueDecoder) decodePath(a *Attr, m map[string]any, path string) (cty.Value, error) {
	raw, hidden := wire.MemberAt(m, path)
	if hidden {
		return cty.UnknownVal(a.ValueType()), nil
	}
	v, err := d.value(a, raw)
	if err != nil {
		return cty.NilVal, err
	}
	return a.normalizeLive(v), nil
}

// normalizeLive is the normal form of a value as B2 tells it.
func (a *Attr) normalizeLive(v cty.Value) cty.Value {
	if a.Compare.StripB2formData != nil {
		v = a.Compare.StripB2formData(v)
	}
	return a.normalize(v)
}

func (a *Attr) livePath() string {
	if a.Encoding.ReadPath != "" {
		return a.Encoding.ReadPath
	}
	return a.WirePath
}

func (d valueDecoder) value(a *Attr, raw any) (cty.Value, error) {
	switch {
	case a.Object == nil:
		return d.leaf(a, raw)
	case a.Encoding.AsMap:
		return d.pairsFromObject(a, raw)
	case a.Many:
		list, ok := raw.([]any)
		if raw != nil && !ok {
			return cty.NilVal, unexpectedValueError("a list", raw)
		}
		if len(list) == 0 {
			return cty.ListValEmpty(a.ValueType().ElementType()), nil
		}
		out := make([]cty.Value, len(list))
		for i, e := range list {
			m, ok := e.(map[string]any)
			if !ok {
				return cty.NilVal, unexpectedValueError("an object", e)
			}
			v, err := d.object(a.Object, m)
			if err != nil {
				return cty.NilVal, fmt.Errorf("element %d: %w", i, err)
			}
			out[i] = v
		}
		return cty.ListVal(out), nil
	}
	m, ok := raw.(map[string]any)
	if raw != nil && !ok {
		return cty.NilVal, unexpectedValueError("an object", raw)
	}
	if isAllNull(a.Object, m) {
		return cty.NullVal(a.ValueType()), nil
	}
	return d.object(a.Object, m)
}

// pairsFromObject turns an object on the wire into a list, sorted by the names of members.
func (d valueDecoder) pairsFromObject(a *Attr, raw any) (cty.Value, error) {
	m, ok := raw.(map[string]any)
	if raw != nil && !ok {
		return cty.NilVal, unexpectedValueError("an object", raw)
	}
	if len(m) == 0 {
		return cty.ListValEmpty(a.ValueType().ElementType()), nil
	}
	out := make([]cty.Value, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		first, err := d.leaf(&a.Object[0], name)
		if err != nil {
			return cty.NilVal, err
		}
		second, err := d.leaf(&a.Object[1], m[name])
		if err != nil {
			return cty.NilVal, err
		}
		out = append(out, cty.ObjectVal(map[string]cty.Value{a.Object[0].Name: first, a.Object[1].Name: second}))
	}
	return cty.ListVal(out), nil
}

// isAllNull recognises B2's way to say "none": {"mode": null, "period": null}. Members
// that are not known here do not count.
func isAllNull(attrs []Attr, m map[string]any) bool {
	return !slices.ContainsFunc(attrs, func(a Attr) bool {
		v, hidden := wire.MemberAt(m, a.livePath())
		inner, nested := v.(map[string]any)
		return hidden || v != nil && !(nested && a.Object != nil && !a.Encoding.AsMap && isAllNull(a.Object, inner))
	})
}

func (d valueDecoder) leaf(a *Attr, raw any) (cty.Value, error) {
	t := a.Type
	if raw == nil && !(t.IsPrimitiveType() || a.Link.RefKind != "") {
		return emptyCollection(t), nil
	}
	if raw == nil || raw == "" && a.Secret && !a.Required { // an empty secret is B2's other word for none
		return a.liveValueIfAbsent(), nil
	}
	switch {
	case t == cty.String:
		if s, ok := raw.(string); ok {
			return cty.StringVal(wire.EscapeNonNFC(d.nameOrDeletedText(a, s))), nil
		}
		return cty.NilVal, unexpectedValueError("a string", raw)
	case t == cty.Bool:
		if b, ok := raw.(bool); ok {
			return cty.BoolVal(b), nil
		}
		return cty.NilVal, unexpectedValueError("a boolean", raw)
	case t == cty.Number:
		if n, ok := raw.(float64); ok {
			return cty.NumberFloatVal(n), nil
		}
		return cty.NilVal, unexpectedValueError("a number", raw)
	case t.IsMapType():
		return d.stringMap(raw)
	}
	return d.strings(a, raw)
}

// liveValueIfAbsent is what it means that a live object lacks a scalar: the default, which B2
// need not answer, or null.
func (a *Attr) liveValueIfAbsent() cty.Value {
	if a.Default == cty.NilVal || a.Computed || a.Encoding.AbsentIsNull {
		return cty.NullVal(a.ValueType())
	}
	return a.Default
}

func (d valueDecoder) nameOrDeletedText(a *Attr, s string) string {
	if a.Link.RefKind == "" {
		return s
	}
	if n, ok := d.lookupName(a.Link.RefKind, s); ok && (a.Link.IsRemoteID == nil || !a.Link.IsRemoteID(n)) {
		return n
	}
	if a.Link.IsRemoteID != nil {
		return s
	}
	return deleted + a.Link.RefKind + " " + s + ")"
}

func (d valueDecoder) stringMap(raw any) (cty.Value, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return cty.NilVal, unexpectedValueError("an object", raw)
	}
	if len(m) == 0 {
		return cty.MapValEmpty(cty.String), nil
	}
	out := make(map[string]cty.Value, len(m))
	for key, v := range m {
		s, ok := v.(string)
		if !ok {
			return cty.NilVal, unexpectedValueError("a string", v)
		}
		out[wire.EscapeNonNFC(key)] = cty.StringVal(wire.EscapeNonNFC(s))
	}
	return cty.MapVal(out), nil
}

func (d valueDecoder) strings(a *Attr, raw any) (cty.Value, error) {
	list, ok := raw.([]any)
	if !ok {
		return cty.NilVal, unexpectedValueError("a list", raw)
	}
	if len(list) == 0 {
		return emptyCollection(a.Type), nil
	}
	out := make([]cty.Value, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			return cty.NilVal, unexpectedValueError("a string", e)
		}
		out[i] = cty.StringVal(wire.EscapeNonNFC(d.nameOrDeletedText(a, s)))
	}
	if a.Type.IsSetType() {
		return cty.SetVal(out), nil
	}
	return cty.ListVal(out), nil
}

func emptyCollection(t cty.Type) cty.Value {
	switch {
	case t.IsMapType():
		return cty.MapValEmpty(t.ElementType())
	case t.IsSetType():
		return cty.SetValEmpty(t.ElementType())
	}
	return cty.ListValEmpty(t.ElementType())
}

func unexpectedValueError(want string, got any) error {
	b, _ := json.Marshal(got)
	if len(b) > 60 {
		b = append(b[:57], "..."...)
	}
	return fmt.Errorf("B2 answered %s where %s was expected", b, want)
}

// identify reads the ID and the normalized identity of a raw object, and nothing else.
func (k *Kind) identify(raw wire.RawJSON, names nameLookup) (id, identity string, err error) {
	wires := []string{k.FindAttr(k.IDAttr).livePath(), k.FindAttr(k.IdentityAttr).livePath()}
	if k.ScopeAttr() != "" {
		wires = append(wires, k.FindAttr(k.ScopeAttr()).livePath())
	}
	found := gjson.GetMany(string(raw), wires...)
	for _, f := range found {
		if f.Type != gjson.String || f.Str == "" {
			return "", "", wire.UntrueReply("B2 described a %s without %s", k.Name, strings.Join(wires, " or "))
		}
	}
	d := valueDecoder{lookupName: names}
	identity = d.nameOrDeletedText(k.FindAttr(k.IdentityAttr), found[1].Str)
	if k.ScopeAttr() != "" {
		identity = d.nameOrDeletedText(k.FindAttr(k.ScopeAttr()), found[2].Str) + "/" + identity
	}
	return found[0].Str, k.NormalizeIdentity(identity), nil
}

// An idLookup turns the name that an attribute with a RefKind holds into a remote ID.
type idLookup func(by *Attr, name string) (id string, err error)

// Encode builds the wire members of the named attributes of v, an object of the
// kind's ConfigType. A null value is left out when create is set and otherwise
// becomes what clears it. Attributes without a wire name are passed over.
func (k *Kind) Encode(v cty.Value, attrs []string, create bool, ids idLookup) (map[string]any, error) {
	body := map[string]any{}
	for _, n := range attrs {
		a := k.FindAttr(n)
		if a == nil || a.WirePath == "" || a.Computed {
			continue
		}
		val := v.GetAttr(n)
		if val.IsNull() {
			if !create && a.Encoding.ClearWith != nil {
				setPath(body, a.WirePath, a.Encoding.ClearWith)
			}
			continue
		}
		if create && isEmptyCollection(val) {
			continue // B2's own default for every list and map
		}
		w, err := a.encode(val, ids)
		if err != nil {
			return nil, err
		}
		setPath(body, a.WirePath, w)
	}
	return body, nil
}

func isEmptyCollection(v cty.Value) bool {
	t := v.Type()
	return (t.IsListType() || t.IsSetType() || t.IsMapType()) && v.LengthInt() == 0
}

func setPath(m map[string]any, path string, v any) {
	for {
		step, rest, nested := strings.Cut(path, ".")
		if !nested {
			m[step] = v
			return
		}
		inner, ok := m[step].(map[string]any)
		if !ok {
			inner = map[string]any{}
			m[step] = inner
		}
		m, path = inner, rest
	}
}

func (a *Attr) encode(v cty.Value, ids idLookup) (any, error) {
	switch {
	case a.Encoding.Encode != nil:
		return a.Encoding.Encode(v), nil
	case a.Object == nil:
		return a.encodeLeaf(v, ids)
	case a.Encoding.AsMap:
		return a.encodeAsMap(v, ids)
	case a.Many:
		out := make([]any, 0, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			m, err := encodeMembers(a.Object, e, ids)
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
		return out, nil
	}
	return encodeMembers(a.Object, v, ids)
}

func (a *Attr) encodeAsMap(v cty.Value, ids idLookup) (any, error) {
	m := make(map[string]any, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		first, err := a.Object[0].encodeString(e.GetAttr(a.Object[0].Name).AsString(), ids)
		if err != nil {
			return nil, err
		}
		second, err := a.Object[1].encode(e.GetAttr(a.Object[1].Name), ids)
		if err != nil {
			return nil, err
		}
		m[fmt.Sprint(first)] = second
	}
	return m, nil
}

func encodeMembers(attrs []Attr, v cty.Value, ids idLookup) (map[string]any, error) {
	m := map[string]any{}
	for i := range attrs {
		val := v.GetAttr(attrs[i].Name)
		if attrs[i].WirePath == "" || val.IsNull() && attrs[i].Encoding.ClearWith == nil || isEmptyCollection(val) {
			continue
		}
		if val.IsNull() {
			setPath(m, attrs[i].WirePath, attrs[i].Encoding.ClearWith)
			continue
		}
		w, err := attrs[i].encode(val, ids)
		if err != nil {
			return nil, err
		}
		setPath(m, attrs[i].WirePath, w)
	}
	return m, nil
}

func (a *Attr) encodeLeaf(v cty.Value, ids idLookup) (any, error) {
	t := v.Type()
	switch {
	case t == cty.String:
		return a.encodeString(v.AsString(), ids)
	case t == cty.Bool:
		return v.True(), nil
	case t == cty.Number:
		return encodeNumber(v.AsBigFloat()), nil
	case t.IsMapType():
		m := map[string]any{}
		for key, e := range v.AsValueMap() {
			m[wire.UnescapeText(key)] = wire.UnescapeText(e.AsString())
		}
		return m, nil
	}
	out := make([]any, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		s, err := a.encodeString(e.AsString(), ids)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if t.IsSetType() {
		sort.Slice(out, func(i, j int) bool { return out[i].(string) < out[j].(string) })
	}
	return out, nil
}

func (a *Attr) encodeString(s string, ids idLookup) (any, error) {
	if a.Link.RefKind == "" {
		return wire.UnescapeText(s), nil
	}
	return ids(a, s)
}

func encodeNumber(f *big.Float) any {
	if n, acc := f.Int64(); acc == big.Exact {
		return n
	}
	x, _ := f.Float64()
	return x
}
