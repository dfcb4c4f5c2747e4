package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// report adds to the findings what is wrong with one instance of a module or block.
type report struct {
	*uniqueDiagnostics
	instanceAddr     string // address of the instance; "" of what is not repeated
	inRepeatedModule bool   // the instance has variables of its own: it is in a repeated module
}

// uniqueDiagnostics collects diagnostics and drops repetitions: a block with for_each would
// say the same thing once per instance.
type uniqueDiagnostics struct {
	diags          hcl.Diagnostics
	hasErrors      bool // an error is among them
	seen           map[diagnosticKey]*hcl.Diagnostic
	countByPlace   map[diagnosticKey]int // without the detail
	affectedByDiag map[*hcl.Diagnostic]*affectedInstances
}

// An affectedInstances is what a diagnostic is about.
type affectedInstances struct {
	instances      []string // addresses, in the order of the reports; none: it is about nothing that is repeated, or names that itself
	variableValues string   // as variableValuesText says, of the first instance
}

type diagnosticKey struct {
	at                        hcl.Range
	summary, detail, instance string
}

// maxReportsPerPlace is how often one thing is said of one place in different words.
const maxReportsPerPlace = 5

func newReport() *report {
	return &report{uniqueDiagnostics: &uniqueDiagnostics{seen: map[diagnosticKey]*hcl.Diagnostic{}, countByPlace: map[diagnosticKey]int{},
		affectedByDiag: map[*hcl.Diagnostic]*affectedInstances{}}}
}

// inModule is the report on the instance of a module with this path.
func (r *report) inModule(moduleAddr string) *report {
	if !strings.Contains(moduleAddr, "[") { // none of the modules that lead there is repeated
		return r
	}
	return &report{uniqueDiagnostics: r.uniqueDiagnostics, instanceAddr: moduleAddr, inRepeatedModule: true}
}

// inInstance is the report on one instance of a block.
func (r *report) inInstance(address string) *report {
	return &report{uniqueDiagnostics: r.uniqueDiagnostics, instanceAddr: address, inRepeatedModule: r.inRepeatedModule}
}

func (r *report) add(diags ...*hcl.Diagnostic) {
	for _, d := range diags {
		if _, unknown := d.Extra.(unknownValueExtra); unknown && r.hasErrors {
			continue
		}
		d.Detail = fixLabelPlural(d.Detail)
		key := diagnosticKey{summary: d.Summary}
		if d.Subject != nil {
			key.at = *d.Subject
		}
		full := key
		full.detail, full.instance = d.Detail, config.AffectedAddrText(d)
		if first := r.seen[full]; first != nil {
			if c := r.uniqueDiagnostics.affectedByDiag[first]; c != nil && len(c.instances) > 0 && r.instanceAddr != "" &&
				!slices.Contains(c.instances, r.instanceAddr) {
				c.instances = append(c.instances, r.instanceAddr)
			}
			continue
		}
		if d.Subject != nil && full.instance == "" && r.countByPlace[key] == maxReportsPerPlace {
			continue
		}
		r.seen[full] = d
		r.countByPlace[key]++
		r.hasErrors = r.hasErrors || d.Severity == hcl.DiagError
		r.diags = append(r.diags, d)
		if r.instanceAddr != "" && !strings.Contains(d.Detail, r.instanceAddr) {
			r.uniqueDiagnostics.affectedByDiag[d] = &affectedInstances{[]string{r.instanceAddr}, r.variableValuesText(d)}
		} else if values := r.variableValuesText(d); values != "" {
			r.uniqueDiagnostics.affectedByDiag[d] = &affectedInstances{nil, values}
		}
	}
}

// maxShownValueLength is how much of a variable's value a message repeats.
const maxShownValueLength = 40

// variableValuesText is what that comes to which something wrong is made from: ", where var.n is
// \"bad\"". Only what is short and not sensitive is repeated. Texts are only where the variables of a repeated module are what
// tells its instances apart: elsewhere one may be a secret that nobody declared sensitive.
func (r *report) variableValuesText(d *hcl.Diagnostic) string {
	if d.Expression == nil || d.EvalContext == nil {
		return ""
	}
	var out []string
	for _, t := range d.Expression.Variables() {
		if t.IsRelative() || !slices.Contains([]string{"var", "local", "each"}, t.RootName()) {
			continue
		}
		v, diags := t.TraverseAbs(d.EvalContext)
		for len(t) > 1 && diags.HasErrors() { // what is null has no attributes
			t = t[:len(t)-1]
			v, diags = t.TraverseAbs(d.EvalContext)
		}
		if diags.HasErrors() || !v.IsKnown() || len(kind.ComputedMarksIn(v)) > 0 {
			continue
		}
		v, marks := v.Unmark()
		text := ""
		switch {
		case marks.Has(kind.Sensitive):
			continue
		case v.IsNull():
			text = "null"
		case v.Type() == cty.String && t.RootName() == "var" && r.inRepeatedModule:
			text = strconv.Quote(v.AsString())
		case v.Type() == cty.Bool:
			text = strconv.FormatBool(v.True())
		case v.Type() == cty.Number:
			text = v.AsBigFloat().Text('g', 10)
		}
		if said := traversalText(t) + " is " + text; text != "" && len(text) <= maxShownValueLength && !slices.Contains(out, said) {
			out = append(out, said)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ", where " + words.JoinAnd(out)
}

// errorAbout reports an error that a block may have many of, one for each instance.
func (r *report) errorAbout(instance addr.Addr, at hcl.Range, summary, detail string) {
	r.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at, Extra: instance})
}

// errorAt reports an error at a place.
func (r *report) errorAt(at hcl.Range, summary, detail string) {
	r.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at})
}

// errorWithoutPlace reports an error that has no place in a file.
func (r *report) errorWithoutPlace(summary, detail string) {
	r.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail})
}

// sortedDiags lists the diagnostics by file and place; those without a place first. Those
// about instances name them.
func (r *report) sortedDiags() hcl.Diagnostics {
	for d, c := range r.uniqueDiagnostics.affectedByDiag {
		gap := " "
		if _, own := d.Extra.(config.UserMessageExtra); own {
			gap = "\n\n"
		}
		d.Detail += gap + c.text() + "."
	}
	clear(r.uniqueDiagnostics.affectedByDiag)
	slices.SortStableFunc(r.diags, func(a, b *hcl.Diagnostic) int {
		return compareRanges(subjectRange(a), subjectRange(b))
	})
	return r.diags
}

// maxInstancesNamed is how many instances a message names.
const maxInstancesNamed = 3

func (c *affectedInstances) text() string {
	switch len(c.instances) {
	case 0:
		return "Here" + strings.TrimPrefix(c.variableValues, ", where")
	case 1:
		return "This is about " + c.instances[0] + c.variableValues
	}
	return "This is about " + words.JoinAtMost(c.instances, maxInstancesNamed)
}

func subjectRange(d *hcl.Diagnostic) hcl.Range {
	if d.Subject == nil {
		return hcl.Range{}
	}
	return *d.Subject
}

func compareRanges(a, b hcl.Range) int {
	if c := strings.Compare(a.Filename, b.Filename); c != 0 {
		return c
	}
	if a.Start.Byte != b.Start.Byte {
		return a.Start.Byte - b.Start.Byte
	}
	return a.End.Byte - b.End.Byte
}
