package clients_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Backblaze/blazer/b2"
)

// smallestPart is the size that the account reports as the smallest part of a
// large file, in bytes.
const smallestPart = 5_000_000

// noise gives bytes that are alike for the same seed.
func noise(seed byte, size int) []byte {
	b := make([]byte, size)
	// It never fails.
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// A blazer works in one bucket.
type blazer struct {
	ctx    context.Context
	site   site
	client *b2.Client
	bucket *b2.Bucket
	when   time.Time
}

func blazerFiles() job {
	return job{
		name: "files",
		needs: map[string]string{
			"listBuckets": "open the bucket",
			"writeFiles":  "write a file",
			"readFiles":   "read it",
			"listFiles":   "resume a large file",
			"shareFiles":  "share a file",
			"deleteFiles": "reveal a file",
		},
		run: func(t *testing.T, s site) (string, error) {
			b := &blazer{ctx: t.Context(), site: s, when: time.UnixMilli(1_700_000_000_000)}
			return walk([]step{
				{"open the bucket", b.open},
				{"write a file", b.write},
				{"read it", b.read},
				{"write a large file", b.writeLarge},
				{"read it in pieces", b.readPieces},
				{"resume a large file", b.resume},
				{"list", b.list},
				{"share a file", b.share},
				{"hide a file", b.hide},
				{"reveal a file", b.reveal},
				{"delete every version", b.deleteAll},
			})
		},
	}
}

func (b *blazer) open() (err error) {
	if b.client, err = b2.NewClient(b.ctx, b.site.key.ID, b.site.key.Secret, b2.APIBase(b.site.endpoint)); err != nil {
		return err
	}
	b.bucket, err = b.client.Bucket(b.ctx, b.site.bucket)
	return err
}

const blazerName = "folder/ä %+&?#=.txt"

func (b *blazer) write() error {
	return b.put(blazerName, []byte("content"), b2.WithAttrsOption(&b2.Attrs{
		ContentType: "text/plain", Info: map[string]string{"author": "ä/ b", "Case": "Ü"}, LastModified: b.when,
	}))
}

func (b *blazer) put(name string, content []byte, options ...b2.WriterOption) error {
	w := b.bucket.Object(name).NewWriter(b.ctx, options...)
	w.ChunkSize, w.ConcurrentUploads = smallestPart, 3
	// Without ReadFrom every part is a copy in memory with its digest in the
	// header; with it, the digest comes last.
	_, err := io.Copy(w, bytes.NewReader(content))
	return errors.Join(err, w.Close())
}

func (b *blazer) read() error {
	r := b.bucket.Object(blazerName).NewReader(b.ctx)
	got, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err, verified := r.Verify(); err != nil || !verified {
		return fmt.Errorf("%w: the digest is not verified: %v", errWrong, err)
	}
	attrs, err := b.bucket.Object(blazerName).Attrs(b.ctx)
	if err != nil {
		return err
	}
	if attrs.UploadTimestamp.IsZero() {
		return fmt.Errorf("%w: no upload timestamp", errWrong)
	}
	attrs.UploadTimestamp = time.Time{}
	return check(r.Close(), wrong("content", "content", string(got)), wrong("attributes", &b2.Attrs{
		Name: blazerName, Size: 7, ContentType: "text/plain", Status: b2.Uploaded, LastModified: b.when,
		SHA1: "040f06fd774092478d450774f5ba30c5da78acc8", Info: map[string]string{"author": "ä/ b", "case": "Ü"},
	}, attrs))
}

func (b *blazer) writeLarge() error {
	return b.put("large", noise(1, 2*smallestPart+1))
}

func (b *blazer) readPieces() error {
	r := b.bucket.Object("large").NewReader(b.ctx)
	r.ConcurrentDownloads, r.ChunkSize = 3, 1_000_000
	whole, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	part := b.bucket.Object("large").NewRangeReader(b.ctx, smallestPart-3, 6)
	piece, err := io.ReadAll(part)
	if err != nil {
		return err
	}
	want := noise(1, 2*smallestPart+1)
	return check(errors.Join(r.Close(), part.Close()),
		wrong("the whole", true, bytes.Equal(want, whole)), wrong("a range over two parts", want[smallestPart-3:smallestPart+3], piece))
}

// resume gives up a large file after its first part and goes on later.
func (b *blazer) resume() error {
	content := noise(2, 2*smallestPart+1)
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	w := b.bucket.Object("resumed").NewWriter(ctx)
	w.ChunkSize = smallestPart
	// The second part is taken over only when the first is sent.
	if _, err := w.Write(content[:2*smallestPart]); err != nil {
		return err
	}
	cancel()
	if err := w.Close(); err == nil {
		return fmt.Errorf("%w: the upload was to be given up", errWrong)
	}
	unfinished, err := b.names(b2.ListUnfinished())
	if err != nil {
		return err
	}
	if err := wrong("the unfinished files", []string{"resumed"}, unfinished); err != nil {
		return err
	}
	w = b.bucket.Object("resumed").NewWriter(b.ctx)
	w.ChunkSize, w.Resume = smallestPart, true
	_, err = w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	got, err := io.ReadAll(b.bucket.Object("resumed").NewReader(b.ctx))
	return check(err, wrong("the resumed file", true, bytes.Equal(content, got)))
}

// names lists by pages of one.
func (b *blazer) names(options ...b2.ListOption) ([]string, error) {
	var names []string
	all := b.bucket.List(b.ctx, append(options, b2.ListPageSize(1))...)
	for all.Next() {
		names = append(names, all.Object().Name())
	}
	return names, all.Err()
}

func (b *blazer) list() error {
	if err := b.put("large", []byte("a newer version")); err != nil {
		return err
	}
	for _, c := range []struct {
		what    string
		options []b2.ListOption
		want    []string
	}{
		{"all names", nil, []string{blazerName, "large", "resumed"}},
		{"all versions", []b2.ListOption{b2.ListHidden()}, []string{blazerName, "large", "large", "resumed"}},
		{"names with a prefix", []b2.ListOption{b2.ListPrefix("l")}, []string{"large"}},
		{"folders", []b2.ListOption{b2.ListDelimiter("/")}, []string{"folder/", "large", "resumed"}},
		{"what is in a folder", []b2.ListOption{b2.ListDelimiter("/"), b2.ListPrefix("folder/")}, []string{blazerName}},
		{"unfinished files", []b2.ListOption{b2.ListUnfinished()}, nil},
	} {
		got, err := b.names(c.options...)
		if err := check(err, wrong(c.what, c.want, got)); err != nil {
			return err
		}
	}
	return nil
}

// share downloads without the key, by a link that also names the file anew.
func (b *blazer) share() error {
	link, err := b.bucket.Object("large").AuthURL(b.ctx, time.Minute, `attachment; filename="shared"`)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, link.String(), nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(reply.Body)
	return check(errors.Join(err, reply.Body.Close()), wrong("status", http.StatusOK, reply.StatusCode),
		wrong("content", "a newer version", string(content)),
		wrong("disposition", `attachment; filename="shared"`, reply.Header.Get("Content-Disposition")))
}

func (b *blazer) hide() error {
	if err := b.bucket.Object("large").Hide(b.ctx); err != nil {
		return err
	}
	names, err := b.names()
	if err := check(err, wrong("names", []string{blazerName, "resumed"}, names)); err != nil {
		return err
	}
	if _, err := b.bucket.Object("large").Attrs(b.ctx); !b2.IsNotExist(err) {
		return fmt.Errorf("%w: the hidden file has attributes: %v", errWrong, err)
	}
	return nil
}

func (b *blazer) reveal() error {
	if err := b.bucket.Reveal(b.ctx, "large"); err != nil {
		return err
	}
	content, err := io.ReadAll(b.bucket.Object("large").NewReader(b.ctx))
	return check(err, wrong("content", "a newer version", string(content)))
}

func (b *blazer) deleteAll() error {
	all := b.bucket.List(b.ctx, b2.ListHidden())
	for all.Next() {
		if err := all.Object().Delete(b.ctx); err != nil {
			return err
		}
	}
	names, err := b.names(b2.ListHidden())
	return check(errors.Join(all.Err(), err), wrong("what is left", []string(nil), names))
}

func blazerAccount() job {
	return job{
		name:    "account",
		account: true,
		needs: map[string]string{
			"listBuckets":   "make a bucket",
			"writeBuckets":  "make a bucket",
			"writeKeys":     "make keys",
			"listKeys":      "list keys",
			"deleteKeys":    "delete keys",
			"writeFiles":    "write with its troubles",
			"deleteFiles":   "empty the bucket",
			"listFiles":     "empty the bucket",
			"deleteBuckets": "spare the bucket with files",
		},
		run: func(t *testing.T, s site) (string, error) {
			b := &blazer{ctx: t.Context(), site: s}
			return walk([]step{
				{"make a bucket", b.makeBucket},
				{"change the bucket", b.changeBucket},
				{"make keys", b.makeKeys},
				{"list keys", b.listKeys},
				{"delete keys", b.deleteKeys},
				{"write with its troubles", b.trouble},
				{"spare the bucket with files", b.spare},
				{"empty the bucket", b.deleteAll},
				{"delete the bucket", b.deleteBucket},
			})
		},
	}
}

func (b *blazer) makeBucket() (err error) {
	if b.client, err = b2.NewClient(b.ctx, b.site.key.ID, b.site.key.Secret, b2.APIBase(b.site.endpoint)); err != nil {
		return err
	}
	b.bucket, err = b.client.NewBucket(b.ctx, b.site.bucket+"-b", &b2.BucketAttrs{
		Type: b2.Private, Info: map[string]string{"Owner": "blazer"}, LifecycleRules: []b2.LifecycleRule{{DaysHiddenUntilDeleted: 1}},
	})
	return err
}

func (b *blazer) changeBucket() error {
	before, err := b.bucket.Attrs(b.ctx)
	if err != nil {
		return err
	}
	stale, err := b.client.Bucket(b.ctx, b.bucket.Name())
	if err != nil {
		return err
	}
	if err := b.bucket.Update(b.ctx, &b2.BucketAttrs{Info: map[string]string{"state": "changed"}}); err != nil {
		return err
	}
	if err := stale.Update(b.ctx, &b2.BucketAttrs{Info: map[string]string{"state": "lost"}}); !b2.IsUpdateConflict(err) {
		return fmt.Errorf("%w: a stale update is no conflict: %v", errWrong, err)
	}
	after, err := b.bucket.Attrs(b.ctx)
	if err != nil {
		return err
	}
	return check(nil, wrong("the bucket's info", map[string]string{"owner": "blazer"}, before.Info),
		wrong("the changed info", map[string]string{"state": "changed"}, after.Info),
		wrong("the rules", []b2.LifecycleRule{{DaysHiddenUntilDeleted: 1}}, after.LifecycleRules))
}

// makeKeys makes a key for a folder of the bucket and looks what it may do.
func (b *blazer) makeKeys() error {
	made, err := b.bucket.CreateKey(b.ctx, "blazer-folder", b2.Prefix("folder/"), b2.Lifetime(time.Hour),
		b2.Capabilities("listBuckets", "listFiles", "readFiles"))
	if err != nil {
		return err
	}
	limited, err := b2.NewClient(b.ctx, made.ID(), made.Secret(), b2.APIBase(b.site.endpoint))
	if err != nil {
		return err
	}
	bucket, err := limited.Bucket(b.ctx, b.bucket.Name())
	if err != nil {
		return err
	}
	_, otherBucket := limited.Bucket(b.ctx, b.site.bucket)
	inside := bucket.List(b.ctx, b2.ListPrefix("folder/"))
	outside := bucket.List(b.ctx, b2.ListPrefix("other/"))
	if inside.Next() || outside.Next() {
		return fmt.Errorf("%w: the empty bucket has files", errWrong)
	}
	_, absent := bucket.Object("folder/absent").Attrs(b.ctx)
	_, forbidden := bucket.Object("other/absent").Attrs(b.ctx)
	for _, c := range []struct {
		what string
		ok   bool
		err  error
	}{
		{"another bucket", isRefusal(otherBucket), otherBucket},
		{"listing inside", inside.Err() == nil, inside.Err()},
		{"listing outside", isRefusal(outside.Err()), outside.Err()},
		{"a missing file inside", b2.IsNotExist(absent), absent},
		{"a missing file outside", isRefusal(forbidden), forbidden},
		{"the time at which it ends", made.Expires().After(time.Now().Add(59 * time.Minute)), nil},
	} {
		if !c.ok {
			return fmt.Errorf("%w: %s: %v", errWrong, c.what, c.err)
		}
	}
	return nil
}

// listKeys lists by pages of one.
func (b *blazer) listKeys() error {
	seen := 0
	for cursor := ""; ; {
		keys, next, err := b.client.ListKeys(b.ctx, 1, cursor)
		if err != nil && err != io.EOF {
			return err
		}
		for _, k := range keys {
			if k.Secret() != "" {
				return fmt.Errorf("%w: the list has the secret of %s", errWrong, k.Name())
			}
			if strings.HasPrefix(k.Name(), "blazer-") {
				seen++
			}
		}
		if err == io.EOF {
			break
		}
		cursor = next
	}
	if seen < 2 {
		return fmt.Errorf("%w: %d keys are listed", errWrong, seen)
	}
	return nil
}

func (b *blazer) deleteKeys() error {
	k, err := b.client.CreateKey(b.ctx, "blazer-short", b2.Capabilities("listBuckets"))
	if err != nil {
		return err
	}
	if err := k.Delete(b.ctx); err != nil {
		return err
	}
	if _, err := b2.NewClient(b.ctx, k.ID(), k.Secret(), b2.APIBase(b.site.endpoint)); !isRefusal(err) {
		return fmt.Errorf("%w: the deleted key still works: %v", errWrong, err)
	}
	return nil
}

// trouble writes while the service fails uploads and expires tokens, as the
// client asks it to.
func (b *blazer) trouble() error {
	client, err := b2.NewClient(b.ctx, b.site.key.ID, b.site.key.Secret, b2.APIBase(b.site.endpoint), b2.FailSomeUploads(),
		b2.ExpireSomeAuthTokens())
	if err != nil {
		return err
	}
	bucket, err := client.Bucket(b.ctx, b.bucket.Name())
	if err != nil {
		return err
	}
	for i := range 5 {
		w := bucket.Object(fmt.Sprint("file", i)).NewWriter(b.ctx)
		_, err := w.Write([]byte("content"))
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
	}
	capped, err := b2.NewClient(b.ctx, b.site.key.ID, b.site.key.Secret, b2.APIBase(b.site.endpoint), b2.ForceCapExceeded())
	if err == nil {
		_, err = capped.Bucket(b.ctx, b.bucket.Name())
	}
	if err == nil || !strings.Contains(err.Error(), "403") {
		return fmt.Errorf("%w: the cap does not show: %v", errWrong, err)
	}
	return nil
}

// spare wants a bucket with files deleted, which the service does not do.
func (b *blazer) spare() error {
	err := b.bucket.Delete(b.ctx)
	if isRefusal(err) {
		return err
	}
	if err == nil || !strings.Contains(err.Error(), "400") {
		return fmt.Errorf("%w: a bucket with files was to be deleted: %v", errWrong, err)
	}
	return nil
}

func (b *blazer) deleteBucket() error {
	if err := b.bucket.Delete(b.ctx); err != nil {
		return err
	}
	if err := b.bucket.Delete(b.ctx); !b2.IsNotExist(err) {
		return fmt.Errorf("%w: the deleted bucket exists: %v", errWrong, err)
	}
	return nil
}
