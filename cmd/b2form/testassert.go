package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/testfile"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// replanUploadAndAdvance does what a run does once its plan is applied: plans again, puts files into the
// account, and moves its clock. failures are what does not hold. reader reads what is live then; nil: nobody
// looked.
func (t *tester) replanUploadAndAdvance(ctx context.Context, r *testfile.Run) (reader *outputReader, failures hcl.Diagnostics, err error) {
	if r.SecondPlanIsEmpty {
		var again string
		if reader, again, err = t.planAgain(ctx); err != nil {
			return nil, nil, err
		}
		if len(again) > 0 {
			failures = append(failures, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "The second plan is not empty",
				Subject: r.Range.Ptr(),
				Detail:  "A plan after the apply would change something again:\n" + again})
		}
	}
	for _, u := range r.UploadsAfterApply {
		if err := t.uploadOrHideFile(ctx, &u); err != nil {
			return nil, nil, err
		}
	}
	if r.ClockAdvanceAfterApply > 0 {
		t.testAccount.Advance(r.ClockAdvanceAfterApply)
	}
	if len(r.UploadsAfterApply) > 0 || r.ClockAdvanceAfterApply > 0 {
		reader = nil
	}
	return reader, failures, nil
}

// planAgain reads what is live and plans once more; changesText is that plan in words, "" where it is
// empty.
func (t *tester) planAgain(ctx context.Context) (reader *outputReader, changesText string, err error) {
	s, err := t.openSession(ctx)
	if err != nil {
		return nil, "", err
	}
	made, err := s.readStateAndPlan(ctx, view.Planning)
	if err != nil {
		return nil, "", err
	}
	if !made.HasNoResourceChanges() {
		changesText = t.planText(made, view.Planning)
	}
	return s.newOutputReader(s.snapshot, s.state.Entries, nil), changesText, nil
}

// uploadOrHideFile puts a file into the account as its master key, or hides one.
func (t *tester) uploadOrHideFile(ctx context.Context, u *testfile.Upload) error {
	account, err := t.testAccount.Dump()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(account.Buckets, func(b map[string]any) bool { return b["bucketName"] == u.Bucket })
	if i < 0 {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "No such bucket", Subject: u.Range.Ptr(),
			Detail: fmt.Sprintf("There is no bucket %q in the account of this test.", u.Bucket)}}
	}
	s := &session{program: t.program, localB2: t.testAccount}
	client, err := s.newClient(ctx)
	if err != nil {
		return err
	}
	id, _ := account.Buckets[i]["bucketId"].(string)
	verb := "uploaded"
	if u.Hide {
		verb = "hidden"
		err = client.Call(ctx, "b2_hide_file", map[string]string{"bucketId": id, "fileName": u.Name}, nil)
	} else {
		_, err = client.Upload(ctx, id, u.Name, "b2/x-auto", []byte(u.Content))
	}
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.Code != "" {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "The file cannot be " + verb, Subject: u.Range.Ptr(),
			Detail: fmt.Sprintf("B2 refuses it: %s. Correct the name %.100q or what is uploaded before.",
				strings.TrimSuffix(refused.Message, "."),
				u.Name)}}
	}
	return err
}

// keepOutputsAndAssert evaluates the conditions of a run. reader reads what is live; nil: it is looked at first. The error is that
// nothing can be read.
func (t *tester) keepOutputsAndAssert(ctx context.Context, r *testfile.Run, reader *outputReader) (failures hcl.Diagnostics, err error) {
	if len(r.Asserts) == 0 && r.Command != testfile.Apply {
		return nil, nil
	}
	if reader == nil {
		if reader, _, err = t.planAgain(ctx); err != nil {
			return nil, err
		}
	}
	outs := map[string]cty.Value{}
	list, diags := reader.evaluateOutputs(reader.config.Outputs)
	for _, o := range list {
		if o.Sensitive {
			o.Value = o.Value.Mark(kind.Sensitive)
		}
		outs[o.Name] = o.Value
	}
	t.outputsByRun[r.Name] = cty.ObjectVal(outs)
	t.keepSensitiveFileTexts(reader.config)
	files, err := t.fileVersionsByBucketName()
	if err != nil {
		return nil, err
	}
	further := map[string]cty.Value{"output": cty.ObjectVal(outs), "run": cty.ObjectVal(t.outputsByRun), "files": files}
	if diags.HasErrors() {
		return diags, nil
	}
	for _, a := range r.Asserts {
		failures = append(failures, t.evaluateAssertion(r, reader, a, further)...)
	}
	return failures, nil
}

