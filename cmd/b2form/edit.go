package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"b2form/schema/functions"
)

// consoleHelp answers "help" in the console.
const consoleHelp = `Type an expression, such as bucket.photos.name or upper(var.site), to see its value. One with open brackets goes ` +
	`on in the next line.

  type(x)      the type of a value
  tab          completes names of variables, resources, attributes and functions
  up, down     earlier expressions of this session
  help         this text
  exit, quit   end the console, as Ctrl-D does

"b2form functions" lists the functions. Nothing that is typed here changes anything.`

// A lineCompleter gives a line and the position in it, after completing what stands before
// the position; ok is false where nothing can be added.
type lineCompleter func(line string, position int) (newLine string, newPosition int, ok bool)

// A lineEditor reads one line after the other, and keeps what was read before within
// reach. The end of the input, and an interrupt, are io.EOF.
type lineEditor interface {
	readLine(ctx context.Context, from io.Reader, prompt string) (string, error)
}

// A terminalEditor edits on the terminal of the process. The history is that of the
// session: expressions may hold what nobody wants in a file.
type terminalEditor struct {
	complete lineCompleter
	terminal *term.Terminal
}

func newTerminalEditor(complete lineCompleter) lineEditor { return &terminalEditor{complete: complete} }

type readWriter struct {
	io.Reader
	io.Writer
}

func (e *terminalEditor) readLine(ctx context.Context, from io.Reader, prompt string) (string, error) {
	if e.terminal == nil {
		e.terminal = term.NewTerminal(readWriter{from, os.Stderr}, prompt)
		e.terminal.AutoCompleteCallback = func(line string, position int, key rune) (string, int, bool) {
			if key != '\t' {
				return "", 0, false
			}
			return e.complete(line, position)
		}
	}
	e.terminal.SetPrompt(prompt)
	fd := int(os.Stdin.Fd())
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		_ = e.terminal.SetSize(width, height) // else lines are as long as they were
	}
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, before) }() // nothing is to be done about a terminal that is gone
	return readUntilDone(ctx, func() (string, error) {
		line, err := e.terminal.ReadLine()
		if errors.Is(err, term.ErrPasteIndicator) {
			err = nil
		}
		return line, err
	})
}

// complete adds to the name before the position what all names that begin with it have
// in common.
func (seen *consoleScope) complete(line string, position int) (newLine string, newPosition int, ok bool) {
	if position < 0 || position > len(line) {
		return "", 0, false
	}
	begin := strings.LastIndexFunc(line[:position], func(r rune) bool {
		return !strings.ContainsRune("_-.", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) + 1
	word := line[begin:position]
	found := seen.completionsOf(word)
	if word == "" || len(found) == 0 {
		return "", 0, false
	}
	added := found[0]
	for _, name := range found[1:] {
		n := 0
		for n < min(len(added), len(name)) && added[n] == name[n] {
			n++
		}
		added = added[:n]
	}
	if added == word {
		return "", 0, false
	}
	return line[:begin] + added + line[position:], begin + len(added), true
}

// completionsOf are the names that begin with a word, as far as the next dot.
func (seen *consoleScope) completionsOf(word string) []string {
	names := seen.referenceNames()
	for _, d := range functions.Docs() {
		names = append(names, d.Name+"(")
	}
	names = append(names, "type(")
	if owner := word[:max(0, strings.LastIndexByte(word, '.'))]; slices.Contains(names, owner) {
		if v, diags := seen.eval(owner, "completion"); !diags.HasErrors() {
			if t := v.Type(); t.IsObjectType() {
				for name := range maps.Keys(t.AttributeTypes()) {
					names = append(names, owner+"."+name)
				}
			}
		}
	}
	var found []string
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, word)
		if !ok {
			continue
		}
		if head, _, more := strings.Cut(rest, "."); more {
			rest = head + "."
		}
		if !slices.Contains(found, word+rest) {
			found = append(found, word+rest)
		}
	}
	return found
}
