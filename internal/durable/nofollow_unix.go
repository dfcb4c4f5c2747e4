//go:build unix

package durable

import "syscall"

// NoFollow makes opening a symbolic link fail.
const NoFollow = syscall.O_NOFOLLOW

// noWait makes opening a pipe that nobody reads from fail.
const noWait = syscall.O_NONBLOCK
