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
	verbPhrase, capability string
	preposition            string // before the name of a bucket
	callClasses            string // natively; through S3 one call less of class A at most
	involvesUpload         bool   // it needs a file that was uploaded for it
	native, s3             func(t *prover, ctx context.Context, at file) error
}

func listOperation() operation {
	return operation{"list files", "listFiles", " of ", "C", false, (*prover).list, (*prover).listS3}
}

func uploadOperation() operation {
	return operation{"upload files", "writeFiles", " to ", "AA", true, (*prover).upload, (*prover).uploadS3}
}

// A file is where something is tried.
type file struct {
	bucket *Bucket
	name   string
}

// keyPromises are what a key may and must not do. What it may not do anyway is not tried in
// further places.
func (o *Options) keyPromises(k *Key) []Promise {
	out := []Promise{{Text: "authorizes with what it was made with", SkipReason: k.NoAccessReason, CallClasses: "ACC",
		try: func(ctx context.Context, t *prover) error { return t.openAndCompareKey(ctx) }}}
	switch {
	case k.NoAccessReason != "":
		return out
	case k.SampleAllowedBucket == nil:
		return append(out, Promise{Text: "may work in a bucket", SkipReason: "none that it reaches is declared"})
	}
	out = append(out, o.apiPromises(k, "B2", "")...)
	skip := ""
	switch {
	case !k.HasS3 || !k.SampleAllowedBucket.HasS3:
		skip = "keys and buckets from before May 2020 have no S3 API"
	case o.Account.S3URL == "":
		skip = "the service has no S3 API"
	}
	return append(out, o.apiPromises(k, "S3", skip)...)
}

// apiPromises are those of one API.
func (o *Options) apiPromises(k *Key, api, skipReason string) (out []Promise) {
	noUpload := o.noUploadReason()
	add := func(op operation, at file, allowed bool, where string) {
		try, may := op.native, " may "
		if api == "S3" {
			try = op.s3
		}
		if !allowed {
			may = " may not "
		}
		p := Promise{Text: api + ":" + may + op.verbPhrase + where, SkipReason: skipReason, CallClasses: op.callClasses,
			try: func(ctx context.Context, t *prover) error { return t.expect(allowed, try(t, ctx, at)) }}
		if p.SkipReason == "" && op.involvesUpload {
			p.SkipReason = cmp.Or(noUpload, at.bucket.NoUploadReason)
		}
		if p.SkipReason == "" && op.capability == "readFiles" && !allowed && at.bucket.Public {
			p.SkipReason = "everybody may, since the bucket is public"
		}
		out = append(out, p)
	}
	may := func(op operation) bool { return slices.Contains(k.Capabilities, op.capability) }
	own := file{k.SampleAllowedBucket, k.NamePrefix + o.FileNameSuffix}
	for _, op := range []operation{
		listOperation(), uploadOperation(),
		{"download files", "readFiles", "", "AAB", true, (*prover).downloadUploaded, (*prover).downloadS3},
	} {
		add(op, own, may(op), "")
	}
	for _, op := range []operation{listOperation(), uploadOperation()} {
		if !may(op) {
			continue
		}
		if k.NamePrefix != "" {
			add(op, file{k.SampleAllowedBucket, nameOutsidePrefix(k.NamePrefix, o.FileNameSuffix)}, false,
				" outside of "+quoted(k.NamePrefix))
		}
		if k.SampleForbiddenBucket != nil {
			add(op, file{k.SampleForbiddenBucket, k.NamePrefix + o.FileNameSuffix}, false,
				op.preposition+"bucket "+quoted(k.SampleForbiddenBucket.Name))
		}
	}
	deleting := operation{"delete files", "deleteFiles", "", "AAAC", true, (*prover).remove, (*prover).removeS3}
	add(deleting, own, may(deleting), "")
	return out
}

// nameOutsidePrefix is a name of a file that does not start with the prefix.
func nameOutsidePrefix(prefix, name string) string {
	if strings.HasPrefix(name, prefix) {
		return "x-" + name
	}
	return name
}

// newKeyRetryDelays are how long to wait after each attempt to use a new key: B2 may take minutes until it works
// everywhere ("Create and Manage App Keys").
func newKeyRetryDelays() []time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second}
}

// openAndCompareKey gets the key's means, and compares what B2 says of it.
func (t *prover) openAndCompareKey(ctx context.Context) error {
	t.keyUnusable = true
	access, err := t.key.Open(ctx)
	if err != nil {
		return err
	}
	t.access = access
	account, err := access.Client.Authorize(ctx)
	for _, delay := range newKeyRetryDelays() {
		if !access.IsNewKey || !isAccessDenied(err) || t.Sleep(ctx, delay) != nil {
			break
		}
		account, err = access.Client.Authorize(ctx)
	}
	if isAccessDenied(err) {
		return brokenPromiseError("B2 does not accept it: it expired, was deleted, or its secret is another.")
	}
	if err != nil {
		return err
	}
	t.keyUnusable, t.s3 = false, s3Client{t.NonNativeTransport, account.S3URL, account.S3Region(), access.KeyID, access.Secret, t.Now}
	if differ := t.key.DifferingAttrs(account); len(differ) > 0 {
		return brokenPromiseError("B2 accepts it, but says something else than declared of " + strings.Join(differ, ", ") + ".")
	}
	return nil
}

// expect turns what came of a call into what is wrong with the promise.
func (t *prover) expect(allowed bool, err error) error {
	switch {
	case allowed && isAccessDenied(err):
		return brokenPromiseError("B2 refuses it.")
	case !allowed && err == nil:
		return brokenPromiseError("B2 lets it do that.")
	case !allowed && isAccessDenied(err):
		return nil
	}
	return err
}

// isAccessDenied reports whether B2 refused for want of a right, and not for a cap, a fault or a
// mistake of ours ("Calling the API", status codes; "S3-Compatible API", error codes).
func isAccessDenied(err error) bool {
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
