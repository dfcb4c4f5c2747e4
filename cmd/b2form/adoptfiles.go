package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"b2form/internal/adopt"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// Bounds of what adopt downloads.
const (
	mostAdoptedFiles = 1000
	mostAdoptedBytes = 1_000_000_000
	downloadsAtOnce  = 4
)

// A downloadTarget is the folder in which adopt works, as far as downloads made something there.
type downloadTarget struct {
	root         *os.Root // nil: nothing was downloaded
	mu           sync.Mutex
	createdPaths []string // files and folders, in the order in which they were made
}

// fetchFiles downloads what the files hold that were asked for, and has the request tell of
// them. The folder is to be closed, also after an error.
func (s *session) fetchFiles(ctx context.Context, r *adopt.Request, bucketFilePrefixes []string) (folderToClose *downloadTarget,
	err error) {
	folder := &downloadTarget{}
	if len(bucketFilePrefixes) == 0 {
		return folder, nil
	}
	k := s.contentKind()
	var objects []*kind.Object
	for _, each := range bucketFilePrefixes {
		found, err := s.listFilesIntoSnapshot(ctx, k, each)
		if err != nil {
			return folder, err
		}
		objects = append(objects, found...)
	}
	return folder, s.fetchContents(ctx, r, k, objects, folder)
}

// listFilesIntoSnapshot lists the files of a bucket that begin with a prefix, and puts them into the snapshot.
func (s *session) listFilesIntoSnapshot(ctx context.Context, k *kind.Kind, bucketFilePrefix string) ([]*kind.Object, error) {
	name, prefix, _ := strings.Cut(bucketFilePrefix, "/")
	parent := kind.FindKind(s.kinds, k.ParentKind())
	ids := s.snapshot.IDsOf(parent, parent.NormalizeIdentity(name))
	if len(ids) == 0 {
		return nil, s.bucketNotSeenError(parent, name, "-files="+visible.EscapeLine(bucketFilePrefix))
	}
	list, _, more, err := k.Parent.ListChildren(ctx, s.client, ids[0], kind.ChildListQuery{Prefix: prefix, Limit: mostAdoptedFiles})
	if err != nil {
		return nil, err
	}
	if more {
		return nil, failf("Too many files", "More than %d files in the bucket %q have names that begin with %q, and adopt takes no more "+
			"at once. Give a longer prefix. For many files that you have, a block with for_each over fileset() is shorter.",
			mostAdoptedFiles, name, prefix)
	}
	if len(list) == 0 {
		why := fmt.Sprintf("No file in the bucket %q has a name that begins with %q.", name, prefix)
		if prefix == "" {
			why = fmt.Sprintf("The bucket %q holds no file.", name)
		}
		s.ui.Note(visible.EscapeLine(why))
	}
	if err := s.snapshot.AddLookedForChildren(k, nil, list); err != nil {
		return nil, err
	}
	var objects []*kind.Object
	for _, raw := range list {
		o, err := s.snapshot.NewObject(k, raw)
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// fetchContents downloads what objects hold.
func (s *session) fetchContents(ctx context.Context, r *adopt.Request, k *kind.Kind, objects []*kind.Object, to *downloadTarget) error {
	contents, left, err := adopt.ContentsToDownload(*r, k, objects)
	if err != nil {
		return err
	}
	r.Undeclarable, r.ContentPaths = left, map[adopt.ObjectID]string{}
	total := int64(0)
	for _, c := range contents {
		total += c.Size
	}
	switch {
	case len(contents) > mostAdoptedFiles:
		return failf("Too many files", "These are %d files, and adopt takes at most %d at once. Ask for fewer with -files.", len(contents),
			mostAdoptedFiles)
	case total > mostAdoptedBytes:
		return failf("Too much to download", "The files hold %d bytes, and adopt downloads at most %d. Ask for fewer with -files.", total,
			mostAdoptedBytes)
	case len(contents) == 0:
		return nil
	}
	if to.root, err = os.OpenRoot("."); err != nil {
		return failf("Folder cannot be read", "%s.", words.ErrorWithoutPath(err))
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(downloadsAtOnce)
	for _, c := range contents {
		r.ContentPaths[adopt.ObjectID{Kind: k.Name, ID: c.Object.ID}] = c.LocalPath
		g.Go(func() error { return s.fetchContent(ctx, c, to) })
	}
	return g.Wait()
}

// fetchContent downloads one file. A local file that holds the same already is left as it is.
func (s *session) fetchContent(ctx context.Context, c adopt.ContentToDownload, to *downloadTarget) (err error) {
	switch sum, err := to.regularFileSHA1(c.LocalPath); {
	case err == nil && sum == c.SHA1:
		return nil
	case err == nil:
		return failf("A file is in the way", "%s is there already and does not hold what %s does. Nothing was kept. Move it away, or "+
			"adopt in another folder.", visible.EscapeLine(c.LocalPath), wire.QuoteB2Text(c.Object.Identity))
	case !errors.Is(err, fs.ErrNotExist):
		return failf("A file cannot be written", "%s: %s. Nothing was kept. Move away what is in the way, or adopt in another folder.",
			visible.EscapeLine(c.LocalPath), words.ErrorWithoutPath(err))
	}
	var text []byte
	if c.Size > 0 {
		if text, err = s.client.Download(ctx, c.FileVersionID, c.Size); err != nil {
			return err
		}
	}
	if got := wire.TextPayload(string(text)); got.SHA1 != c.SHA1 {
		return failf("What was downloaded is not what B2 tells of it", "The %d bytes of %s have the SHA-1 %s, and B2 tells %s. Who "+
			"uploaded it told B2 another one. Upload it again, or ask for other files with -files.", got.Size,
			wire.QuoteB2Text(c.Object.Identity), got.SHA1,
			c.SHA1)
	}
	if err := to.createFile(c.LocalPath, text); err != nil {
		return failf("A file cannot be written", "%s: %s. Nothing was kept.", visible.EscapeLine(c.LocalPath), words.ErrorWithoutPath(err))
	}
	return nil
}

// regularFileSHA1 is that of a regular file that is there.
func (f *downloadTarget) regularFileSHA1(name string) (sum string, err error) {
	if info, err := f.root.Lstat(name); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() { // opening a pipe would wait
		return "", errors.New("what is there is no regular file")
	}
	file, err := f.root.Open(name)
	if err != nil {
		return "", err
	}
	_, sum, err = wire.SizeAndSHA1(file)
	return sum, errors.Join(err, file.Close())
}

// createFile makes a file, which must not be there, and the folders above it. No link leads out of
// the folder.
func (f *downloadTarget) createFile(name string, text []byte) error {
	if err := f.makeFolders(path.Dir(name)); err != nil {
		return err
	}
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.createdPaths = append(f.createdPaths, name)
	f.mu.Unlock()
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

func (f *downloadTarget) makeFolders(folderPath string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := ""
	for part := range strings.SplitSeq(folderPath, "/") {
		at = path.Join(at, part)
		switch err := f.root.Mkdir(at, 0o755); {
		case err == nil:
			f.createdPaths = append(f.createdPaths, at)
		case !errors.Is(err, fs.ErrExist):
			return err
		}
	}
	return nil
}

// closeRemovingIfFailed removes what was made where nothing is to be kept of it.
func (f *downloadTarget) closeRemovingIfFailed(failed bool) error {
	if f.root == nil {
		return nil
	}
	var errs []error
	if failed {
		for _, name := range slices.Backward(f.createdPaths) {
			errs = append(errs, removalErrorIfAny(name, f.root.Remove(name)))
		}
	}
	return errors.Join(append(errs, f.root.Close())...)
}
