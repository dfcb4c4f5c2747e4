package state

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"b2form/internal/visible"
	"b2form/schema/addr"
)

// An Error says what is wrong with the state and what to do.
type Error struct {
	Summary string // "State is locked"
	Detail  string // whole sentences; ends with the next step
	Path    string // the file it is about
	Cause   error  // the operating system's error or a *LockedError; may be nil
}

// newError is an Error without a cause.
func newError(path, summary, detail string) *Error {
	return &Error{Summary: summary, Detail: detail, Path: path}
}

func (e *Error) Error() string { return e.Summary + ": " + e.Detail }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// A LockedError says who holds the lock. It is the Cause of the *Error that
// Open returns. What could not be found out is left empty.
type LockedError struct {
	Path      string    `json:"path"`      // the state that is locked
	Operation string    `json:"operation"` // "apply"
	Who       string    `json:"who"`       // "user@host"
	PID       int       `json:"pid"`
	Created   time.Time `json:"created"`
	// Expires is when the lock ends if its holder does not renew it, on B2's
	// clock; zero: with its process.
	Expires time.Time `json:"expires,omitzero"`

	HTTPLockID string `json:"-"` // what a server calls the lock; "": it is none of a server
}

func (e *LockedError) Error() string { return "the lock of " + e.Path + " is held by another run" }

// IsSameLock reports whether both describe one lock, which may have been renewed in between.
func (e *LockedError) IsSameLock(o *LockedError) bool {
	return e.Path == o.Path && e.Operation == o.Operation && e.Who == o.Who && e.PID == o.PID && e.Created.Equal(o.Created) &&
		e.HTTPLockID == o.HTTPLockID
}

// Sentence says who holds the lock, since when and for what, as far as that is known.
func (e *LockedError) Sentence() string {
	text := "Another run"
	if e.Who != "" {
		text = visible.EscapeTruncated(e.Who, maxQuoted)
	}
	if e.PID != 0 {
		text += fmt.Sprintf(" (process %d)", e.PID)
	}
	text += " has held the lock of " + visible.EscapeLine(e.Path)
	if e.Operation != "" {
		text += fmt.Sprintf(" for \"%s\"", visible.EscapeTruncated(e.Operation, maxQuoted))
	}
	if !e.Created.IsZero() {
		text += " since " + e.Created.UTC().Format(time.RFC3339)
	}
	return text + "."
}

// InfoText is the holder as lines for people, "Lock Info:" first.
func (e *LockedError) InfoText() string {
	created, pid := "unknown", ""
	if !e.Created.IsZero() {
		created = e.Created.UTC().Format(time.RFC3339)
	}
	if e.PID != 0 {
		pid = fmt.Sprintf(" (process %d)", e.PID)
	}
	info := fmt.Sprintf("Lock Info:\n  Path:      %s\n  Operation: %s\n  Who:       %s%s\n  Created:   %s",
		visible.EscapeLine(e.Path), textOrUnknown(e.Operation), textOrUnknown(e.Who), pid, created)
	if !e.Expires.IsZero() {
		info += "\n  Expires:   " + e.Expires.UTC().Format(time.RFC3339) + ", unless it is renewed"
	}
	return info
}

func textOrUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return visible.EscapeTruncated(s, maxQuoted)
}

// stateLockedError says who holds the state, and what the user can do about the kind of lock.
func stateLockedError(held *LockedError, holder, advice string) *Error {
	return &Error{
		Summary: "State is locked",
		Detail:  holder + " is changing " + visible.EscapeLine(held.Path) + ". Wait until it is done, " + advice + "\n\n" + held.InfoText(),
		Path:    held.Path,
		Cause:   held,
	}
}

// lockNotBrokenError says that a lock was not broken, and what ends it.
func lockNotBrokenError(held *LockedError, advice string) *Error {
	return &Error{
		Summary: "The lock is still held",
		Detail:  "The lock of " + visible.EscapeLine(held.Path) + " could not be taken away. " + advice + "\n\n" + held.InfoText(),
		Path:    held.Path,
		Cause:   held,
	}
}

const anotherRun = "Another run of b2form"

func fileLockedError(held *LockedError) *Error {
	return stateLockedError(held, anotherRun, "then run the same command again. The lock ends with its process, so there is never one "+
		"to remove by hand.")
}

