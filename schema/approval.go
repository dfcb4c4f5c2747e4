package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/config"
	"b2form/schema/folder"
	"b2form/schema/functions"
	"b2form/schema/kind"
	"b2form/schema/parse"
)

// trialInputs are what the deliveries of one block are rendered with for trial, in each instance.
type trialInputs struct {
	template     *hcl.EvalContext             // with made-up values
	functions    map[string]function.Function // nil: those of every expression
	reads        folder.Reads                 // what functions read
	approved     []string                     // of the arguments that may use the secret, in every instance
	hasSensitive bool                         // these may give something sensitive beside the secret
}

func (l *module) newTrialInputs(d *deliverBlock, template *hcl.EvalContext) *trialInputs {
	t := &trialInputs{template: template}
	t.reads, t.functions = l.functionsRecordingReads(d)
	t.approved, t.hasSensitive = digestOfReferredValues(d, template, func(root string) bool { return root != "each" && root != "count" })
	for _, name := range d.argNamesUsingSecret {
		expr := d.args[name].Expr
		t.approved = append(t.approved, name, l.sourceText(expr.Range()))
		t.hasSensitive = t.hasSensitive || parse.Calls(expr, "sensitive")
	}
	return t
}

// setApprovalDigest identifies what whoever approves a plan approves of a delivery. What came of made-up values is not all of it:
// another secret may take another branch of an expression. So the expressions count, what they refer to, and what they read.
func (e *instanceEvaluation) setApprovalDigest(d *deliverBlock, out *config.Delivery, trial *trialInputs, tried trialResult,
	rep repetitionData) {
	parts := []string{out.SettingsDigest}
	if len(out.Command) > 0 && e.module.caller != nil {
		parts = append(parts, "in", modulePath(e.module.shared.rootOptions, out.ProgramDir))
	}
	ctx := rep.context(trial.template, d.refsOfSecretArgs.invalidRoots)
	own, ownSensitive := digestOfReferredValues(d, ctx, func(root string) bool { return root == "each" || root == "count" })
	out.HasOtherSensitive = out.HasOtherSensitive || trial.hasSensitive || ownSensitive
	parts = slices.Concat(parts, trial.approved, own)
	for _, v := range tried.values {
		parts = append(parts, valueText(v))
	}
	for _, what := range slices.Sorted(maps.Keys(tried.reads)) {
		parts = append(parts, what, tried.reads[what])
	}
	if len(parts) > 1 {
		out.ApprovalDigest = textsDigest(parts)
	}
}

// digestOfReferredValues is one text for all values that the arguments that may use the secret refer to by the given roots, or none; none
// of them is of the secret itself.
func digestOfReferredValues(d *deliverBlock, ctx *hcl.EvalContext, includesRoot func(string) bool) (texts []string, hasSensitive bool) {
	for _, name := range d.argNamesUsingSecret {
		for _, t := range d.args[name].Expr.Variables() {
			if root := t.RootName(); root == "self" || !includesRoot(root) {
				continue
			}
			v := valueAtLongestPrefix(t, ctx)
			hasSensitive = hasSensitive || v.HasMarkDeep(kind.Sensitive)
			texts = append(texts, valueText(v))
		}
	}
	if len(texts) > 0 {
		texts = []string{textsDigest(texts)}
	}
	return texts, hasSensitive
}

// valueAtLongestPrefix is what a reference leads to, or the last thing on the way of which there is a value.
func valueAtLongestPrefix(t hcl.Traversal, ctx *hcl.EvalContext) cty.Value {
	for ; len(t) > 0; t = t[:len(t)-1] {
		if v, diags := t.TraverseAbs(ctx); !diags.HasErrors() {
			return v
		}
	}
	return cty.DynamicVal
}

// valueText is the same for the same values alone, known or not; marks do not count.
func valueText(v cty.Value) string {
	v, _ = v.UnmarkDeep()
	return fmt.Sprintf("%#v", v)
}

func textsDigest(texts []string) string {
	b, _ := json.Marshal(texts) // strings always encode
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// sourceText is what is written, without comments and layout where the syntax is HCL's own.
func (l *module) sourceText(at hcl.Range) string {
	f := l.config.Files[at.Filename]
	text := f.Bytes
	if o, hidden := f.Body.(sourceBody); hidden { // what stands in for secrets is the same for all of them
		text = o.src
	}
	if text = at.SliceBytes(text); isJSONFile(at.Filename) {
		return string(text)
	}
	return lengthPrefixedTokens(tokensWithoutLayout(text, at))
}

// nonsensitiveMembers are the names and values in a map of strings that are not sensitive, sorted by name; of what is no map,
// or not known, there are none.
func nonsensitiveMembers(v cty.Value) (namesAndValues []string) {
	v, marks := v.Unmark()
	if marks.Has(kind.Sensitive) || !v.Type().IsMapType() || !v.IsKnown() {
		return nil
	}
	for it := v.ElementIterator(); it.Next(); {
		name, member := it.Element()
		plain, marks := member.Unmark()
		if !marks.Has(kind.Sensitive) && plain.IsKnown() && !plain.IsNull() {
			namesAndValues = append(namesAndValues, name.AsString(), plain.AsString())
		}
	}
	return namesAndValues
}

// functionsRecordingReads are the functions that a delivery's arguments call, if these may read files, and what they read from now on; nil
// where they cannot.
func (l *module) functionsRecordingReads(d *deliverBlock) (folder.Reads, map[string]function.Function) {
	if !d.mayReadFiles {
		return nil, nil
	}
	from := l.folderOf(l.Dir)
	from.RecordedReads = folder.Reads{}
	return from.RecordedReads, functions.All(from, l.shared.evalBudget)
}
