package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A place is what a URL of a VFS item says.
type place struct {
	host, id, secret string
	bucket, folder   string // "uploads/", or ""
}

// places reads the file that holds a b2:// and an s3:// URL.
func places(file string) (map[string]place, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	found := map[string]place{}
	for line := range strings.Lines(string(text)) {
		u, err := url.Parse(strings.TrimSpace(line))
		if err != nil {
			return nil, errors.New("a line is no URL") // the error would show the secret
		}
		secret, _ := u.User.Password()
		bucket, folder, _ := strings.Cut(strings.TrimLeft(u.Path, "/"), "/")
		found[u.Scheme] = place{u.Host, u.User.Username(), secret, bucket, folder}
	}
	return found, check(len(found) == 2, "there are %d URLs", len(found))
}

// crushFTP does through each API what CrushFTP does: it uploads, lists and
// reads, and renames a folder by copying each file and deleting the old one.
func crushFTP(ctx context.Context, file string) error {
	urls, err := places(file)
	if err != nil {
		return err
	}
	b2, s3 := urls["b2"], urls["s3"]
	if b2.secret != s3.secret || !strings.ContainsRune(b2.secret, '/') || !strings.ContainsRune(b2.secret, '+') {
		return errors.New("the URLs should have one secret, with / and + in it")
	}
	n := &native{place: b2}
	c := &signed{ctx, connect("https://"+s3.host, s3.id, s3.secret), s3}
	return walk([]step{
		{"authorize", n.authorize}, {"find the bucket", n.find}, {"upload and read by b2://", func() error { return trip(n, "b2/") }},
		{"rename by b2://", func() error { return rename(n, "b2/") }},
		{"upload and read by s3://", func() error { return trip(c, "s3/") }},
		{"rename by s3://", func() error { return rename(c, "s3/") }},
	})
}

// A store is what a VFS item leads to. Names are below its folder.
type store interface {
	put(name, content string) error
	get(name string) (string, error)
	list(prefix string) ([]string, error)
	copy(from, to string) error
	remove(name string) error
}

var contents = map[string]string{"old/a.txt": "a", "old/ä %+.txt": strings.Repeat("long ", 1000)}

func trip(s store, below string) error {
	for name, content := range contents {
		if err := s.put(below+name, content); err != nil {
			return err
		}
		got, err := s.get(below + name)
		if err := errors.Join(err, check(got == content, "%s has another content", name)); err != nil {
			return err
		}
	}
	return nil
}

func rename(s store, below string) error {
	old, err := s.list(below + "old/")
	if err := errors.Join(err, check(len(old) == len(contents), "%d files are listed", len(old))); err != nil {
		return err
	}
	for _, from := range old {
		if err := s.copy(from, below+"new/"+from[len(below+"old/"):]); err != nil {
			return err
		}
		if err := s.remove(from); err != nil {
			return err
		}
	}
	left, err := s.list(below)
	want := []string{below + "new/a.txt", below + "new/ä %+.txt"}
	return errors.Join(err, check(slices.Equal(left, want), "renamed, the files are %q", left))
}

// encoded is a name for a header or URL, where both APIs take + for a space.
func encoded(name string) string { return strings.ReplaceAll(url.PathEscape(name), "+", "%2B") }

// signed speaks S3 with the SHA-256 of each content in its signature.
type signed struct {
	ctx    context.Context
	client *s3.Client
	place
}

func (c *signed) name(name string) *string { return aws.String(c.folder + name) }

func (c *signed) put(name, content string) error {
	in := &s3.PutObjectInput{Bucket: &c.bucket, Key: c.name(name), Body: strings.NewReader(content)}
	_, err := c.client.PutObject(c.ctx, in)
	return err
}

func (c *signed) get(name string) (string, error) {
	out, err := c.client.GetObject(c.ctx, &s3.GetObjectInput{Bucket: &c.bucket, Key: c.name(name)})
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(out.Body)
	return string(content), errors.Join(err, out.Body.Close())
}

