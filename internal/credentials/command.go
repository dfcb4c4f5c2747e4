package credentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"b2form/internal/scrub"
	"b2form/internal/secret"
	"b2form/internal/words"
)

const commandVariable = "B2_CREDENTIAL_COMMAND"

// commandTimeout leaves time to answer a question of a password manager.
const commandTimeout = 2 * time.Minute

const (
	mostPrintedWords = 100 // that are looked for in what a program said
	shortestSecret   = 8   // bytes of a word that may be a secret
)

// outputWaitDelay is how long the output of a program that ended is waited for.
const outputWaitDelay = time.Second

// command runs a program of a secret store, without a shell. It finds the environment,
// but not what is secret in it and b2form's own, and no standard input.
func (o Options) command(ctx context.Context) (Credentials, error) {
	var args []string
	if err := json.Unmarshal([]byte(o.CommandJSON), &args); err != nil || len(args) == 0 || args[0] == "" {
		return Credentials{}, errorf(commandVariable+" is not a list of arguments", "Write a JSON array of the program and its "+
			"arguments, as [\"pass\", \"show\", \"b2\"]. No shell reads it.")
	}
	timeout := o.CommandTimeout
	if timeout == 0 {
		timeout = commandTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, said := &stopAtLimitOutput{stop: cancel}, &outputTail{}
	cmd := exec.CommandContext(limited, args[0], args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = secret.WithoutOwnSecrets(o.CommandEnviron), out, said, outputWaitDelay
	err := cmd.Run()
	c := Credentials{SourceText: fmt.Sprintf("the program %q in %s", args[0], commandVariable), Source: Command}
	switch {
	case out.tooMuch:
		return Credentials{}, errorf(commandVariable+" printed too much", "The program %q printed more than %d bytes. It must print the "+
			"key ID and the application key and nothing else.", args[0], mostBytes)
	case ctx.Err() != nil:
		return Credentials{}, ctx.Err()
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return Credentials{}, errorf(commandVariable+" took too long", "The program %q was ended after %s. Run it by hand to see what it "+
			"waits for; it has no standard input here.%s", args[0], timeout, said.lastLinesWithout(out.text.String()))
	case errors.Is(err, exec.ErrNotFound):
		return Credentials{}, errorf(commandVariable+" names no program", "The program %q is not found. Install it, or correct its name.",
			args[0])
	case cmd.Process == nil:
		return Credentials{}, errorf(commandVariable+" cannot be started", "The program %q: %s. Correct its path.", args[0],
			words.ErrorWithoutPath(err))
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		end := "was ended by a signal (" + strings.TrimPrefix(cmd.ProcessState.String(), "signal: ") + ")"
		if cmd.ProcessState.Exited() {
			end = fmt.Sprintf("ended with exit code %d", cmd.ProcessState.ExitCode())
		}
		return Credentials{}, errorf(commandVariable+" failed", "The program %q %s. Run it by hand to see why.%s", args[0], end,
			said.lastLinesWithout(out.text.String()))
	}
	id, key, ok := parseCommandOutput(out.text.String())
	if !ok {
		return Credentials{}, errorf(commandVariable+" printed something else", "The program %q must print either JSON with "+
			"application_key_id and application_key, or two lines: the key ID, then the application key. What it printed is not shown, "+
			"since it may hold the key.", args[0])
	}
	return withCheckedKey(c, id, key)
}

// parseCommandOutput reads what the program printed.
func parseCommandOutput(text string) (id, key string, ok bool) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		var both struct {
			ID       string `json:"application_key_id"`
			Key      string `json:"application_key"`
			WireID   string `json:"applicationKeyId"`
			WireName string `json:"applicationKey"`
		}
		if err := json.Unmarshal([]byte(text), &both); err != nil {
			return "", "", false
		}
		if both.ID == "" && both.Key == "" {
			both.ID, both.Key = both.WireID, both.WireName
		}
		return both.ID, both.Key, true
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 2 {
		return "", "", false
	}
	return strings.TrimSpace(lines[0]), strings.TrimSpace(lines[1]), true
}

// stopAtLimitOutput keeps the beginning of an output, and ends the program where that is not all.
type stopAtLimitOutput struct {
	text    bytes.Buffer
	tooMuch bool
	stop    func()
}

// Write never fails.
func (b *stopAtLimitOutput) Write(p []byte) (int, error) {
	room := mostBytes - b.text.Len()
	if len(p) > room {
		b.tooMuch = true
		b.text.Write(p[:room])
		b.stop()
		return len(p), nil
	}
	return b.text.Write(p)
}

// outputTail keeps the end of an output.
type outputTail struct {
	text []byte
	cut  bool // its first line may have lost its beginning
}

// Write never fails.
func (o *outputTail) Write(p []byte) (int, error) {
	o.text = append(o.text, p...)
	if len(o.text) > mostBytes {
		o.text, o.cut = bytes.Clone(o.text[len(o.text)-mostBytes/2:]), true
	}
	return len(p), nil
}

// lastLinesWithout is the end of what a program said, behind a line of its own; "": it said
// nothing. What it printed is left out, and what looks like a key.
func (o *outputTail) lastLinesWithout(printed string) string {
	text := string(o.text)
	if o.cut { // half of a key does not look like one
		_, text, _ = strings.Cut(text, "\n")
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
	if text == "" {
		return ""
	}
	secrets := strings.FieldsFunc(printed, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"{},:`, r) })
	if len(secrets) > mostPrintedWords {
		return "\nWhat the program said is not shown, since it printed much that may be a key."
	}
	for _, word := range secrets {
		if len(word) >= shortestSecret {
			text = scrub.RemoveSecretOrWithholdText(text, word)
		}
	}
	lines := strings.Split(scrub.RemoveTokens(scrub.RemoveApplicationKeys(text)), "\n")
	lines = lines[max(0, len(lines)-5):]
	for i, line := range lines {
		if len(line) > 200 {
			lines[i] = strings.ToValidUTF8(line[:200], "") + "…"
		}
	}
	return "\nThe program said:\n  " + strings.Join(lines, "\n  ")
}
