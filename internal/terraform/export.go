package terraform

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

const exportHeader = `terraform {
  required_providers {
    b2 = {
      source  = "Backblaze/b2"
      version = "~> 0.13"
    }
  }
}

provider "b2" {}
`

// Export writes a resolved configuration for the official provider: a block for each
// resource, with what is repeated or in modules written out, and imports for what the
// entries own, under the addresses to which the configuration moves it. What has no
// counterpart there is said in comments. warnings are about what has another name than the
// object that its entry records: it gets no import.
func Export(c *config.Config, entries []addr.StateEntry) (text []byte, warnings hcl.Diagnostics) {
	e := &exporter{entries: map[addr.Addr]addr.StateEntry{}, labels: map[addr.Addr]string{}, taken: map[string]bool{},
		bucketRefs: map[string]string{}}
	if backend := c.Settings.Backend; backend.Type == "b2" {
		e.stateBucket = backend.Arguments["bucket"]
	}
	moved := c.MovedAddrs(entries)
	for _, entry := range entries {
		e.entries[cmp.Or(moved[entry.Addr], entry.Addr)] = entry
	}
	for _, r := range c.Resources {
		if entry, recorded := e.entries[r.Addr]; recorded && !mayBeSameObject(entry, r) {
			delete(e.entries, r.Addr)
			at := r.Block.RangeOf(r.Kind.IdentityAttr)
			warnings = append(warnings, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "No import block", Subject: &at,
				Detail: fmt.Sprintf("%s has another name here than the object that the state records. The import block would take that "+
					"object over under the wrong name, so it is left out, and Terraform would make another object. Give it the "+
					"name that was applied, perhaps by other values of variables, and export again.", r.Addr)})
		}
		label := e.takeUniqueLabel(r.Kind.Terraform.Type, identifier(r.Addr.Module+" "+r.Addr.Label+" "+r.Addr.Instance.String()))
		e.labels[r.Addr] = label
		if r.Kind.AllowedObjects != nil { // what others are limited to
			e.bucketRefs[r.Identity()] = r.Kind.Terraform.Type + "." + label
		}
	}
	var body strings.Builder
	for _, r := range c.Resources {
		body.WriteString("\n" + e.resource(r))
	}
	if n := len(e.relativeSourceAddrs); n > 0 {
		which := e.relativeSourceAddrs[0]
		if n > 1 {
			which += fmt.Sprintf(" and %d more", n-1)
		}
		warnings = append(warnings, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Paths that are right only in this folder",
			Detail: fmt.Sprintf("The source of %s is written relative to the folder of this configuration. Put the output there, or "+
				"change the paths; a comment marks each.", which)})
	}
	all := exportHeader + e.dataBlocks.String() + e.variables.String() + body.String() + e.imports(c) + notExported(c)
	return hclwrite.Format([]byte(all)), warnings
}

// notExported names what is no resource.
func notExported(c *config.Config) string {
	var names []string
	for _, o := range c.Outputs {
		names = append(names, "output."+o.Name)
	}
	for _, check := range c.Checks {
		names = append(names, check.Name)
	}
	for _, policy := range c.Policies {
		names = append(names, "policy."+policy.Name)
	}
	if len(names) == 0 {
		return ""
	}
	return visible.EscapeLines("\n# Not exported:\n#   " + strings.Join(names, "\n#   ") + "\n")
}

// mayBeSameObject reports whether what an entry records may be what is declared.
func mayBeSameObject(e addr.StateEntry, r *config.Resource) bool {
	return r.Kind.ParentKind() != "" || r.MatchesIdentityIgnoringTimestamp(e.Identity) ||
		slices.Contains(r.IgnoreChanges, r.Kind.IdentityAttr)
}

// An exporter is one run of Export.
type exporter struct {
	entries             map[addr.Addr]addr.StateEntry // of what is declared under the same name
	labels              map[addr.Addr]string
	taken               map[string]bool   // labels, by type
	bucketRefs          map[string]string // what refers to a bucket, by its identity
	stateBucket         string            // the name of the bucket that keeps the state; "": it is kept elsewhere
	dataBlocks          strings.Builder   // dataBlocks about buckets that are not declared
	variables           strings.Builder   // for secrets
	unsupportedAttrs    []string          // of the resource at hand
	relativeSourceAddrs []string          // addresses of files
}

func (e *exporter) takeUniqueLabel(typ, label string) string {
	try := label
	for n := 2; e.taken[typ+"."+try]; n++ {
		try = fmt.Sprintf("%s_%d", label, n)
	}
	e.taken[typ+"."+try] = true
	return try
}

