//go:build unix

package secret_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/secret"
	"b2form/schema/config"
)

// shell is a delivery to a script; the secret is its input.
func shell(dir, script string) config.Delivery {
	return config.Delivery{Type: "command", Command: []string{"sh", "-c", script}, ProgramDir: dir, DisplayName: "command sh",
		ProgramTimeout: time.Minute, RenderContent: plainKey, ShowProgramOutput: true, Range: &hcl.Range{Filename: "main.b2.hcl"}}
}

func plainKey(self map[string]cty.Value, _ config.LiveLookup) (string, hcl.Diagnostics) {
	return self["application_key"].AsString(), nil
}

func asVariables(self map[string]cty.Value, _ config.LiveLookup) (map[string]string, hcl.Diagnostics) {
	return map[string]string{"KEY": self["application_key"].AsString(), "B2_APPLICATION_KEY_ID": self["application_key_id"].AsString()}, nil
}

func deliver(t *testing.T, env secret.DeliveryOptions, deliveries ...config.Delivery) ([]string, error) {
	t.Helper()
	slots, err := secret.Prepare(t.Context(), before(), deliveries, env)
	must(t, err)
	defer func() { must(t, slots.Abandon()) }()
	return slots.Deliver(after(), live)
}

// A program gets the secret as its input and in its environment, and none of
// the credentials that b2form works with. It runs before anything else changes.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "push.sh"), []byte("#!/bin/sh\ncat > input\necho \"$1 $KEY "+
		"$B2_APPLICATION_KEY_ID$B2_APPLICATION_KEY$PGPASSWORD$TF_HTTP_PASSWORD$B2FORM_DIGEST_KEY$TF_VAR_a"+
		"$B2FORM_CLI_ARGS$B2FORM_CLI_ARGS_apply $OTHER\" > variables\nls "+
		"key.env 2> /dev/null\ntest ! -e key.env\n"), 0o700))
	d := shell(dir, "")
	d.Command, d.RenderEnvironment = []string{"./push.sh", "an argument; rm -rf $HOME"}, asVariables
	var out bytes.Buffer
	env := secret.DeliveryOptions{Stdout: &out, ProgramEnv: []string{"PATH=" + os.Getenv("PATH"), "OTHER=inherited",
		"B2_APPLICATION_KEY=ours",
		"B2_APPLICATION_KEY_ID=ours", "PGPASSWORD=ours", "TF_HTTP_PASSWORD=ours", "B2FORM_DIGEST_KEY=ours", "TF_VAR_a=ours",
		"B2FORM_CLI_ARGS=-var=a=ours", "B2FORM_CLI_ARGS_apply=-notify=ours"}}
	where, err := deliver(t, env, file(filepath.Join(dir, "key.env")), d)
	must(t, err)
	if diff := cmp.Diff([]string{"key.env", "command sh"}, where); diff != "" {
		t.Errorf("where (-want +got):\n%s", diff)
	}
	left := files(t, dir)
	delete(left, "push.sh")
	want := map[string]string{"key.env": asEnv, "input": canary,
		"variables": "an argument; rm -rf $HOME " + canary + " " + keyID + " inherited\n"}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// A program that fails is named with its exit code and its words, without the
// secret in any form, and nothing after it changes.
func TestProgramFails(t *testing.T) {
	quick := func(d *config.Delivery) { d.ProgramTimeout = 50 * time.Millisecond }
	tests := []struct {
		name, script, want string
		change             func(*config.Delivery)
	}{
		{"plain", `echo refused: $(cat) >&2; exit 3`, "said:\n  refused: (sensitive value)", nil},
		{"base64", `printf 'basic '; (printf 'id:'; cat) | base64 -w0; exit 4`, "exit code 4. The new key cannot be kept, but it may " +
			"have gone to command sh: what is there will not work.\nThe program said:\n  basic ", nil},
		{"hex", `od -An -tx1 | tr -d ' \n'; exit 1`, "(sensitive value)", nil},
		{"percent", `printf 'K002%%2F9r%%2Bhp%%27MfU%%22c%%3Cp%%3ES%%267%%25uY%%3Dkg3FC'; exit 1`, "said:\n  (sensitive value)", nil},
		{"percent, small", `printf 'K002%%2f9r%%2bhp%%27MfU%%22c%%3cp%%3eS%%267%%25uY%%3dkg3FC'; exit 1`, "said:\n  (sensitive value)",
			nil},
		{"JSON", `printf '{"key":"K002/9r+hp%sMfU\\"c\\u003cp\\u003eS\\u00267%%uY=kg3FC"}' "'"; exit 1`, `{"key":"(sensitive value)"}`,
			nil},
		{"a piece", `cut -c 1-20; exit 1`, "piece of the secret", nil},
		{"silence", `exit 7`, "exit code 7 and said nothing", nil},
		{"much", `i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done; exit 1`, "… line 80\n", nil},
		{"unasked", `printf 'hello '; base64 | rev; exit 1`, "exit code 1; what it said is not shown, since it may repeat the secret. " +
			"The new key cannot be kept, but it may have gone to command sh: what is there will not work.\nTo find out why, run ",
			func(d *config.Delivery) { d.ShowProgramOutput = false }},
		{"unasked silence", `exit 1`, "exit code 1 and said nothing", func(d *config.Delivery) { d.ShowProgramOutput = false }},
		{"discreet", `echo hello; exit 1`, "left out, since it may repeat a sensitive value",
			func(d *config.Delivery) { d.HasOtherSensitive = true }},
		{"a signal", `kill -9 $$`, "signal: killed", nil},
		{"too slow", `echo waiting; tail -f /dev/null`, "ended after 50ms, its timeout", quick},
		{"cannot start", ``, "cannot be run", func(d *config.Delivery) { d.ProgramDir += "/gone" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			d := shell(dir, test.script)
			if test.change != nil {
				test.change(&d)
			}
			var out bytes.Buffer
			where, err := deliver(t, secret.DeliveryOptions{Stdout: &out, ProgramEnv: os.Environ()},
				config.Delivery{Type: "stdout", DisplayName: "standard output"}, file(filepath.Join(dir, "key.env")), d)
			var e *secret.Error
			if !errors.As(err, &e) || where != nil || !strings.Contains(e.Detail, test.want) {
				t.Fatalf("Deliver = %v, %v", where, err)
			}
			noCanary(t, "the error", fmt.Sprintf("%v %+v %#v", err, e, e.Cause))
			failed := "command sh"
			if test.name == "cannot start" {
				failed = ""
			}
			if len(e.InvalidatedDestinations) > 0 || e.FailedProgram != failed || strings.Contains(e.Detail, "gone to") != (failed != "") {
				t.Errorf("it has gone to %q and perhaps to %q: %s", e.InvalidatedDestinations, e.FailedProgram, e.Detail)
			}
			if len(files(t, dir)) > 0 || out.Len() > 0 {
				t.Errorf("%v and %q after the failure", files(t, dir), &out)
			}
		})
	}
}

