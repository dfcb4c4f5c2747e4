package main

import "b2form/internal/view"

// outputStyle decides about colour. In this order: -no-color and NO_COLOR forbid it,
// FORCE_COLOR and CLICOLOR_FORCE demand it, TERM=dumb forbids it, a terminal
// and the logs of GitHub and GitLab, which show it, allow it.
//
// NO_COLOR: no-color.org. CLICOLOR_FORCE: bixense.com/clicolors.
func (p *program) outputStyle() view.Style {
	s := view.Style{Width: p.lineWidthOrZero(p.stdoutTerminal), ErrWidth: p.lineWidthOrZero(p.stderrTerminal)}
	set := func(name string) bool { v := p.getenv(name); return v != "" && v != "0" && v != "false" }
	switch {
	case p.noColor || p.getenv("NO_COLOR") != "":
	case set("FORCE_COLOR") || set("CLICOLOR_FORCE"):
		s.Color = true
	case p.getenv("TERM") == "dumb":
	default:
		s.Color = p.stdoutTerminal && p.stderrTerminal || set("GITHUB_ACTIONS") || set("GITLAB_CI")
	}
	return s
}

// lineWidthOrZero is how wide lines on a terminal may be, within what is good to read; 0 for
// a pipe or a file, in which no line is broken.
func (p *program) lineWidthOrZero(terminal bool) int {
	const least, usual, most = 60, 80, 140
	switch {
	case !terminal:
		return 0
	case p.terminalWidth == 0:
		return usual
	}
	return min(max(least, p.terminalWidth), most)
}
