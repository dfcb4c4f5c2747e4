package schema

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// What people paste from Terraform is recognised and answered with the rewrite,
// which the descriptors know.

// reportTerraformResource answers a resource block: its header, then each argument
// that has another name here.
func (l *module) reportTerraformResource(b *hcl.Block) {
	for _, k := range l.Kinds {
		if k.Terraform.Type != b.Labels[0] {
			continue
		}
		l.errorAt(b.DefRange, "Terraform block", fmt.Sprintf("Write %s %q { … } instead of resource %q %q { … }.", k.Name, b.Labels[1],
			b.Labels[0], b.Labels[1]))
		l.checkNamesAgainstKind(b.Body, k, k.Attrs, true)
		return
	}
	if k := l.kinds[b.Labels[0]]; k != nil {
		l.errorAt(b.DefRange, "Terraform block", fmt.Sprintf("Write %s %q { … } without the word resource.", k.Name, b.Labels[1]))
		return
	}
	var known []string
	for _, k := range l.Kinds {
		known = append(known, fmt.Sprintf("%s instead of %s", k.Name, k.Terraform.Type))
	}
	why := otherProviderAdvice(b.Labels[0])
	if why == "" {
		why = "It has " + strings.Join(known, ", ") + "."
	}
	l.errorAt(b.DefRange, "Terraform block", fmt.Sprintf("b2form has no resource %q. %s", b.Labels[0], why))
}

// otherProviderAdvice says what does the work of resources that often stand beside those of
// B2; "" of any other.
func otherProviderAdvice(typ string) string {
	switch name, _, _ := strings.Cut(typ, "_"); {
	case name == "random":
		return "A plan comes out the same every time: choose the value once and make it a variable."
	case name == "time":
		return "A key renews itself with rotate { every = \"90d\" }."
	case name == "local", name == "null", typ == "terraform_data":
		return "A key's secret goes into a file by deliver \"file\", and to a program by deliver \"command\"."
	}
	return ""
}

// terraformArgumentAdvice says what to write instead of an argument or nested block of
// Terraform's; "" where the name is none.
func terraformArgumentAdvice(k *kind.Kind, attrs []kind.Attr, name string, top bool) string {
	for i := range attrs {
		switch a := &attrs[i]; {
		case a.TerraformName != name:
		case a.Encoding.AsMap:
			return fmt.Sprintf("Write %s = [{ %s = …, %s = … }] with all pairs instead of %s.", a.Name, a.Object[0].Name,
				a.Object[1].Name, name)
		default:
			return fmt.Sprintf("Write %s instead of %s.", attrs[i].Name, name)
		}
	}
	for _, p := range k.Terraform.Hints {
		if p.Name == name && p.InNestedBlock != top {
			return p.Advice
		}
	}
	if h := syntax.ResourceBlock().FindHint(name); h != nil && top {
		return h.Advice
	}
	return ""
}

// terraformReferenceAdvice says what to write instead of a reference to a Terraform
// resource; "" where the root is none. An ID is known here by its whole resource, except where u allows what B2 makes.
func (l *module) terraformReferenceAdvice(t hcl.Traversal, u allowedRefs) string {
	for _, k := range l.Kinds {
		if t.RootName() != k.Terraform.Type {
			continue
		}
		length := min(len(t), 2)
		if len(t) > 2 && addr.RootOrAttrName(t[2]) == "" { // an instance key
			length = 3
		}
		rest := k.Name + strings.TrimPrefix(traversalText(t[:length]), t.RootName())
		if len(t) == length+1 {
			if name := b2formAttrNameOrSame(k, addr.RootOrAttrName(t[length])); name != k.IDAttr || u.computed {
				rest += "." + name
			}
		}
		return fmt.Sprintf("Write %s instead of %s.", rest, traversalText(t))
	}
	return ""
}

// b2formAttrNameOrSame is the name here of an attribute known by its name there.
func b2formAttrNameOrSame(k *kind.Kind, name string) string {
	for i := range k.Attrs {
		if k.Attrs[i].TerraformName == name {
			return k.Attrs[i].Name
		}
	}
	return name
}

// hintOfValueElsewhere names where a value of the variable stands without counting: in the environment in another case, or in a
// value file of Terraform's; "" where it stands nowhere.
func (l *module) hintOfValueElsewhere(name string) string {
	for _, g := range l.Env {
		if strings.EqualFold(g.Name, name) {
			return fmt.Sprintf(" The environment gives a value to %q: upper and lower case count in names of variables, so write %s%s.",
				g.Name, EnvPrefix, name)
		}
	}
	found, _ := filepath.Glob(filepath.Join(l.Dir, "*.tfvars"))
	for _, path := range found {
		file := filepath.Base(path)
		src, why := ReadConfigFile(l.folderOf(l.Dir), file)
		if why != "" {
			continue
		}
		parsed, _ := parse.Config(src, file, l.shared.evalBudget)
		if parsed == nil {
			continue
		}
		if values, _ := parsed.Body.JustAttributes(); values[name] != nil {
			return fmt.Sprintf(" One stands in %s, which b2form does not read by itself: give it with -var-file=%s.", file, file)
		}
	}
	return ""
}