// identifier makes an address, without the word module, one label.
func identifier(text string) string {
	text = strings.ReplaceAll("."+text, ".module.", " ")
	words := strings.FieldsFunc(text, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	label := strings.Join(words, "_")
	if !hclsyntax.ValidIdentifier(label) {
		label = "n" + label
	}
	return label
}

func (e *exporter) resource(r *config.Resource) string {
	e.unsupportedAttrs = nil
	var b strings.Builder
	label := e.labels[r.Addr]
	for i := range r.Kind.Attrs {
		if a := &r.Kind.Attrs[i]; !a.Computed {
			e.topAttr(&b, r, a, label)
		}
	}
	b.WriteString(e.lifecycle(r))
	if len(r.Deliveries) > 0 {
		e.unsupportedAttrs = append(e.unsupportedAttrs, "deliver")
	}
	text := blockText("resource "+quoted(r.Kind.Terraform.Type)+" "+quoted(label), b.String())
	comment := ""
	if len(e.unsupportedAttrs) > 0 {
		comment = "# The provider has no " + strings.Join(e.unsupportedAttrs, ", ") + ".\n"
	}
	if hasInlineContent(r) {
		text = string(hclwrite.Format([]byte(text)))
		var out strings.Builder
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
			out.WriteString("# " + line + "\n")
		}
		return "# The provider takes local files only: put the content into one, and name it as source.\n" + out.String()
	}
	if isSourceRelative(r) {
		e.relativeSourceAddrs = append(e.relativeSourceAddrs, visible.EscapeLine(r.Addr.String()))
		comment += "# The path of its source is relative to the folder of b2form's configuration.\n"
	}
	return "# " + visible.EscapeLine(r.Addr.String()) + "\n" + comment + text
}

// hasInlineContent reports whether a configuration holds the content of a file.
func hasInlineContent(r *config.Resource) bool {
	return r.Kind.Content != nil && r.Value.GetAttr(r.Kind.Content.SourceAttr).IsNull()
}

// isSourceRelative reports whether a file is read from a path that is right in one folder only.
func isSourceRelative(r *config.Resource) bool {
	if r.Kind.Content == nil || slices.Contains(r.SensitiveAttrs, r.Kind.Content.SourceAttr) {
		return false
	}
	source := r.Value.GetAttr(r.Kind.Content.SourceAttr)
	return source.IsKnown() && !source.IsNull() && !filepath.IsAbs(source.AsString())
}

// topAttr writes an attribute of a resource.
func (e *exporter) topAttr(b *strings.Builder, r *config.Resource, a *kind.Attr, resourceLabel string) {
	v, hidden := r.Value.GetAttr(a.Name), slices.Contains(r.SensitiveAttrs, a.Name)
	switch {
	case v.IsNull() || !v.IsKnown():
		return
	case providerLacks(r.Kind, a.Name):
		if v.Type() != cty.Bool && a.Name != "access" && a.Name != "sha1" || v.Type() == cty.Bool && v.True() &&
			a.Name == r.Kind.Destroy.ForceAttr {
			e.unsupportedAttrs = append(e.unsupportedAttrs, a.Name)
		}
		return
	case a.Name == "file_lock_enabled":
		b.WriteString(blockText("file_lock_configuration", "is_file_lock_enabled = "+literalHCL(v)+"\n"+e.retention(r)))
		return
	case a.Name == "default_retention":
		if lock := r.Value.GetAttr("file_lock_enabled"); lock.IsNull() {
			b.WriteString(blockText("file_lock_configuration", "is_file_lock_enabled = true\n"+e.retention(r)))
		}
		return
	case a.Encoding.Encode != nil && a.Type == cty.String && !hidden:
		fmt.Fprintf(b, "%s = %v\n", terraformName(a), a.Encoding.Encode(v))
		return
	case r.Kind.Credential != nil && a.Name == r.Kind.IdentityAttr:
		if entry, owned := e.entries[r.Addr]; owned {
			v = cty.StringVal(entry.Identity) // of a rotation, with the time
		}
	}
	e.attr(b, a, v, resourceLabel+"_"+a.Name, hidden)
}

// providerLacks reports whether the provider has no counterpart of an attribute.
func providerLacks(k *kind.Kind, name string) bool {
	switch name {
	case "access", "list_all_bucket_names", "rotate", "replication", "sha1", "force_destroy":
		return true
	}
	return k.Content != nil && name == k.Content.TextAttr
}

func (e *exporter) retention(r *config.Resource) string {
	const name = "default_retention"
	v := r.Value.GetAttr(name)
	switch {
	case v.IsNull():
		return ""
	case slices.Contains(r.SensitiveAttrs, name):
		return "# Its " + name + " is sensitive: write it here.\n"
	}
	return fmt.Sprintf("default_retention {\nmode = %s\nperiod {\nduration = %s\nunit = %s\n}\n}\n", literalHCL(v.GetAttr("mode")),
		literalHCL(v.GetAttr("duration")), literalHCL(v.GetAttr("unit")))
}