// What a program took is told apart from what one that failed may have taken.
func TestSecondProgramFails(t *testing.T) {
	first, second := shell(t.TempDir(), "cat > /dev/null"), shell(t.TempDir(), "exit 7")
	first.DisplayName = "command first"
	_, err := deliver(t, secret.DeliveryOptions{ProgramEnv: os.Environ()}, first, second)
	if want := "it has gone to command first already, and may have gone to command sh: what"; !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("%q is missing in %v", want, err)
	}
}

// Nothing that a program says is shown unless it is asked for: there is no end of
// ways to spell a secret.
func TestProgramIsNotQuoted(t *testing.T) {
	for name, script := range map[string]string{
		"percent-encoded":      `od -An -v -tx1 | tr -d '\n' | tr ' ' '%'; exit 1`,
		"escaped":              `od -An -v -tx1 | tr -d '\n' | sed 's/ /\\u00/g'; exit 1`,
		"hex in lines":         `od -An -v -tx1 -w4; exit 1`,
		"base64 in lines":      `base64 -w 8; exit 1`,
		"base64 twice":         `base64 -w0 | base64 -w0; exit 1`,
		"compressed":           `gzip | base64 -w0; exit 1`,
		"reversed":             `rev; exit 1`,
		"in pieces":            `fold -w 6; exit 1`,
		"after a time":         `base64 -w 8; tail -f /dev/null`,
		"as a name in a shell": `"$(fold -w 6)"`,
	} {
		t.Run(name, func(t *testing.T) {
			d := shell(t.TempDir(), script)
			d.ShowProgramOutput, d.ProgramTimeout = false, 10*time.Second
			if name == "after a time" {
				d.ProgramTimeout = 200 * time.Millisecond
			}
			_, err := deliver(t, secret.DeliveryOptions{ProgramEnv: os.Environ()}, d)
			var e *secret.Error
			if !errors.As(err, &e) || !strings.Contains(e.Detail, "show_output = true") {
				t.Fatalf("the error is %v", err)
			}
			if _, after, _ := strings.Cut(e.Detail, "To find out why, "); len(after) > 150 || strings.Contains(after, "\n") {
				t.Errorf("more than the advice is said: %s", e.Detail)
			}
		})
	}
}

// An interrupt leaves programs their time, and ends them then.
func TestProgramStopped(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	_, err := deliver(t, secret.DeliveryOptions{ProgramEnv: os.Environ(), Stop: stop, StopGrace: 50 * time.Millisecond},
		shell(t.TempDir(), "tail -f /dev/null"))
	if err == nil || !strings.Contains(err.Error(), "asked to stop") {
		t.Errorf("without time: %v", err)
	}
	options := secret.DeliveryOptions{ProgramEnv: os.Environ(), Stop: stop, StopGrace: time.Hour}
	if _, err := deliver(t, options, shell(t.TempDir(), "cat > /dev/null")); err != nil {
		t.Errorf("with time: %v", err)
	}
}

// What is missing is found before the key is made.
func TestProgramPrepare(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "text"), nil, 0o600))
	wrong := shell(dir, "")
	wrong.RenderEnvironment = func(map[string]cty.Value, config.LiveLookup) (map[string]string, hcl.Diagnostics) {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Bad", Detail: "No such bucket."}}
	}
	for _, test := range []struct {
		d    config.Delivery
		want string
	}{
		{config.Delivery{Type: "command", Command: []string{"b2form-no-such-program"}}, `"b2form-no-such-program" is not found`},
		{config.Delivery{Type: "command", Command: []string{"./gone"}, ProgramDir: dir}, "cannot be run"},
		{config.Delivery{Type: "command", Command: []string{"./text"}, ProgramDir: dir}, "permission denied"},
		{config.Delivery{Type: "command"}, "names no program"},
		{wrong, "No such bucket"},
	} {
		_, err := secret.Prepare(t.Context(), before(), []config.Delivery{test.d}, secret.DeliveryOptions{LiveLookup: live})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v", test.d.Command, err)
		}
	}
	where, err := deliver(t, secret.DeliveryOptions{SkipPrograms: true},
		config.Delivery{Type: "command", Command: []string{"b2form-no-such-program"}, DisplayName: "nothing"})
	if err != nil || len(where) != 1 {
		t.Errorf("pretending: %v, %v", where, err)
	}
}
