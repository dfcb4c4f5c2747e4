//go:build !unix

package secret

import "os/exec"

// detach leaves the program as it is: ending it ends only itself here.
func detach(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
