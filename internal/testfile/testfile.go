// Package testfile reads what b2form test runs: *.b2test.hcl files, in which each run
// block is a plan or an apply with what is expected of it.
package testfile

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/words"
	"b2form/schema/parse"
)

// A File is the runs of one file, which follow each other on one account.
type File struct {
	Path   string
	Source *hcl.File
	Runs   []*Run
}

// A Command is what a run does.
type Command string

// The commands of runs.
const (
	Apply   Command = "apply"
	Plan    Command = "plan"
	Destroy Command = "destroy"
)

// A Run is one run block.
type Run struct {
	Name  string
	Range hcl.Range

	Command            Command
	SourceDir          string    // folder of the configuration; "": that of the test
	ConfigurationText  string    // instead of a folder: its text; "": there is none
	ConfigurationRange hcl.Range // of what is written for that text
	PolicyPaths        []string  // folders and files of policies
	Variables          map[string]hcl.Expression
	// FileVariables are those of the file; a run whose configuration has no such variable is not
	// given them.
	FileVariables map[string]hcl.Expression

	AllExpectedChanges     map[string]string // all that are planned: actions by address; nil: any
	ChangesRange           hcl.Range
	ExpectFailures         []ExpectedFailure
	SecondPlanIsEmpty      bool
	UploadsAfterApply      []Upload // after the apply, in their order
	ClockAdvanceAfterApply time.Duration
	Asserts                []Assert
}

// An ExpectedFailure is what must fail: "policy.keys_expire", "var.site", "bucket.photos".
type ExpectedFailure struct {
	Name  string
	Range hcl.Range
}

// An Upload is a file that somebody uploads, or hides.
type Upload struct {
	Bucket, Name, Content string
	Hide                  bool
	Range                 hcl.Range
}

// An Assert is a condition, and what is said where it does not hold.
type Assert struct{ Condition, Message hcl.Expression }

// IsVacuous reports whether nothing is expected of the run.
func (r *Run) IsVacuous() bool {
	return r.AllExpectedChanges == nil && len(r.ExpectFailures) == 0 && !r.SecondPlanIsEmpty && len(r.Asserts) == 0
}

// Parse reads the text of a file. The File is never nil; with errors it holds what could be
// read.
func Parse(src []byte, path string) (*File, hcl.Diagnostics) {
	f := &File{Path: path}
	var diags hcl.Diagnostics
	if f.Source, diags = parse.Config(src, path, parse.NewBudget(0)); diags.HasErrors() {
		return f, diags
	}
	content, more := f.Source.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "variables"}, {Type: "run", LabelNames: []string{"name"}},
	}})
	r := &reader{diags: append(diags, more...)}
	common := map[string]hcl.Expression{}
	for _, b := range content.Blocks.OfType("variables") {
		maps.Copy(common, r.variables(b))
	}
	for _, b := range content.Blocks.OfType("run") {
		run := r.run(b, common)
		if i := slices.IndexFunc(f.Runs, func(o *Run) bool { return o.Name == run.Name }); i >= 0 {
			r.errorAt(b.DefRange, "Duplicate run",
				fmt.Sprintf("There is a run %q already at line %d.", run.Name, f.Runs[i].Range.Start.Line))
		}
		f.Runs = append(f.Runs, run)
	}
	if len(f.Runs) == 0 && !r.diags.HasErrors() {
		r.diags = append(r.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Test without runs",
			Detail: path + " holds no run block, so it tests nothing."})
	}
	return f, r.diags
}

// mostAdvance is how far the runs of a file move the clock: no key and no rule of B2's lasts longer.
const mostAdvance = 3650 * 24 * time.Hour

type reader struct {
	diags    hcl.Diagnostics
	advanced time.Duration // by the runs so far
}

func (r *reader) errorAt(at hcl.Range, summary, detail string) {
	r.diags = append(r.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at})
}

func (r *reader) variables(b *hcl.Block) map[string]hcl.Expression {
	attrs, diags := b.Body.JustAttributes()
	r.diags = append(r.diags, diags...)
	out := make(map[string]hcl.Expression, len(attrs))
	for name, a := range attrs {
		out[name] = a.Expr
	}
	return out
}

