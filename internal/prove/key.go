package prove

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"b2form/schema/wire"
)

// An operation is one thing that a capability lets a key do with files.
type operation struct {
	verb, capability string
	to               string // before the name of a bucket
	classes          string // natively; through S3 one call less of class A at most
	uploads          bool   // it needs a file that was uploaded for it
	native, s3       func(t *trial, ctx context.Context, at file) error
}

func listing() operation {
	return operation{"list files", "listFiles", " of ", "C", false, (*trial).list, (*trial).listS3}
}

func uploading() operation {
	return operation{"upload files", "writeFiles", " to ", "AA", true, (*trial).upload, (*trial).uploadS3}
}

// A file is where something is tried.
type file struct {
	bucket *Bucket
	name   string
}

// keyPromises are what a key may and must not do. What it may not do anyway is not tried in
// further places.
func (o *Options) keyPromises(k *Key) []Promise {
	out := []Promise{{Text: "authorizes with what it was made with", Skip: k.NoAccess, Classes: "ACC",
		try: func(ctx context.Context, t *trial) error { return t.open(ctx) }}}
	switch {
	case k.NoAccess != "":
		return out
	case k.Bucket == nil:
		return append(out, Promise{Text: "may work in a bucket", Skip: "none that it reaches is declared"})
	}
	out = append(out, o.facePromises(k, "B2", "")...)
	skip := ""
	switch {
	case !k.HasS3 || !k.Bucket.HasS3:
		skip = "keys and buckets from before May 2020 have no S3 API"
	case o.Account.S3URL == "":
		skip = "the service has no S3 API"
	}
	return append(out, o.facePromises(k, "S3", skip)...)
}

// facePromises are those of one API.
func (o *Options) facePromises(k *Key, face, skip string) (out []Promise) {
	noUpload := o.noUploads()
	add := func(op operation, at file, allowed bool, where string) {
		try, may := op.native, " may "
		if face == "S3" {
			try = op.s3
		}
		if !allowed {
			may = " may not "
		}
		p := Promise{Text: face + ":" + may + op.verb + where, Skip: skip, Classes: op.classes,
			try: func(ctx context.Context, t *trial) error { return t.expect(allowed, try(t, ctx, at)) }}
		if p.Skip == "" && op.uploads {
			p.Skip = cmp.Or(noUpload, at.bucket.NoUpload)
		}
		if p.Skip == "" && op.capability == "readFiles" && !allowed && at.bucket.Public {
			p.Skip = "everybody may, since the bucket is public"
		}
		out = append(out, p)
	}
	may := func(op operation) bool { return slices.Contains(k.Capabilities, op.capability) }
	own := file{k.Bucket, k.NamePrefix + o.FileName}
	for _, op := range []operation{
		listing(), uploading(),
		{"download files", "readFiles", "", "AAB", true, (*trial).download, (*trial).downloadS3},
	} {
		add(op, own, may(op), "")
	}
	for _, op := range []operation{listing(), uploading()} {
		if !may(op) {
			continue
		}
		if k.NamePrefix != "" {
			add(op, file{k.Bucket, outside(k.NamePrefix, o.FileName)}, false, " outside of "+quoted(k.NamePrefix))
		}
		if k.Other != nil {
			add(op, file{k.Other, k.NamePrefix + o.FileName}, false, op.to+"bucket "+quoted(k.Other.Name))
		}
	}
	deleting := operation{"delete files", "deleteFiles", "", "AAAC", true, (*trial).remove, (*trial).removeS3}
	add(deleting, own, may(deleting), "")
	return out
}

// outside is a name of a file that does not start with the prefix.
func outside(prefix, name string) string {
	if strings.HasPrefix(name, prefix) {
		return "x-" + name
	}
	return name
}

// delays are how long to wait after each attempt to use a new key: B2 may take minutes until it works
// everywhere ("Create and Manage App Keys").
func delays() []time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second}
}

// open gets the key's means, and compares what B2 says of it.
func (t *trial) open(ctx context.Context) error {
	t.unusable = true
	access, err := t.key.Open(ctx)
	if err != nil {
		return err
	}
	t.access = access
	account, err := access.Client.Authorize(ctx)
	for _, delay := range delays() {
		if !access.New || !isRefused(err) || t.Sleep(ctx, delay) != nil {
			break
		}
		account, err = access.Client.Authorize(ctx)
	}
	if isRefused(err) {
		return brokenError("B2 does not accept it: it expired, was deleted, or its secret is another.")
	}
	if err != nil {
		return err
	}
	t.unusable, t.s3 = false, s3Client{t.Transport, account.S3URL, account.S3Region(), access.KeyID, access.Secret, t.Now}
	if differ := t.key.Differs(account); len(differ) > 0 {
		return brokenError("B2 accepts it, but says something else than declared of " + strings.Join(differ, ", ") + ".")
	}
	return nil
}

// expect turns what came of a call into what is wrong with the promise.
func (t *trial) expect(allowed bool, err error) error {
	switch {
	case allowed && isRefused(err):
		return brokenError("B2 refuses it.")
	case !allowed && err == nil:
		return brokenError("B2 lets it do that.")
	case !allowed && isRefused(err):
		return nil
	}
	return err
}

// isRefused reports whether B2 refused for want of a right, and not for a cap, a fault or a
// mistake of ours ("Calling the API", status codes; "S3-Compatible API", error codes).
func isRefused(err error) bool {
	var e *wire.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "unauthorized", "bad_auth_token", "access_denied", "AccessDenied":
		return true
	}
	return false
}