func (c *signed) list(prefix string) ([]string, error) {
	found, err := names(c.ctx, c.client, c.bucket, c.folder+prefix)
	for i := range found {
		found[i] = found[i][len(c.folder):]
	}
	return found, err
}

func (c *signed) copy(from, to string) error {
	source := c.bucket + "/" + encoded(c.folder+from)
	_, err := c.client.CopyObject(c.ctx, &s3.CopyObjectInput{Bucket: &c.bucket, Key: c.name(to), CopySource: &source})
	return err
}

func (c *signed) remove(name string) error {
	_, err := c.client.DeleteObject(c.ctx, &s3.DeleteObjectInput{Bucket: &c.bucket, Key: c.name(name)})
	return err
}

// native speaks version 2 of B2's own API.
type native struct {
	place
	AccountID   string `json:"accountId"`
	Token       string `json:"authorizationToken"`
	APIURL      string `json:"apiUrl"`
	DownloadURL string `json:"downloadUrl"`
	bucketID    string
	ids         map[string]string // of the files by name, as listed
}

// send gives the content of a reply.
func (n *native) send(verb, to, token string, body []byte, header map[string]string) ([]byte, error) {
	r, err := http.NewRequest(verb, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", token)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	if token == "" {
		r.SetBasicAuth(n.id, n.secret)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(reply.Body)
	return content, errors.Join(err, reply.Body.Close(), check(reply.StatusCode == 200, "%s %s: %s", verb, to, content))
}

func (n *native) call(name string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	content, err := n.send("POST", n.APIURL+"/b2api/v2/"+name, n.Token, body, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, out)
}

func (n *native) authorize() error {
	content, err := n.send("GET", "https://"+n.host+"/b2api/v2/b2_authorize_account", "", nil, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, n)
}

func (n *native) find() error {
	var all struct {
		Buckets []struct {
			ID string `json:"bucketId"`
		} `json:"buckets"`
	}
	if err := n.call("b2_list_buckets", map[string]any{"accountId": n.AccountID, "bucketName": n.bucket}, &all); err != nil {
		return err
	}
	if len(all.Buckets) != 1 {
		return fmt.Errorf("there are %d buckets of the name", len(all.Buckets))
	}
	n.bucketID = all.Buckets[0].ID
	return nil
}

func (n *native) put(name, content string) error {
	var to struct {
		URL   string `json:"uploadUrl"`
		Token string `json:"authorizationToken"`
	}
	if err := n.call("b2_get_upload_url", map[string]any{"bucketId": n.bucketID}, &to); err != nil {
		return err
	}
	sum := sha1.Sum([]byte(content))
	_, err := n.send("POST", to.URL, to.Token, []byte(content), map[string]string{
		"X-Bz-File-Name": encoded(n.folder + name), "Content-Type": "b2/x-auto", "X-Bz-Content-Sha1": hex.EncodeToString(sum[:]),
	})
	return err
}

func (n *native) get(name string) (string, error) {
	content, err := n.send("GET", n.DownloadURL+"/file/"+n.bucket+"/"+encoded(n.folder+name), n.Token, nil, nil)
	return string(content), err
}

func (n *native) list(prefix string) ([]string, error) {
	var all struct {
		Files []struct {
			Name string `json:"fileName"`
			ID   string `json:"fileId"`
		} `json:"files"`
	}
	err := n.call("b2_list_file_names", map[string]any{"bucketId": n.bucketID, "prefix": n.folder + prefix, "maxFileCount": 100}, &all)
	n.ids = map[string]string{}
	var found []string
	for _, f := range all.Files {
		name := f.Name[len(n.folder):]
		n.ids[name] = f.ID
		found = append(found, name)
	}
	return found, err
}

func (n *native) copy(from, to string) error {
	return n.call("b2_copy_file", map[string]any{"sourceFileId": n.ids[from], "fileName": n.folder + to}, &struct{}{})
}

func (n *native) remove(name string) error {
	in := map[string]any{"fileName": n.folder + name, "fileId": n.ids[name]}
	return n.call("b2_delete_file_version", in, &struct{}{})
}
