package schema

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// A jsonBody is a body in JSON syntax. What is nested may be an argument or a block,
// and JSON writes both alike: it is read as a block where it holds dynamic blocks, and
// as an argument otherwise.
type jsonBody struct{ hcl.Body }

// Content is for bodies all of whose names are in the schema.
func (b jsonBody) Content(s *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	content, diags := b.Body.Content(b.schemaWithDynamicAsBlocks(s))
	return wrapJSONBodies(content), diags
}

// PartialContent is for others.
func (b jsonBody) PartialContent(s *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content, rest, diags := b.Body.PartialContent(b.schemaWithDynamicAsBlocks(s))
	return wrapJSONBodies(content), jsonBody{rest}, diags
}

// wrapJSONBodies has the same bodies in its blocks.
func wrapJSONBodies(content *hcl.BodyContent) *hcl.BodyContent {
	for _, block := range content.Blocks {
		block.Body = jsonBody{block.Body}
	}
	return content
}

// schemaWithDynamicAsBlocks leaves one form for each name.
func (b jsonBody) schemaWithDynamicAsBlocks(s *hcl.BodySchema) *hcl.BodySchema {
	written, _ := b.JustAttributes()
	out := &hcl.BodySchema{Blocks: s.Blocks}
	for _, a := range s.Attributes {
		nested := slices.ContainsFunc(s.Blocks, func(h hcl.BlockHeaderSchema) bool { return h.Type == a.Name })
		if at := written[a.Name]; !nested || at == nil || !holdsDynamicBlock(at.Expr) {
			out.Attributes = append(out.Attributes, a)
		}
	}
	return out
}

// holdsDynamicBlock reports whether there are dynamic blocks at any depth.
func holdsDynamicBlock(e hcl.Expression) bool {
	if pairs, diags := hcl.ExprMap(e); !diags.HasErrors() {
		return slices.ContainsFunc(pairs, func(p hcl.KeyValuePair) bool {
			name, _ := keywordOrString(p.Key)
			return name == "dynamic" || holdsDynamicBlock(p.Value)
		})
	}
	list, diags := hcl.ExprList(e)
	return !diags.HasErrors() && slices.ContainsFunc(list, holdsDynamicBlock)
}
