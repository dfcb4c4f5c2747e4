package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"b2form/apply"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// isStdoutNull reports whether standard output reaches nobody: it leads to the null
// device, also because it was closed, in whose place Go's runtime opens that.
func isStdoutNull() bool {
	out, err := os.Stdout.Stat()
	if err != nil {
		return true
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(out, null)
}

// isStdoutFile reports whether standard output is kept in a file, and is no log.
func isStdoutFile() bool {
	out, err := os.Stdout.Stat()
	return err == nil && out.Mode().IsRegular()
}

// warnDeadKeyFiles names the files that were delivered the secrets of keys which this run
// deleted, as far as the configuration still tells and they are there.
func (s *session) warnDeadKeyFiles(r *apply.Result) hcl.Diagnostics {
	deleted := map[addr.Addr]bool{}
	for _, c := range r.BegunChanges {
		if c.Change.Action == plan.Delete && c.Change.Kind.YieldsSecret() && c.Err == nil {
			deleted[c.Change.Addr] = !slices.Contains(r.PartlySkipped, c.Change.Addr)
		}
	}
	var names []string
	for _, res := range s.config.Resources {
		for _, d := range res.Deliveries {
			if deleted[res.Addr] && deliveredFileExists(d) {
				names = append(names, d.DisplayName)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "Files hold credentials of deleted keys",
		Detail: fmt.Sprintf("The keys were deleted whose secrets are in %s. Nothing works with them any more: delete what is there. The "+
			"state does not know these files now, so a later delivery to one is the hazard %q.",
			words.JoinAnd(names), kind.ReplacesLocalFiles)}}
}

func deliveredFileExists(d config.Delivery) bool {
	if d.Path == "" {
		return false
	}
	_, err := os.Lstat(d.Path)
	return err == nil
}
