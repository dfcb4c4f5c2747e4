package view

import (
	"fmt"
	"maps"
	"strings"

	"b2form/plan"
	"b2form/schema/addr"
)

// So many that are alike are folded, and so many of them are shown.
const (
	manyAlike  = 20
	shownAlike = 3
)

// A similarCreates is creates that are alike.
type similarCreates struct {
	total, shown int
	hiddenAddrs  []string // addresses of what is not shown
}

// findSimilarCreates finds the creates of which so many are alike that a few stand for all, by their
// indices.
func findSimilarCreates(changes []plan.Change) (byChangeIndex map[int]*similarCreates) {
	byShape := map[string]*similarCreates{}
	all := make(map[int]*similarCreates, len(changes))
	for i := range changes {
		s := createShapeIfFoldable(&changes[i])
		if s == "" {
			continue
		}
		if byShape[s] == nil {
			byShape[s] = &similarCreates{}
		}
		byShape[s].total++
		all[i] = byShape[s]
	}
	maps.DeleteFunc(all, func(_ int, f *similarCreates) bool { return f.total < manyAlike })
	return all
}

// createShapeIfFoldable is the same for creates that differ in names and contents only, and "" for what
// is always shown: everything that is no plain create, and what has a hazard.
func createShapeIfFoldable(c *plan.Change) string {
	if c.Action != plan.Create || c.Import || c.Reason != "" || c.MovedFrom != (addr.Addr{}) ||
		len(c.Hazards)+len(c.Imports())+len(c.FurtherDeletes)+len(c.Retiring)+len(c.Overlapping) > 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(c.Kind.Name)
	own := ownNameEraser(c)
	for _, a := range c.Kind.SettableAttrs() {
		v := attrOrNull(c.After, a)
		content := c.Kind.Content != nil && (a.Name == c.Kind.Content.SHA1Attr || a.Name == c.Kind.Content.SourceAttr)
		switch {
		case c.Kind.IsIdentityAttr(a.Name), a.Secret, content, a.Link.RefKind != "" && !v.IsNull():
		default:
			b.WriteString("\n" + a.Name + " = " + own.Replace(FormatHCLHidingSensitive(v)))
		}
	}
	fmt.Fprintf(&b, "\n%d deliveries, sensitive: %v", len(c.DeliverTo), c.Sensitive)
	return b.String()
}

// ownNameEraser takes out of a text what an object is told apart by.
func ownNameEraser(c *plan.Change) *strings.Replacer {
	var pairs []string
	name := attrOrNull(c.After, c.Kind.FindAttr(c.Kind.IdentityAttr))
	if name.IsKnown() && !name.IsNull() {
		pairs = append(pairs, FormatHCLHidingSensitive(name), "", strings.Trim(FormatHCLHidingSensitive(name), `"`), "")
	}
	if text := strings.Trim(c.Addr.Instance.String(), `[]"`); strings.Trim(text, "0123456789") != "" {
		pairs = append(pairs, text, "")
	}
	return strings.NewReplacer(pairs...)
}

// countAndPrintFolded counts one more of a fold, and at the end of it says what was not shown.
func (p *linePrinter) countAndPrintFolded(f *similarCreates, a addr.Addr) {
	if f.shown < shownAlike {
		f.shown++
		return
	}
	f.hiddenAddrs = append(f.hiddenAddrs, a.String())
	if f.shown+len(f.hiddenAddrs) < f.total {
		return
	}
	const most = 30
	names := f.hiddenAddrs
	if n := len(names); n > most {
		names = append(names[:most:most], fmt.Sprintf("and %d others", n-most))
	}
	p.WriteByte('\n')
	p.printPainted("  # (", fmt.Sprintf("%d more like these will be created; -verbose shows each: %s)", len(f.hiddenAddrs),
		strings.Join(names, ", ")),
		"  #  ")
}
