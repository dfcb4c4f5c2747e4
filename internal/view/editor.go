package view

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// templateDef is what may stand for every value in HCL's JSON syntax: a text that
// holds an expression.
const templateDef = "template"

// EditorSchema is a JSON Schema (draft 2020-12) of *.b2.hcl.json files. It knows
// names and types; what values may be is for "b2form validate".
func EditorSchema(kinds []*kind.Kind) map[string]any {
	defs := schemaDefinitions{templateDef: map[string]any{"type": "string", "pattern": `[$%]\{`}}
	top := defs.blockSchemas(syntax.NonResourceBlocks(kinds), "")
	for _, k := range kinds {
		top[k.Name] = withDescription(nestUnderLabels(1, defs.define(k.Name, defs.resourceSchema(k))), k.Doc)
	}
	top["//"] = commentSchema()
	top["$schema"] = map[string]any{"type": "string", "description": "Where an editor finds this schema."}
	return map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "b2form configuration",
		"type":                 "object",
		"properties":           top,
		"additionalProperties": false,
		"$defs":                defs,
	}
}

// schemaDefinitions are the schemas that others refer to, by name.
type schemaDefinitions map[string]any

// define defines a schema and returns what stands for it.
func (defs schemaDefinitions) define(name string, schema map[string]any) (ref map[string]any) {
	defs[name] = schema
	return map[string]any{"$ref": "#/$defs/" + name}
}

func commentSchema() map[string]any { return map[string]any{"description": "A comment."} }

// resourceSchema is the body of a resource: the attributes of its kind, and what every
// resource takes.
func (defs schemaDefinitions) resourceSchema(k *kind.Kind) map[string]any {
	body := defs.objectSchema(k.Attrs, k.Name)
	properties := body["properties"].(map[string]any)
	meta := syntax.ResourceBlock()
	for i := range meta.Arguments {
		properties[meta.Arguments[i].Name] = argumentSchema(&meta.Arguments[i])
	}
	nested := defs.blockSchemas(blockPointers(meta.Blocks), meta.Type+".")
	if !k.YieldsSecret() {
		delete(nested, "deliver")
	}
	maps.Copy(properties, nested)
	return body
}

func blockPointers(blocks []syntax.BlockSpec) []*syntax.BlockSpec {
	out := make([]*syntax.BlockSpec, len(blocks))
	for i := range blocks {
		out[i] = &blocks[i]
	}
	return out
}

// blockSchemas are the schemas of blocks by their type; the forms of one type are told
// apart by their first label. path is what the names of definitions begin with.
func (defs schemaDefinitions) blockSchemas(blocks []*syntax.BlockSpec, path string) map[string]any {
	out := map[string]any{}
	forms := map[string]map[string]any{}
	for _, b := range blocks {
		if b.FormLabel == "" {
			body := defs.define(path+b.Type, defs.bodySchema(b, path+b.Type+"."))
			out[b.Type] = withDescription(nestUnderLabels(len(b.FurtherLabelNames), body), b.Doc)
			continue
		}
		if forms[b.Type] == nil {
			forms[b.Type] = map[string]any{}
			one := defs.define(path+b.Type, map[string]any{"type": "object", "properties": forms[b.Type], "additionalProperties": false})
			out[b.Type] = withDescription(oneOrListSchema(one), b.CommonDoc)
		}
		name := path + b.Type + "." + b.FormLabel
		forms[b.Type][b.FormLabel] = withDescription(nestUnderLabels(len(b.FurtherLabelNames),
			defs.define(name, defs.bodySchema(b, name+"."))), b.Doc)
	}
	return out
}

// nestUnderLabels is a body below so many labels: each of them is the name of a member.
func nestUnderLabels(labelCount int, body map[string]any) map[string]any {
	out := oneOrListSchema(body)
	for range labelCount {
		out = oneOrListSchema(map[string]any{"type": "object", "additionalProperties": out})
	}
	return out
}

func withDescription(s map[string]any, doc string) map[string]any {
	if doc != "" {
		s["description"] = doc
	}
	return s
}

