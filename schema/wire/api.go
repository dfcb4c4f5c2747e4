// Package wire is the contract with B2: the one way to call it, what it says of
// the credentials in use, the text of its objects, and its errors.
package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// API is the one way to B2 that a kind's verbs and the reader of the live
// account know. method is the name of a native API call, optionally with its
// version in front ("b2_update_bucket", "v3/b2_create_key"). in is encoded as
// the JSON body; accountId is added by the implementation where the call wants
// it and in does not carry it. out receives the decoded JSON reply: a pointer,
// a *json.RawMessage, or nil.
//
// Every error that came from B2 or from the way to it is an *Error, possibly
// wrapped.
type API interface {
	Call(ctx context.Context, method string, in, out any) error
}

// ReservedInfoPrefix is how the keys of info pairs begin that b2form itself keeps in a
// bucket that holds states. They are nobody's setting: they are not compared, and
// every update carries them along.
const ReservedInfoPrefix = "b2form-state-"

// BucketEmptier is what an API may also offer: removing everything a bucket holds.
// Empty deletes every file version, hide marker and unfinished large file of
// the bucket, calls progress, which may be nil, with the running count (from one
// goroutine at a time), and returns how many it removed.
type BucketEmptier interface {
	Empty(ctx context.Context, bucketID string, progress func(removed int)) (removed int, err error)
}

// An Error is a refusal by B2 or a failure on the way to it.
type Error struct {
	Method  string // "b2_create_bucket"
	Status  int    // HTTP status; 0: no reply was read
	Code    string // B2's code ("bad_bucket_id"); "" where the reply had none
	Message string // B2's message, or what broke when Status is 0
	// MessageWithheld says that there was a message, and that it is not to be shown.
	MessageWithheld bool
	// OutcomeUnknown says that the request may have taken effect although it failed:
	// the connection broke after it was sent, or the service answered 5xx.
	OutcomeUnknown bool
	RetryAfter     time.Duration // the service's own wish, 0 when it had none
	// CredentialScope describes the credentials in use, so that a refusal can name
	// what they lack: their capabilities and the buckets they are limited to.
	CredentialScope string
	// Purpose says, as a whole sentence, what the request was for, where that is nothing that the configuration declares.
	Purpose string
	Cause   error // transport error, when there was one
}

// MisshapenReply is the error of a reply that lacks what the documentation promises. A list
// that is not there must never pass for an empty one: what is owned would count as gone.
func MisshapenReply(method string) *Error {
	return &Error{Method: method, Status: 200, Message: "the reply does not have the documented shape"}
}

func (e *Error) Error() string {
	switch {
	case e.Status == 0:
		return fmt.Sprintf("%s: %s", e.Method, e.Message)
	case e.Message == "":
		return fmt.Sprintf("%s: %d %s", e.Method, e.Status, e.Code)
	}
	return fmt.Sprintf("%s: %d %s: %s", e.Method, e.Status, e.Code, e.Message)
}

// Unwrap gives the transport's error, so that context errors stay visible.
func (e *Error) Unwrap() error { return e.Cause }

// ErrReplyTooLarge is the Cause of an Error about a reply that was not read to its
// end for being too large. Less may be asked for.
var ErrReplyTooLarge = errors.New("the reply is too large")

// IsNoSuchBucket recognises that a bucket does not exist, of whose ID it is known
// that B2 gave it: a bad_bucket_id cannot mean a malformed one then.
func IsNoSuchBucket(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == 400 && e.Code == "bad_bucket_id"
}

// IsGone recognises that what a call was to remove is not there, as a repeat of one that
// took effect is told: no code of B2's with status 404 says anything else, of whatever
// call. A 404 without a code is of something on the way to B2.
func IsGone(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "":
		return false
	case "already_hidden", "file_not_present", "no_such_file":
		return true
	}
	return e.Status == 404 || IsNoSuchBucket(err)
}

// ListingDelays is how long to wait between looks for what was made moments ago: B2 does not promise that listings
// show it at once.
func ListingDelays() []time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}
}

// An Account is what b2_authorize_account says of the credentials in use.
type Account struct {
	ID            string
	KeyID         string // the application key in use; equals ID for the master key
	Realm         string // where it authorized: "https://api.backblazeb2.com"
	S3URL         string // "https://s3.us-west-004.backblazeb2.com"
	ReplyS3Region string // of the S3 API, where the service names it; "": S3URL does
	DownloadURL   string // "https://f004.backblazeb2.com"
	APIURL        string // of all calls but authorize: "https://api004.backblazeb2.com"
	// RecommendedPartSize and SmallestPart are how many bytes a part of a large file should
	// have, and must have unless it is the last one; 0: the service does not say.
	RecommendedPartSize, SmallestPartSize int64

	Capabilities []string
	// AllowedBuckets are the buckets the key is limited to; nil: not limited.
	AllowedBuckets []AllowedBucket
	NamePrefix     string
	KeyExpires     time.Time // zero: never
}

// An AllowedBucket is one bucket that a restricted key may use. Name is "" when
// the bucket is gone.
type AllowedBucket struct{ ID, Name string }

// HasCapability reports whether the credentials carry the capability.
func (a *Account) HasCapability(capability string) bool {
	for _, c := range a.Capabilities {
		if c == capability || c == "all" {
			return true
		}
	}
	return false
}

// CanOnlyRead reports whether no capability of the credentials changes anything.
func (a *Account) CanOnlyRead() bool {
	for _, c := range a.Capabilities {
		if !strings.HasPrefix(c, "list") && !strings.HasPrefix(c, "read") && !strings.HasPrefix(c, "share") {
			return false
		}
	}
	return true
}

// S3Region is the region of the S3 API: what stands behind "s3." in its host,
// unless the service names it. "" where neither is so.
func (a *Account) S3Region() string {
	if a.ReplyS3Region != "" {
		return a.ReplyS3Region
	}
	_, host, ok := strings.Cut(a.S3URL, "://s3.")
	if !ok {
		return ""
	}
	region, _, _ := strings.Cut(host, ".")
	return region
}
