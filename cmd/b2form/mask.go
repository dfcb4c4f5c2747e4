package main

import (
	"fmt"

	"b2form/internal/report"
	"b2form/internal/secret"
)

// maskLineIfAny tells a runner of GitHub, Forgejo or Gitea to hide a secret in the log of the job from then
// on, also where it stands encoded; "" elsewhere. It must come before the
// secret, on the same stream: there is no order between the two streams.
func (p *program) maskLineIfAny(v secret.Value) string {
	if !p.ci().takesWorkflowCommands() {
		return ""
	}
	return report.GitHubMask(v.Reveal())
}

// printMaskLine hides a secret that is about to be shown. One that is not shown is not
// printed for hiding it either: standard output may go elsewhere than to a log.
// JSON lines leave no room for the command, so it goes to standard error then.
func (s *session) printMaskLine(v secret.Value) {
	out := s.stdout
	if s.json {
		out = s.stderr
	}
	fmt.Fprint(out, s.maskLineIfAny(v))
}