// bodySchema is what stands in a block of the language itself.
func (defs schemaDefinitions) bodySchema(b *syntax.BlockSpec, path string) map[string]any {
	properties := map[string]any{"//": commentSchema()}
	required := []string{}
	for i := range b.Arguments {
		a := &b.Arguments[i]
		properties[a.Name] = argumentSchema(a)
		if a.Required {
			required = append(required, a.Name)
		}
	}
	for i := range b.Blocks {
		if t := b.Blocks[i].Type; b.Blocks[i].MinCount > 0 && !slices.Contains(required, t) {
			required = append(required, t)
		}
	}
	maps.Copy(properties, defs.blockSchemas(blockPointers(b.Blocks), path))
	return map[string]any{"type": "object", "properties": properties, "required": required,
		"additionalProperties": b.OtherArgumentsDoc != ""}
}

func argumentSchema(a *syntax.ArgumentSpec) map[string]any {
	value := argumentTypeSchema(a)
	if a.MayReferTo != syntax.NotEvaluated {
		value = expressionSchema(value)
	}
	return withDescription(value, a.Doc)
}

// argumentTypeSchema is the JSON form of an argument's type.
func argumentTypeSchema(a *syntax.ArgumentSpec) map[string]any {
	text := map[string]any{"type": "string"}
	chosen := typeSchema(cty.String)
	if a.Choices != nil {
		chosen = map[string]any{"enum": a.Choices}
	}
	switch a.Type {
	case syntax.Text:
		return chosen
	case syntax.TypeConstraint, syntax.Address, syntax.Name:
		return text
	case syntax.Bool:
		return typeSchema(cty.Bool)
	case syntax.Count:
		return typeSchema(cty.Number)
	case syntax.Share:
		return map[string]any{"type": []string{"number", "string"}, "pattern": `^[0-9]+%?$`}
	case syntax.Texts:
		// the choices complete, and hinder nothing
		return map[string]any{"type": "array", "items": map[string]any{"anyOf": []any{chosen, text}}}
	case syntax.Names:
		return oneOrListSchema(text)
	case syntax.Addresses:
		return map[string]any{"type": "array", "items": text}
	case syntax.TextMap, syntax.Collection:
		return map[string]any{"type": "object"}
	}
	return map[string]any{}
}

// expressionSchema is a value, or a text that holds an expression for it.
func expressionSchema(value map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{value, map[string]any{"$ref": "#/$defs/" + templateDef}, map[string]any{"type": "null"}}}
}

// objectSchema is an object with the settable attributes.
func (defs schemaDefinitions) objectSchema(attrs []kind.Attr, path string) map[string]any {
	properties := map[string]any{"//": commentSchema()}
	required := []string{}
	for i := range attrs {
		a := &attrs[i]
		if a.Computed {
			continue
		}
		properties[a.Name] = withDescription(defs.attrTypeSchema(a, path+"."+a.Name), a.Doc)
		if a.Required {
			required = append(required, a.Name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func (defs schemaDefinitions) attrTypeSchema(a *kind.Attr, path string) map[string]any {
	if a.Object == nil {
		return expressionSchema(typeSchema(a.Type))
	}
	one := defs.define(path, defs.objectSchema(a.Object, path))
	value := oneOrListSchema(one)
	if !a.Many {
		value["maxItems"] = 1 // of the list
	}
	return expressionSchema(value)
}

func oneOrListSchema(one map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one}}}
}

// typeSchema is the JSON form of a leaf, with what HCL converts into it.
func typeSchema(t cty.Type) map[string]any {
	switch {
	case t == cty.String:
		return map[string]any{"type": []string{"string", "number", "boolean"}}
	case t == cty.Number:
		return map[string]any{"type": []string{"number", "string"}, "pattern": `^-?[0-9.]+$`}
	case t == cty.Bool:
		return map[string]any{"enum": []any{true, false, "true", "false"}}
	case t.IsMapType():
		return map[string]any{"type": "object", "additionalProperties": typeSchema(t.ElementType())}
	case t.IsListType() || t.IsSetType():
		return map[string]any{"type": "array", "items": typeSchema(t.ElementType())}
	}
	return map[string]any{}
}