func runSchema() *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "variables"}, {Type: "assert"}, {Type: "upload"}, {Type: "hide"}}}
	for _, name := range []string{"command", "source", "configuration", "policies", "changes", "expect_failures", "second_plan_is_empty",
		"advance"} {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: name})
	}
	return s
}

// run reads one run block.
func (r *reader) run(b *hcl.Block, common map[string]hcl.Expression) *Run {
	run := &Run{Name: b.Labels[0], Range: b.DefRange, Command: Apply, Variables: map[string]hcl.Expression{}, FileVariables: common}
	content, diags := b.Body.Content(runSchema())
	r.diags = append(r.diags, diags...)
	attrs := content.Attributes
	if a := attrs["command"]; a != nil {
		run.Command = r.command(a)
	}
	r.readConstant(attrs["source"], cty.String, "a string", &run.SourceDir)
	r.readConstant(attrs["configuration"], cty.String, "a string", &run.ConfigurationText)
	if a := attrs["configuration"]; a != nil {
		run.ConfigurationRange = a.Expr.Range()
	}
	r.readConstant(attrs["policies"], cty.List(cty.String), "a list of folders and files", &run.PolicyPaths)
	r.readConstant(attrs["changes"], cty.Map(cty.String), "a map of addresses to actions", &run.AllExpectedChanges)
	r.readConstant(attrs["second_plan_is_empty"], cty.Bool, "true or false", &run.SecondPlanIsEmpty)
	advance := ""
	r.readConstant(attrs["advance"], cty.String, "a duration", &advance)
	switch d, ok := words.ParseDuration(advance); {
	case advance == "":
	case !ok:
		r.errorAt(attrs["advance"].Expr.Range(), "Invalid duration", fmt.Sprintf("%q is no duration; %s.", advance, words.Durations))
	case d > mostAdvance-r.advanced:
		r.errorAt(attrs["advance"].Expr.Range(), "Clock moved too far", fmt.Sprintf("The runs of a file move the clock by at most %d days "+
			"altogether. Move it less.", mostAdvance/(24*time.Hour)))
	default:
		run.ClockAdvanceAfterApply = d
		r.advanced += d
	}
	if a := attrs["changes"]; a != nil {
		run.ChangesRange = a.Range
		r.checkActions(a.Expr, run.AllExpectedChanges)
	}
	if a := attrs["expect_failures"]; a != nil {
		run.ExpectFailures = r.readExpectedFailures(a.Expr)
	}
	if run.SourceDir != "" && run.ConfigurationText != "" {
		r.errorAt(attrs["configuration"].NameRange, "Two configurations", "A run has a source or a configuration. Remove one of them.")
	}
	r.blocks(content.Blocks, run)
	if run.Command != Apply && (run.SecondPlanIsEmpty || len(run.UploadsAfterApply) > 0 || run.ClockAdvanceAfterApply > 0) {
		r.errorAt(b.DefRange, "Nothing is applied", "second_plan_is_empty, upload, hide and advance come after an apply. Remove them, or "+
			"write command = \"apply\".")
	}
	if run.IsVacuous() && !r.diags.HasErrors() {
		r.diags = append(r.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Run without assertions", Subject: &b.DefRange,
			Detail: fmt.Sprintf("Run %q fails only where it cannot be carried out. Say what is expected: assert, changes, "+
				"expect_failures or second_plan_is_empty.", run.Name)})
	}
	return run
}

// checkActions refuses what no plan does.
func (r *reader) checkActions(e hcl.Expression, changes map[string]string) {
	known := []string{"create", "update", "replace", "rotate", "delete", "forget", "no-op"}
	for _, a := range slices.Sorted(maps.Keys(changes)) {
		if !slices.Contains(known, changes[a]) {
			r.errorAt(e.Range(), "Unknown action", fmt.Sprintf("%q of %s is no action; they are %s.%s", changes[a], a,
				words.JoinAnd(known), words.DidYouMean(changes[a], "", known)))
		}
	}
}

// command reads a word, bare as Terraform's or in quotes.
func (r *reader) command(a *hcl.Attribute) Command {
	name := hcl.ExprAsKeyword(a.Expr)
	if name == "" {
		r.readConstant(a, cty.String, "a string", &name)
	}
	if c := Command(name); slices.Contains([]Command{Apply, Plan, Destroy}, c) {
		return c
	}
	r.errorAt(a.Expr.Range(), "Unknown command", fmt.Sprintf("A run's command is apply, plan or destroy, not %q.", name))
	return Apply
}

