package main

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
)

func (p *program) policyFlag() cli.Flag {
	return listFlag("policy", "hold what is planned to the policies in `DIR`, a folder or a file; repeatable (B2FORM_POLICY does the same)",
		&p.policyDirs)
}

// policyFolders are the folders whose policies hold beside those of the configuration. Those of -policy and
// B2FORM_POLICY are found from where the program was started.
func (p *program) policyFolders() []string {
	var out []string
	now, _ := os.Getwd()
	add := func(dir string) {
		if dir != "" { // an empty one is an error where policies are read
			dir = filepath.Clean(dir)
		}
		if !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	for _, dir := range slices.Concat(filepath.SplitList(p.getenv("B2FORM_POLICY")), p.policyDirs) {
		if dir != "" && !filepath.IsAbs(dir) && now != p.startDir { // the folder of -chdir must not bring its own
			dir = filepath.Join(p.startDir, dir)
		}
		add(dir)
	}
	for _, dir := range p.testPolicyDirs {
		add(dir)
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
