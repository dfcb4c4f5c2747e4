//go:build unix

package durable

import "syscall"

// NoFollow makes opening a symbolic link fail.
const NoFollow = syscall.O_NOFOLLOW
