package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// defaultDataFilename is the name of what stands for the files of a folder without configuration.
const defaultDataFilename = "<account>"

// addDefaultDataBlocks declares what a folder without configuration has: data about the
// account and about everything that stands alone in it, as data.account.this and
// data.buckets.all.
func (l *module) addDefaultDataBlocks() {
	var src strings.Builder
	for _, b := range syntax.DataBlocks(l.Kinds) {
		if name := wholeAccountDataName(l.Kinds, b.FormLabel); name != "" {
			fmt.Fprintf(&src, "data %q %q {}\n", b.FormLabel, name)
		}
	}
	file, diags := hclsyntax.ParseConfig([]byte(src.String()), defaultDataFilename, hcl.InitialPos)
	l.add(diags...)
	l.config.Files[defaultDataFilename] = file
	l.configBodies = append(l.configBodies, fileBody{defaultDataFilename, file.Body})
	l.withoutConfig = true
}

// wholeAccountDataName is the name of the default data block of a form; "": the form is not about the whole account.
func wholeAccountDataName(kinds []*kind.Kind, form string) string {
	for _, k := range kinds {
		if form == k.Plural && k.ParentKind() == "" {
			return "all"
		}
	}
	if form == syntax.AccountForm {
		return "this"
	}
	return ""
}
