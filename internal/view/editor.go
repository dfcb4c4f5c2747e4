package view

import (
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// template is what may stand for every value in HCL's JSON syntax: a text that
// holds an expression.
const template = "template"

// EditorSchema is a JSON Schema (draft 2020-12) of *.b2.hcl.json files. It knows
// names and types; what values may be is for "b2form validate".
func EditorSchema(kinds []*kind.Kind) map[string]any {
	top := map[string]any{}
	for _, name := range []string{"check", "module", "output", "variable"} {
		top[name] = map[string]any{"type": "object", "additionalProperties": map[string]any{"type": []string{"object", "array"}}}
	}
	for _, name := range []string{"b2form", "import", "locals", "moved", "removed"} {
		top[name] = map[string]any{"type": []string{"object", "array"}}
	}
	top["data"] = map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "object"}}
	for _, k := range kinds {
		body := blockSchema(k.Attrs)
		properties := body["properties"].(map[string]any)
		for _, meta := range syntax.Meta() {
			properties[meta] = map[string]any{}
		}
		if k.Delivers {
			properties["deliver"] = map[string]any{"type": []string{"object", "array"}}
		}
		properties["precondition"] = map[string]any{"type": []string{"object", "array"}}
		properties["dynamic"] = map[string]any{"type": []string{"object", "array"}}
		top[k.Name] = map[string]any{"description": k.Doc, "type": "object", "additionalProperties": oneOrMany(body)}
	}
	top["//"] = map[string]any{"description": "A comment."}
	return map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "b2form configuration",
		"type":                 "object",
		"properties":           top,
		"additionalProperties": false,
		"$defs": map[string]any{
			template: map[string]any{"type": "string", "pattern": `[$%]\{`},
		},
	}
}

// blockSchema is an object with the settable attributes.
func blockSchema(attrs []kind.Attr) map[string]any {
	properties := map[string]any{"//": map[string]any{"description": "A comment."}}
	required := []string{}
	for i := range attrs {
		a := &attrs[i]
		if a.Computed {
			continue
		}
		s := attrSchema(a)
		s["description"] = a.Doc
		properties[a.Name] = s
		if a.Required {
			required = append(required, a.Name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func attrSchema(a *kind.Attr) map[string]any {
	value := typeSchema(a.Type)
	switch {
	case a.Object == nil:
	case a.Many:
		value = oneOrMany(blockSchema(a.Object))
	default:
		value = blockSchema(a.Object)
	}
	return map[string]any{"anyOf": []any{value, map[string]any{"$ref": "#/$defs/" + template}, map[string]any{"type": "null"}}}
}

func oneOrMany(one map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one}}}
}

// typeSchema is the JSON form of a leaf; a type that takes several forms, such
// as a duration, is any value.
func typeSchema(t cty.Type) map[string]any {
	switch {
	case t == cty.String:
		return map[string]any{"type": "string"}
	case t == cty.Number:
		return map[string]any{"type": "number"}
	case t == cty.Bool:
		return map[string]any{"type": "boolean"}
	case t.IsMapType():
		return map[string]any{"type": "object", "additionalProperties": typeSchema(t.ElementType())}
	case t.IsListType() || t.IsSetType():
		return map[string]any{"type": "array", "items": typeSchema(t.ElementType())}
	}
	return map[string]any{}
}
