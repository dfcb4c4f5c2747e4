package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"

	"b2form/internal/adopt"
	"b2form/internal/durable"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/folder"
)

// showOrWriteDriftEdits shows, or writes, how the files are edited so that they declare what is live.
func (s *session) showOrWriteDriftEdits(changes []plan.Change, writeFiles bool) error {
	accepted := adopt.AcceptDrift(s.config, changes, readEditable)
	var unknown []adopt.UnknownSettings
	for i := range changes {
		if o := s.snapshot.ByID(changes[i].Kind, changes[i].RemoteID); o != nil {
			unknown = adopt.AppendUnknownSettings(unknown, o, changes[i].Fields)
		}
	}
	s.warnUnknownSettings(unknown)
	if writeFiles {
		if err := s.writeAndCheckEdits(accepted); err != nil {
			return err
		}
		s.updatePlaces(accepted.ByHand)
	}
	var b strings.Builder
	var names []string
	for _, f := range accepted.EditedFiles {
		shown := visible.EscapeLine(f.Name)
		names = append(names, shown)
		b.WriteString("\n" + visible.EscapeLines(strings.TrimRight(string(diff.Diff("old/"+shown, f.Before, "new/"+shown, f.After)),
			"\n")) + "\n")
	}
	if len(accepted.ByHand) > 0 {
		b.WriteString("\nTo be edited by hand:\n")
		for _, h := range accepted.ByHand {
			const indent, mostCharacters = "    ", 500
			text := view.Wrap("  "+visible.EscapeTruncated(h.String(), mostCharacters), max(0, s.outputStyle().Width-len(indent)))
			b.WriteString(strings.ReplaceAll(text, "\n", "\n"+indent) + "\n")
		}
	}
	switch {
	case writeFiles && len(names) > 0:
		b.WriteString("\nWrote " + words.JoinAnd(names) + ".\n")
	case writeFiles:
		b.WriteString("\nNothing was written.\n")
	}
	_, err := io.WriteString(s.stdout, b.String())
	return err
}

// updatePlaces has the lines be those of the files as they were read after they were written.
func (s *session) updatePlaces(byHand []adopt.UnacceptedDrift) {
	for i := range byHand {
		h := &byHand[i]
		switch r := s.config.FindResource(h.Addr); {
		case r == nil:
		case h.Attr == "":
			h.Place = r.Block.HeaderRange
		default:
			h.Place = r.Block.RangeOf(h.Attr)
		}
	}
}

// readEditable reads a file of the configuration that may be replaced. The error is a clause for people.
func readEditable(name string) ([]byte, error) {
	path, err := resolveEditablePath(name)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.New("the file cannot be read: " + words.ErrorWithoutPath(err))
	}
	return text, nil
}

// resolveEditablePath is the regular file that a file of the configuration is, or that it leads to as a link. What is written
// stays in the folder.
func resolveEditablePath(name string) (string, error) {
	info, err := os.Lstat(name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		name = folder.WithoutLinks(name)
		if inside, err := filepath.Rel(folder.WithoutLinks("."), name); err != nil || !filepath.IsLocal(inside) {
			return "", errors.New("the file is a symbolic link that leads out of the folder")
		}
		info, err = os.Lstat(name)
	}
	switch {
	case err != nil:
		return "", errors.New("the file cannot be read: " + words.ErrorWithoutPath(err))
	case !info.Mode().IsRegular():
		return "", errors.New("the file is no regular file")
	}
	return name, nil
}

// writeAndCheckEdits replaces the files, each whole, and puts them back where what they say then is not what
// is live.
func (s *session) writeAndCheckEdits(a *adopt.ConfigEdits) (err error) {
	var written []adopt.EditedFile
	defer func() {
		if err == nil {
			return
		}
		for _, f := range written {
			err = errors.Join(err, replaceFileIfUnchanged(f.Name, f.After, f.Before))
		}
	}()
	for _, f := range a.EditedFiles {
		if err := replaceFileIfUnchanged(f.Name, f.Before, f.After); err != nil {
			return err
		}
		written = append(written, f)
	}
	if len(written) == 0 {
		return nil
	}
	return s.reloadAndCheckWritten(a)
}

// reloadAndCheckWritten demands that the files can be read and that what was accepted does not differ any more.
func (s *session) reloadAndCheckWritten(a *adopt.ConfigEdits) error {
	o := s.schemaOptions(s.kinds)
	o.Snapshot = s.snapshot
	if _, err := s.loadHidingSensitive(o); err != nil {
		return err
	}
	left, diags := plan.FindDrift(s.defaultPlanRequest())
	if diags.HasErrors() {
		return diags
	}
	for i := range left.Changes {
		for _, name := range a.AcceptedAttrs[left.Changes[i].Addr] {
			if slices.Contains(left.Changes[i].Fields, name) {
				diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "What was written says something else",
					Detail: fmt.Sprintf("%s of %s would differ still, so the files were put back as they were. Edit it by hand.", name,
						left.Changes[i].Addr)})
			}
		}
	}
	if diags.HasErrors() {
		return diags
	}
	return nil
}

// replaceFileIfUnchanged puts a file with another text in the place of one, at once. It must hold what it did.
func replaceFileIfUnchanged(name string, before, after []byte) (err error) {
	failed := func(why string) error {
		return failf("A file cannot be written", "%s: %s. Files that were written before are put back.", visible.EscapeLine(name), why)
	}
	now, err := readEditable(name)
	if err != nil {
		return failed(err.Error())
	}
	if string(now) != string(before) {
		return failed("somebody else has changed it meanwhile")
	}
	path, err := resolveEditablePath(name)
	if err != nil {
		return failed(err.Error())
	}
	info, err := os.Stat(path)
	if err != nil {
		return failed(words.ErrorWithoutPath(err))
	}
	if err := durable.ReplaceFile(path, after, info.Mode().Perm()); err != nil {
		return failed(words.ErrorWithoutPath(err))
	}
	return nil
}
