package main

import (
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
)

func (p *program) policyFlag() cli.Flag {
	return &cli.GenericFlag{Name: "policy", Usage: "hold what is planned to the policies in `DIR`, a folder or a file; repeatable " +
		"(B2FORM_POLICY does the same)", Value: funcFlag{func(dir string) error {
		p.policyDirs = append(p.policyDirs, dir)
		return nil
	}}}
}

// policyFolders are the folders whose policies hold beside those of the configuration.
func (p *program) policyFolders() []string {
	var out []string
	for _, dir := range slices.Concat(filepath.SplitList(p.getenv("B2FORM_POLICY")), p.policyDirs, p.testPolicies) {
		if dir != "" && !slices.Contains(out, filepath.Clean(dir)) {
			out = append(out, filepath.Clean(dir))
		}
	}
	return out
}

// exceptions are those from policies, for which a reason is declared.
func (s *session) exceptions() (list []view.Exception) {
	for _, r := range s.config.Resources {
		for _, x := range r.Exceptions {
			list = append(list, view.Exception{Addr: r.Addr, Exception: x})
		}
	}
	return list
}
