//go:build unix

package secret

import (
	"os/exec"
	"syscall"
)

// detach gives the program a session of its own. So an interrupt typed at the
// terminal reaches b2form only, which lets the program finish; and a program
// that wants to ask for something finds no terminal and says so, where it would
// wait for ever.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

// killGroup ends what the program has started and left behind.
func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // there may be nothing left
}
