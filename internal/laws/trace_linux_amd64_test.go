package laws_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"
)

// trace runs a program whose output goes to files and that calls beWatched. It
// decides at each fileOp in dir what becomes of it, and gives all of them.
func trace(cmd *exec.Cmd, dir string, decide func(n int, op fileOp) fate) (ops []fileOp, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // only the thread that started the program may watch it
		defer runtime.UnlockOSThread()
		cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
		if err = cmd.Start(); err != nil {
			return
		}
		w := &watcher{pid: cmd.Process.Pid, dir: dir, decide: decide}
		err = errors.Join(w.watch(), cmd.Process.Release()) // it was waited for
		ops = w.ops
	}()
	<-done
	return ops, err
}

// The calls to the system that change files, by their numbers on this one.
const (
	sysWrite    = syscall.SYS_WRITE
	sysPwrite   = syscall.SYS_PWRITE64
	sysSync     = syscall.SYS_FSYNC
	sysOpen     = syscall.SYS_OPENAT
	sysRename   = syscall.SYS_RENAMEAT
	sysRename2  = 316 // renameat2
	sysUnlink   = syscall.SYS_UNLINKAT
	sysSeccomp  = 317
	eventFilter = 7 // PTRACE_EVENT_SECCOMP
)

// beWatched makes every such call of this process, and no other, stop it for the
// watcher: seccomp(2).
func beWatched() error {
	calls := []uint32{sysWrite, sysPwrite, sysSync, sysOpen, sysRename, sysRename2, sysUnlink}
	const trace, allow = 0x7ff00000, 0x7fff0000
	filter := []syscall.SockFilter{{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS}} // the number of the call
	for i, nr := range calls {
		filter = append(filter, syscall.SockFilter{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, K: nr,
			Jt: uint8(len(calls) - i)})
	}
	filter = append(filter, syscall.SockFilter{Code: syscall.BPF_RET, K: allow}, syscall.SockFilter{Code: syscall.BPF_RET, K: trace})
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const noNewPrivileges, setFilter, allThreads = 38, 1, 1
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivileges, 1, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(sysSeccomp, setFilter, allThreads, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return errno
	}
	return nil
}

// A watcher is told of every call of a program that asked for it: ptrace(2).
type watcher struct {
	pid    int
	dir    string
	decide func(int, fileOp) fate
	ops    []fileOp
}

func (w *watcher) watch() error {
	const (
		noThread = 0x20000000                                    // __WNOTHREAD: other threads of ours have programs of their own
		options  = syscall.PTRACE_O_TRACECLONE | 0x80 | 0x100000 // PTRACE_O_TRACESECCOMP, PTRACE_O_EXITKILL
	)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(w.pid, &status, 0, nil); err != nil {
		return err
	}
	if err := syscall.PtraceSetOptions(w.pid, options); err != nil {
		return err
	}
	for thread := w.pid; ; {
		signal := 0
		switch s := status.StopSignal(); {
		case status.TrapCause() == eventFilter:
			if err := w.call(thread); err != nil {
				return err
			}
		case status.Stopped() && s != syscall.SIGTRAP && s != syscall.SIGSTOP: // those two: a thread was made, or begins
			signal = int(s)
		}
		if err := syscall.PtraceCont(thread, signal); err != nil && err != syscall.ESRCH { // it may have been killed
			return err
		}
		var err error
		for thread, err = 0, syscall.EINTR; err == syscall.EINTR || err == nil && thread != w.pid && !status.Stopped(); {
			thread, err = syscall.Wait4(-1, &status, syscall.WALL|noThread, nil)
		}
		if err != nil || !status.Stopped() {
			return err
		}
	}
}

// call deals with a thread that is about to make a call.
func (w *watcher) call(thread int) error {
	var r syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(thread, &r); err != nil {
		return err
	}
	op, ok := w.fileOp(thread, &r)
	if !ok {
		return nil
	}
	w.ops = append(w.ops, op)
	errno := syscall.ENOSPC
	switch w.decide(len(w.ops), op) {
	case undisturbed:
		return nil
	case killed:
		return syscall.Kill(w.pid, syscall.SIGKILL)
	case readOnly:
		errno = syscall.EROFS
	}
	r.Orig_rax, r.Rax = ^uint64(0), -uint64(errno) // no call, and this is its result
	return syscall.PtraceSetRegs(thread, &r)
}

// fileOp recognises the calls that change files, by number.
func (w *watcher) fileOp(thread int, r *syscall.PtraceRegs) (fileOp, bool) {
	var call, path string
	switch r.Orig_rax {
	case sysWrite, sysPwrite:
		call = "write"
	case sysSync:
		call = "sync"
	case sysOpen:
		if r.Rdx&syscall.O_CREAT == 0 {
			return fileOp{}, false
		}
		call, path = "create", w.text(thread, r.Rsi)
	case sysRename, sysRename2:
		call, path = "rename", w.text(thread, r.R10)
	case sysUnlink:
		call, path = "remove", w.text(thread, r.Rsi)
	default:
		return fileOp{}, false
	}
	if path == "" {
		path, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", w.pid, int32(r.Rdi))) // not ours where it cannot be said
	}
	if path == w.dir {
		return fileOp{call, "."}, true
	}
	inside, ok := strings.CutPrefix(path, w.dir+"/")
	return fileOp{call, inside}, ok
}

// text reads a text from the program's memory; "" where it cannot.
func (w *watcher) text(thread int, at uint64) string {
	var all []byte
	for len(all) < 4096 {
		var word [8]byte
		if _, err := syscall.PtracePeekData(thread, uintptr(at)+uintptr(len(all)), word[:]); err != nil {
			return ""
		}
		before, _, ends := bytes.Cut(word[:], []byte{0})
		all = append(all, before...)
		if ends {
			return string(all)
		}
	}
	return ""
}