const startOver = "Restore it from version control or a backup. Or move it away: b2form then finds everything again " +
	"by name and takes it back with one approval."

func damagedFileError(path string, line, column int, what string) *Error {
	return newError(path, "State file is damaged",
		fmt.Sprintf("%s cannot be read at line %d, column %d: %s. It was left as it is. %s", path, line, column, what, startOver))
}

// mergeConflictError says how to end a conflict. Two branches on which something was applied always differ in what they say
// was applied last, and neither is right for both; the next apply says it anew.
func mergeConflictError(path string, line int) *Error {
	return newError(path, "State file holds a merge conflict",
		fmt.Sprintf("%s has the marks of a merge conflict at line %d. It was left as it is. Delete the marks. Of two lines that "+
			"begin with \"applied\" keep one, whichever it is: the next apply renews it. Keep the entries of both sides, but those of "+
			"objects that one side has deleted. Then `b2form plan` shows what is left to do.", path, line))
}

func damagedJournalError(path string, line int, what string) *Error {
	return newError(path, "Journal of the state is damaged",
		fmt.Sprintf("%s is what an interrupted run left, and its line %d is not understood: %s. Nothing was changed. "+
			"Restore the file, or use the b2form that wrote it. Or move it away: what that run recorded since the state was stored is "+
			"then forgotten, and what it made has to be imported, or deleted by hand.", path, line, what))
}

// duplicateObjectError explains that two entries, or one entry twice, name the object.
func duplicateObjectError(path, kind, id string, first, second *addr.StateEntry) *Error {
	role := func(e *addr.StateEntry) string {
		if e.ID == id {
			return fmt.Sprintf("%s (named %q)", e.Addr, e.Identity)
		}
		return e.Addr.String() + ` (under "retiring")`
	}
	who := role(first) + " and " + role(second)
	if first == second {
		who = fmt.Sprintf("%s (named %q) more than once", first.Addr, first.Identity)
	}
	return newError(path, "State names one object twice",
		fmt.Sprintf("In %s the %s with the ID %q is named by %s. An object has one address, so an edit or a merge went wrong. "+
			"Nothing was changed. `b2form keys`, or B2's web console, shows which name the ID has: keep the entry that is right and "+
			"take the other one, or its item under \"retiring\", out of the file.",
			path, kind, id, who))
}

func newerVersionError(path string, version int) *Error {
	return newError(path, "State was written by a newer b2form",
		fmt.Sprintf("%s has format version %d; this b2form knows version %d. It was left as it is. "+
			"Use the b2form that wrote it, or a later one.", path, version, formatVersion))
}

func terraformStateError(path string) *Error {
	return newError(path, "State is one of Terraform's",
		path+" was written by Terraform or OpenTofu, and b2form keeps a state of its own. It was left as it is. "+
			"Move it away: b2form then finds everything by name and takes it over with one approval.")
}

func irregularFileError(path string, mode fs.FileMode) *Error {
	what := "is not a regular file"
	switch {
	case mode.IsDir():
		what = "is a directory"
	case mode&fs.ModeSymlink != 0:
		what = "is a symbolic link, and no file is written through one"
	}
	return newError(path, "State cannot be used", path+" "+what+". Move it away, or run b2form in another folder.")
}

func readError(path string, err error) *Error {
	return &Error{
		Summary: "State cannot be read",
		Detail:  fmt.Sprintf("Reading %s failed: %s. Make the file readable for the user that runs b2form.", path, errorWithoutPath(err)),
		Path:    path,
		Cause:   err,
	}
}

// writeError explains a failed write; kept says what becomes of what is known.
func writeError(path, keptText string, err error) *Error {
	e := &Error{Summary: "State cannot be saved", Path: path, Cause: err}
	what := fmt.Sprintf("Writing %s failed: %s. ", path, errorWithoutPath(err))
	switch {
	case isDiskFull(err):
		e.Summary = "No space left for the state"
		e.Detail = what + keptText + " Free some space, then run the same command again."
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Detail = what + keptText + " b2form must be able to create and replace files in this folder: change its " +
			"permissions, or run as the user that owns it. Planning needs no writable folder."
	default:
		e.Detail = what + keptText + " Correct this, then run the same command again."
	}
	return e
}

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// errorWithoutPath is the operating system's words without the path, which the message
// has already.
func errorWithoutPath(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
