//go:build unix

package durable

import "syscall"

// NoFollow makes opening a symbolic link fail.
const NoFollow = syscall.O_NOFOLLOW

// openNonblock makes opening a pipe that nobody reads from fail.
const openNonblock = syscall.O_NONBLOCK