// evaluateAssertion evaluates one assertion of a run.
func (t *tester) evaluateAssertion(r *testfile.Run, read *outputReader, a testfile.Assert, further map[string]cty.Value) hcl.Diagnostics {
	at := a.Condition.Range()
	fail := func(summary, detail string) hcl.Diagnostics {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary,
			Detail:  detail + t.referencedValuesText(read, a.Condition, further),
			Subject: &at}}
	}
	v, diags := read.config.EvalWith(a.Condition, further, read.lookUpLive)
	if diags.HasErrors() {
		return diags
	}
	switch holds, known, wrong := schema.ConditionHolds(v, "condition", at); {
	case wrong != nil:
		return fail(wrong.Summary, wrong.Detail)
	case !known:
		return fail("Assertion about what is not known", unknownReason(r.Command, v.Marks()))
	case holds:
		return nil
	}
	said, diags := read.config.EvalWith(a.Message, further, read.lookUpLive)
	if diags.HasErrors() {
		return diags
	}
	text, wrong := schema.ConditionMessageOrDefault(said, "error_message", a.Message.Range())
	if wrong != nil {
		diags = append(diags, wrong)
	}
	return append(diags, fail("Test assertion failed", text)...)
}

// unknownReason says why the condition of a run is not known.
func unknownReason(command testfile.Command, marks cty.ValueMarks) string {
	var names []string
	for m := range marks {
		if c, ok := m.(kind.ComputedMark); ok {
			names = append(names, c.Addr.String()+"."+c.Attr)
		}
	}
	if command != testfile.Apply || len(names) == 0 {
		return "The condition depends on something that is known only after apply. Apply first, or ask for something else."
	}
	slices.Sort(names)
	return fmt.Sprintf("The condition depends on %s. B2 tells that, if at all, only when it makes the object. Ask for something else.",
		words.JoinAnd(names))
}

// assertionValueCharacters is how much of a value a failed assertion shows.
const assertionValueCharacters = 300

// referencedValuesText lists what a condition refers to with the values, a line each; "" where it refers to nothing that
// has one. What is sensitive is not shown.
func (t *tester) referencedValuesText(reader *outputReader, condition hcl.Expression, variables map[string]cty.Value) string {
	var lines []string
	for _, ref := range condition.Variables() {
		name := string(hclwrite.TokensForTraversal(ref).Bytes())
		v, diags := reader.config.EvalWith(&hclsyntax.ScopeTraversalExpr{Traversal: ref, SrcRange: ref.SourceRange()}, variables,
			reader.lookUpLive)
		if diags.HasErrors() {
			continue
		}
		v, marks := v.UnmarkDeep()
		line := "  " + name + " is "
		switch {
		case marks.Has(kind.Sensitive):
			line = "  " + name + " has a sensitive value"
		case !v.IsKnown():
			line += "not known yet"
		default:
			line += visible.EscapeTruncated(kind.FormatValue(v), assertionValueCharacters)
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "\n\n" + strings.Join(lines, "\n")
}

// keepSensitiveFileTexts keeps what must not be shown of declared files, which the account says of their versions.
func (t *tester) keepSensitiveFileTexts(c *config.Config) {
	for _, res := range c.Resources {
		for _, attr := range res.SensitiveAttrs {
			v := res.Value.GetAttr(attr)
			if res.Kind.Content != nil && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				t.sensitiveFileTexts[v.AsString()] = true
			}
		}
	}
}

// fileVersionsByBucketName is every file version of the account, by the name of its bucket.
func (t *tester) fileVersionsByBucketName() (cty.Value, error) {
	account, err := t.testAccount.Dump()
	if err != nil {
		return cty.NilVal, err
	}
	lists, names := map[string][]cty.Value{}, map[string]string{}
	for _, b := range account.Buckets {
		id, _ := b["bucketId"].(string)
		names[id], _ = b["bucketName"].(string)
	}
	for _, f := range account.FileVersions {
		id, _ := f["bucketId"].(string)
		lists[names[id]] = append(lists[names[id]], t.fileVersionValue(f))
	}
	out := map[string]cty.Value{}
	for _, name := range names {
		out[name] = cty.ListValEmpty(t.fileVersionValue(nil).Type())
		if len(lists[name]) > 0 {
			out[name] = cty.ListVal(lists[name])
		}
	}
	if len(out) == 0 {
		return cty.MapValEmpty(cty.List(t.fileVersionValue(nil).Type())), nil
	}
	return cty.MapVal(out), nil
}

// fileVersionValue is one version, newest first among those of a name.
func (t *tester) fileVersionValue(f map[string]any) cty.Value {
	text := func(name string) cty.Value {
		s, ok := f[name].(string)
		if !ok {
			return cty.NullVal(cty.String)
		}
		if t.sensitiveFileTexts[s] {
			return cty.StringVal(s).Mark(kind.Sensitive)
		}
		return cty.StringVal(s)
	}
	number := func(name string) float64 { n, _ := f[name].(float64); return n }
	return cty.ObjectVal(map[string]cty.Value{
		"name": text("fileName"), "action": text("action"), "file_id": text("fileId"), "content_type": text("contentType"),
		"sha1": text("contentSha1"), "size": cty.NumberFloatVal(number("contentLength")),
		"uploaded": cty.StringVal(time.UnixMilli(int64(number("uploadTimestamp"))).UTC().Format(time.RFC3339)),
	})
}