// attr writes an attribute or a member of one. path names the variables of what is not to be shown.
func (e *exporter) attr(b *strings.Builder, a *kind.Attr, v cty.Value, path string, hidden bool) {
	switch {
	case v.IsNull() || a.Name == "max_events_per_batch" && v.RawEquals(a.Default):
	case a.Name == "max_events_per_batch":
		e.unsupportedAttrs = append(e.unsupportedAttrs, a.Name)
	case a.Object != nil && a.Many:
		for i, one := range v.AsValueSlice() {
			e.block(b, a, one, fmt.Sprintf("%s_%d", path, i+1), hidden)
		}
	case a.Object != nil:
		e.block(b, a, v, path, hidden)
	case a.Secret || hidden && v.Type() != cty.Bool:
		name := e.takeUniqueLabel("var", identifier(path))
		fmt.Fprintf(&e.variables, "\nvariable %s {\nsensitive = true\n}\n", quoted(name))
		fmt.Fprintf(b, "%s = var.%s\n", terraformName(a), name)
	case a.Link.RefKind != "":
		fmt.Fprintf(b, "%s = %s\n", terraformName(a), e.bucketIDRefs(v))
	case a.Default != cty.NilVal && v.RawEquals(a.Default) && (v.Type() == cty.Bool && v.False() || v.CanIterateElements()):
	default:
		fmt.Fprintf(b, "%s = %s\n", terraformName(a), literalHCL(v))
	}
}

func (e *exporter) block(b *strings.Builder, a *kind.Attr, v cty.Value, path string, hidden bool) {
	b.WriteString(terraformName(a) + " {\n")
	for i := range a.Object {
		m := &a.Object[i]
		e.attr(b, m, v.GetAttr(m.Name), path+"_"+m.Name, hidden)
	}
	b.WriteString("}\n")
}

// bucketIDRefs writes the IDs of buckets, which the configuration knows by their names.
func (e *exporter) bucketIDRefs(v cty.Value) string {
	if v.Type() == cty.String {
		return e.addDataBucketRef(v.AsString())
	}
	var list []string
	for _, one := range v.AsValueSlice() {
		list = append(list, e.addDataBucketRef(one.AsString()))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func (e *exporter) addDataBucketRef(name string) string {
	at := strings.ToLower(name)
	if e.bucketRefs[at] == "" {
		label := e.takeUniqueLabel("data", identifier(name))
		e.bucketRefs[at] = "data.b2_bucket." + label
		fmt.Fprintf(&e.dataBlocks, "\ndata \"b2_bucket\" %s {\nbucket_name = %s\n}\n", quoted(label), quoted(name))
	}
	return e.bucketRefs[at] + ".bucket_id"
}

// lifecycle says what stands in the resource itself here.
func (e *exporter) lifecycle(r *config.Resource) string {
	var ignored []string
	for _, name := range r.IgnoreChanges {
		switch a := r.Kind.FindAttr(name); {
		case name == "file_lock_enabled" || name == "default_retention":
			ignored = append(ignored, "file_lock_configuration")
		case a != nil && !providerLacks(r.Kind, name):
			ignored = append(ignored, terraformName(a))
		}
	}
	if _, owned := e.entries[r.Addr]; owned && r.Kind.Credential != nil {
		// B2 does not tell how long a key was to live, so an import knows none.
		if d := r.Kind.FindAttr("valid_duration"); d != nil && !r.Value.GetAttr(d.Name).IsNull() {
			ignored = append(ignored, terraformName(d))
		}
	}
	text := ""
	if info := r.Kind.FindAttr("info"); info != nil && e.stateBucket == r.Identity() {
		ignored = append(ignored, terraformName(info))
		text = "# The bucket holds a state of b2form, and the pair of its info that points there must stay.\n"
	}
	slices.Sort(ignored)
	if r.PreventDestroy {
		text = "prevent_destroy = true\n" + text
	}
	if len(ignored) > 0 {
		text += "ignore_changes = [" + strings.Join(slices.Compact(ignored), ", ") + "]\n"
	}
	if text == "" {
		return ""
	}
	return "\n" + blockText("lifecycle", text)
}

// imports takes over what the state owns, as far as the provider can.
func (e *exporter) imports(c *config.Config) string {
	var b strings.Builder
	var cannot []string
	for _, r := range c.Resources {
		to := r.Kind.Terraform.Type + "." + e.labels[r.Addr]
		switch entry, owned := e.entries[r.Addr]; {
		case hasInlineContent(r):
		case r.Kind.ParentKind() != "":
			cannot = append(cannot, to)
		case owned:
			fmt.Fprintf(&b, "\nimport {\nto = %s\nid = %s\n}\n", to, quoted(entry.ID))
		}
	}
	if len(cannot) > 0 {
		b.WriteString("\n# The provider cannot import these. Applied, the rules of a bucket are set again as they are, and a file gets " +
			"another version:\n")
		for _, to := range cannot {
			b.WriteString("#   " + to + "\n")
		}
	}
	return b.String()
}
