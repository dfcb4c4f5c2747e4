package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/schema"
)

// interactive reports whether somebody is there to answer. TF_INPUT is
// Terraform's variable for the same.
func (p *program) interactive() bool {
	off := p.getenv("TF_INPUT")
	return p.stdinTerminal && p.allowInput && !p.json && off != "0" && off != "false"
}

// nextLine reads one line of standard input without its line break, or fails
// when ctx ends first. With io.EOF comes what stands behind the last break.
func (p *program) nextLine(ctx context.Context) (string, error) {
	return readUntilDone(ctx, func() (string, error) {
		line, err := p.stdinReader.ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err
	})
}

// readUntilDone is what read gives, or the error of ctx where that ends first.
func readUntilDone(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	c := make(chan answer, 1)
	go func() {
		line, err := read()
		c <- answer{line, err}
	}()
	select {
	case a := <-c:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readAnswerOrEmpty reads an answer; the end of the input is an empty one.
func (p *program) readAnswerOrEmpty(ctx context.Context) (string, error) {
	line, err := p.nextLine(ctx)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return strings.TrimSpace(line), err
}

// askVariable asks for a variable that has no value, once.
func (p *program) askVariable(q schema.VariableQuestion) (line string, err error) {
	if given, ok := p.variableAnswers[q.Name]; ok {
		return given, nil
	}
	defer p.beginPhase("wait for an answer", "")()
	fmt.Fprintln(p.stderr, "var."+q.Name)
	if q.Description != "" {
		p.printToStderr(indented(visible.EscapeLines(q.Description)))
	}
	line, err = p.readVariable(q.Sensitive && p.stdinReader.Buffered() == 0)
	fmt.Fprintln(p.stderr)
	if err == nil {
		p.variableAnswers[q.Name] = line
	}
	return line, err
}

// readVariable reads the value of a variable. The error is the end of a sentence.
func (p *program) readVariable(hidden bool) (line string, err error) {
	const prompt = "\n  Enter a value: "
	ctx := cmp.Or(p.untilInterrupt, context.Background())
	if hidden {
		line, err = p.readHidden(prompt)
		fmt.Fprintln(p.stderr)
	} else {
		fmt.Fprint(p.stderr, prompt)
		line, err = p.nextLine(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return "", errors.New("the run was interrupted")
	case errors.Is(err, io.EOF) && line == "":
		return "", errors.New("the input ended")
	case errors.Is(err, io.EOF):
		err = nil
	}
	return strings.TrimSpace(line), err
}

// indented puts two spaces before each line.
func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// An approvalPrompt asks for an approval.
type approvalPrompt struct{ question, explanation, cancelledText string }

var (
	applyQuestion = approvalPrompt{
		"Do you want to perform these actions?",
		"b2form will perform the actions described above.\nOnly 'yes' will be accepted to approve.",
		"Apply cancelled.",
	}
	destroyQuestion = approvalPrompt{
		"Do you really want to destroy all resources?",
		"b2form will destroy all that is shown above.\nThere is no undo. Only 'yes' will be accepted to confirm.",
		"Destroy cancelled.",
	}
	refreshQuestion = approvalPrompt{
		"Would you like to update the b2form state to reflect these detected changes?",
		"b2form will write these changes to the state without modifying any real infrastructure.\nThere is no undo. Only 'yes' will be " +
			"accepted to confirm.",
		"Apply cancelled.",
	}
	rotateQuestion = approvalPrompt{
		"Do you want to perform these rotations?",
		"b2form will perform the actions described above.\nOnly 'yes' will be accepted to approve.",
		"Rotate cancelled.",
	}
	lockBreakQuestion = approvalPrompt{
		"Do you really want to break this lock?",
		"Other runs can then change the state.\nIf the run that has the lock goes on, it stops at the latest 20 seconds later: what it " +
			"sends to B2 until then stays sent, and may be missing in the state. Make sure that it has ended.\nOnly 'yes' will be " +
			"accepted to confirm.",
		"The lock was left as it is.",
	}
)

// approvalPromptFor is the prompt of a run over everything, or over a part of it.
func approvalPromptFor(m view.PlanPurpose, ofPart bool) approvalPrompt {
	switch m {
	case view.Destroying:
		q := destroyQuestion
		if ofPart {
			q.question = "Do you really want to destroy these resources?"
		}
		return q
	case view.Rotating:
		return rotateQuestion
	case view.Refreshing:
		return refreshQuestion
	}
	return applyQuestion
}

// askApproval asks; anything but "yes" ends the command.
func (p *program) askApproval(ctx context.Context, q approvalPrompt) error {
	defer p.beginPhase("wait for an answer", "")()
	p.printToStderr(fmt.Sprintf("\n%s\n%s", q.question, indented(q.explanation)))
	fmt.Fprint(p.stderr, "\n  Enter a value: ")
	line, err := p.readAnswerOrEmpty(ctx)
	fmt.Fprintln(p.stderr)
	if errors.Is(err, context.Canceled) {
		return failf("Interrupted", "Nothing was changed.")
	}
	if err != nil {
		return err
	}
	if line != "yes" {
		fmt.Fprintln(p.stderr, q.cancelledText)
		return exitCode(1)
	}
	return nil
}