// readExpectedFailures reads names of what is to fail, as references or in quotes.
func (r *reader) readExpectedFailures(e hcl.Expression) []ExpectedFailure {
	list, diags := hcl.ExprList(e)
	if diags.HasErrors() {
		r.errorAt(e.Range(), "Invalid expect_failures", "expect_failures needs a list, as [policy.keys_expire, var.site, bucket.photos].")
		return nil
	}
	var out []ExpectedFailure
	for _, item := range list {
		name := ""
		if t, diags := hcl.AbsTraversalForExpr(item); !diags.HasErrors() && len(t) == 2 {
			if step, ok := t[1].(hcl.TraverseAttr); ok {
				name = t.RootName() + "." + step.Name
			}
		} else if v, diags := parse.Constant(item); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			name = v.AsString()
		}
		if name == "" {
			r.errorAt(item.Range(), "Invalid expect_failures", "Name what is to fail, as policy.keys_expire, check.private, var.site, "+
				"output.endpoint or bucket.photos.")
			continue
		}
		out = append(out, ExpectedFailure{name, item.Range()})
	}
	return out
}

func (r *reader) blocks(blocks hcl.Blocks, run *Run) {
	for _, b := range blocks {
		switch b.Type {
		case "variables":
			maps.Copy(run.Variables, r.variables(b))
		case "assert":
			content := r.readExactArguments(b, "condition", "error_message")
			if content != nil {
				run.Asserts = append(run.Asserts, Assert{content["condition"].Expr, content["error_message"].Expr})
			}
		case "upload":
			if content := r.readExactArguments(b, "bucket", "name", "content"); content != nil {
				u := Upload{Range: b.DefRange}
				r.readConstant(content["bucket"], cty.String, "a string", &u.Bucket)
				r.readConstant(content["name"], cty.String, "a string", &u.Name)
				r.readConstant(content["content"], cty.String, "a string", &u.Content)
				run.UploadsAfterApply = append(run.UploadsAfterApply, u)
			}
		case "hide":
			if content := r.readExactArguments(b, "bucket", "name"); content != nil {
				u := Upload{Hide: true, Range: b.DefRange}
				r.readConstant(content["bucket"], cty.String, "a string", &u.Bucket)
				r.readConstant(content["name"], cty.String, "a string", &u.Name)
				run.UploadsAfterApply = append(run.UploadsAfterApply, u)
			}
		}
	}
}

// readExactArguments reads a block that has these arguments and no others; nil: an error was reported.
func (r *reader) readExactArguments(b *hcl.Block, names ...string) hcl.Attributes {
	s := &hcl.BodySchema{}
	for _, name := range names {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: name, Required: true})
	}
	content, diags := b.Body.Content(s)
	r.diags = append(r.diags, diags...)
	if diags.HasErrors() {
		return nil
	}
	return content.Attributes
}

// readConstant evaluates an argument, which must be a constant; nothing is read where there is none.
func (r *reader) readConstant(a *hcl.Attribute, want cty.Type, typeText string, into any) {
	if a == nil {
		return
	}
	v, diags := parse.Constant(a.Expr)
	r.diags = append(r.diags, diags...)
	if diags.HasErrors() {
		return
	}
	v, err := convert.Convert(v, want)
	if err != nil || v.IsNull() || !v.IsWhollyKnown() {
		r.errorAt(a.Expr.Range(), "Wrong type", fmt.Sprintf("%s needs %s.", a.Name, typeText))
		return
	}
	switch into := into.(type) {
	case *string:
		*into = v.AsString()
	case *bool:
		*into = v.True()
	case *[]string:
		for _, e := range v.AsValueSlice() {
			*into = append(*into, textOf(e))
		}
	case *map[string]string:
		*into = map[string]string{}
		for key, e := range v.AsValueMap() {
			(*into)[key] = textOf(e)
		}
	}
}

func textOf(v cty.Value) string {
	if v.IsNull() {
		return ""
	}
	return v.AsString()
}
