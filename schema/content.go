package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// What a file holds is kept beside its attributes, since those stand in plans. Of
// the content they have the SHA-1.

// readPayloadAndFillSHA1 is what the instance's file is to hold; nil where its kind has no
// content, and where that is missing, not known or cannot be read. A local file is
// read now and gives the instance its SHA-1.
func (e *instanceEvaluation) readPayloadAndFillSHA1() *wire.Payload {
	c := e.block.kind.Content
	if c == nil {
		return nil
	}
	text, source := e.attrs.GetAttr(c.TextAttr), e.attrs.GetAttr(c.SourceAttr)
	switch {
	case !text.IsKnown() || !source.IsKnown() || text.IsNull() == source.IsNull():
		return nil // not known yet, or reported
	case source.IsNull():
		return e.checkContentSize(c, c.TextAttr, textPayload(text.AsString()))
	}
	from := e.module.folderOf(e.module.Dir)
	size, err := from.FileSize(source.AsString())
	p := &wire.Payload{Size: size}
	if err == nil && size <= c.MaxSize {
		p, err = from.ReadPayload(source.AsString())
	}
	if err != nil {
		e.errorAtAttr(c.SourceAttr, "Source cannot be read", words.Sentence(err.Error()))
		e.unknownByError = true
		return nil
	}
	if e.checkContentSize(c, c.SourceAttr, p) == nil {
		return nil
	}
	e.fillOrCheckSHA1Attr(c, p)
	return p
}

func textPayload(text string) *wire.Payload {
	p := wire.TextPayload(text)
	p.SourcePath = "The content"
	return p
}

// checkContentSize reports content that is too large, and gives nil for it.
func (e *instanceEvaluation) checkContentSize(c *kind.ContentAttrs, attr string, p *wire.Payload) (accepted *wire.Payload) {
	if p.Size <= c.MaxSize {
		return p
	}
	e.errorAtAttr(attr, "Content too large", fmt.Sprintf("A %s has at most %d MB, which is what B2 recommends to upload in one request; "+
		"this has %d bytes. %s",
		e.block.kind.Name, c.MaxSize/1_000_000, p.Size, c.TooLargeAdvice))
	e.unknownByError = true
	return nil
}

// fillOrCheckSHA1Attr gives the instance the SHA-1 of its local file. Where the path is
// sensitive so is what it leads to.
func (e *instanceEvaluation) fillOrCheckSHA1Attr(c *kind.ContentAttrs, p *wire.Payload) {
	given := e.attrs.GetAttr(c.SHA1Attr)
	switch {
	case given.IsNull():
		sum := cty.StringVal(p.SHA1)
		e.attrs.Set(c.SHA1Attr, &sum)
	case given.IsKnown() && !strings.EqualFold(given.AsString(), p.SHA1):
		e.errorAtAttr(c.SHA1Attr, "Content with another SHA-1",
			"The content does not have this SHA-1. Correct one of them, or leave "+c.SHA1Attr+" out.")
	}
	if slices.Contains(e.sensitiveAttrs, c.SourceAttr) {
		e.sensitiveAttrs = append(e.sensitiveAttrs, c.SHA1Attr)
	}
}

// errorAtAttr reports an error of one attribute.
func (e *instanceEvaluation) errorAtAttr(attr, summary, detail string) {
	at := e.block.node.place
	if arg := e.writtenArgs.find(attr); arg != nil {
		at = arg.place
		if arg.expr != nil {
			at = arg.expr.Range()
		}
	}
	if e.hasSensitive {
		detail = detailWithheld
	}
	e.reportAt(hcl.DiagError, at, summary, detail)
}

// clearContentText takes the content itself out of completed attributes.
func (e *instanceEvaluation) clearContentText(v kind.Values) kind.Values {
	if c := e.block.kind.Content; c != nil {
		null := cty.NullVal(cty.String)
		v.Set(c.TextAttr, &null)
	}
	return v
}

// attrShowingDifference is the attribute in which a difference of another one shows.
func attrShowingDifference(k *kind.Kind, attr string) string {
	if c := k.Content; c != nil && (attr == c.TextAttr || attr == c.SourceAttr) {
		return c.SHA1Attr
	}
	return attr
}
