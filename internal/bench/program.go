package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A program is a built b2form.
type program struct{ path string }

// build compiles b2form from the sources of this module into dir, as a release
// is.
func build(dir string) (program, error) {
	p := program{filepath.Join(dir, "b2form")}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", p.path, "b2form/cmd/b2form")
	if out, err := cmd.CombinedOutput(); err != nil {
		return p, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return p, nil
}

// A runResult is what one run of a program came to.
type runResult struct {
	Wall, CPU       time.Duration
	PeakMemoryBytes int64 // most memory resident at once, in bytes; 0: this system does not tell
	ExitCode        int
	Output          string // standard output and error
}

// launchFlag makes this program a launcher: it runs what stands behind and
// reports on it.
const launchFlag = "-launch"

// run starts the program in the fixture's folder with the fixture's credentials.
//
// It does so through a launcher, a process that is small: on Linux the peak
// memory of a process is at least that of the one which started it.
func (p program) run(f *fixture, args ...string) (runResult, error) {
	self, err := os.Executable()
	if err != nil {
		return runResult{}, err
	}
	cmd := exec.Command(self, append([]string{launchFlag, p.path}, args...)...)
	cmd.Env = []string{"NO_COLOR=1", "HOME=" + os.TempDir()}
	if f != nil {
		cmd.Dir = f.dir
		cmd.Env = append(cmd.Env, "B2_APPLICATION_KEY_ID="+f.MasterKeyID(), "B2_APPLICATION_KEY="+f.MasterKey(), "B2_ENDPOINT="+f.url)
	}
	cmd.Stderr = os.Stderr
	report, err := cmd.Output()
	if err != nil {
		return runResult{}, fmt.Errorf("the launcher failed: %w", err)
	}
	var r runResult
	if err := json.Unmarshal(report, &r); err != nil {
		return runResult{}, err
	}
	if r.ExitCode != 0 {
		return r, fmt.Errorf("%v ended with exit code %d:\n%s", cmd.Args[2:], r.ExitCode, r.Output)
	}
	return r, nil
}

// launchAndWriteResult is the launcher's whole work: it runs the command and writes a ran.
func launchAndWriteResult(args []string, report io.Writer) error {
	var out bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	err := cmd.Run()
	wall := time.Since(begin)
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	end := cmd.ProcessState
	return json.NewEncoder(report).Encode(runResult{
		Wall: wall, CPU: end.UserTime() + end.SystemTime(), PeakMemoryBytes: peakMemoryBytes(end), ExitCode: end.ExitCode(),
		Output: out.String(),
	})
}
