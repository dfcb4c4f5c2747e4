package b2_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"b2form/internal/b2"
	"b2form/schema/wire"
)

func refused(method string, status int, code, message string) *wire.Error {
	return &wire.Error{Method: method, Status: status, Code: code, Message: message}
}

func noReply(cause error) *wire.Error {
	return &wire.Error{Method: "b2_list_keys", Message: "broken", Cause: cause}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err             error
		summary, detail string
	}{
		{refused("b2_authorize_account", 401, "bad_auth_token", ""), "does not accept the application key", "belong together"},
		{refused("b2_authorize_account", 401, "unauthorized", "bad"), "does not accept the application key", "few minutes"},
		{refused("b2_authorize_account", 400, "bad_request", "This request is not currently supported on API version number 3"),
			"version of the API", "several buckets"},
		{refused("b2_authorize_account", 401, "unsupported", ""), "version of the API", "several buckets"},
		{refused("b2_set_bucket_notification_rules", 401, "unsupported", ""), "event notifications", "off for this account"},
		{refused("b2_upload_file", 400, "auth_token_limit", ""), "upload URL", "few minutes"},
		{refused("b2_authorize_account", 403, "transaction_cap_exceeded", ""), "cap on transactions", "00:00 UTC"},
		{refused("b2_list_keys", 401, "bad_auth_token", ""), "session", "deleted or replaced"},
		{refused("b2_list_keys", 401, "unauthorized", ""), "listKeys", "web console"},
		{refused("b2_new_call", 401, "unauthorized", ""), "may not do this", "web console"},
		{refused("b2_update_bucket", 401, "unauthorized", "the application key lacks the capability writeBucketEncryption"),
			"writeBucketEncryption", "web console"},
		{refused("b2_create_bucket", 401, "email_not_verified", ""), "e-mail", "verify"},
		{refused("b2_update_bucket", 401, "no_payment_history", ""), "payment history", "Billing"},
		{refused("b2_create_bucket", 403, "storage_cap_exceeded", ""), "cap on storage", "Caps & Alerts"},
		{refused("b2_create_bucket", 400, "duplicate_bucket_name", "Bucket name is already in use."), "already in use", "all customers"},
		{refused("b2_create_bucket", 400, "too_many_buckets", ""), "as many buckets", "100"},
		{refused("b2_delete_bucket", 400, "cannot_delete_non_empty_bucket", ""), "not empty", "force_destroy"},
		{refused("b2_update_bucket", 409, "conflict", "simultaneous updates to bucket"), "somebody else", "Run again"},
		{refused("b2_update_bucket", 400, "file_lock_conflict", ""), "cannot be switched off", "file_lock_enabled"},
		{refused("b2_update_bucket", 400, "bucket_missing_file_lock", ""), "no Object Lock", "file_lock_enabled = true"},
		{refused("b2_update_bucket", 400, "source_replication_conflict", ""), "replication", "first"},
		{refused("b2_update_bucket", 400, "restricted_bucket_conflict", ""), "restricted", "another bucket"},
		{refused("b2_update_bucket", 400, "bad_bucket_id", "Bucket 1 does not exist"), "does not exist", "another account"},
		{refused("b2_create_bucket", 400, "bad_request", "Rule with prefix '' must have"), "Rule with prefix '' must have",
			"documentation of b2_create_bucket"},
		{wire.WithoutMessage(refused("b2_list_keys", 400, "bad_request", "no hush")), "reason is not shown, since it may repeat",
			"documentation"},
		{wire.WithoutMessage(refused("b2_list_keys", 400, "bad_request", "")), "no reason given", "documentation"},
		{refused("b2_upload_file", 403, "cap_exceeded", "Cannot upload files"), "A cap of the account is used up", "Caps & Alerts"},
		{refused("b2_delete_file_version", 401, "access_denied", "Access Denied"), "protected by Object Lock", "retention must end"},
		{refused("b2_update_bucket", 403, "access_denied", "Access Denied"), "takes the capability writeBuckets", "Use an application key"},
		{refused("b2_list_keys", 400, "brand_new_code", ""), "no reason given [brand_new_code]", "documentation"},
		{&wire.Error{Method: "b2_list_keys", Status: 429, Code: "too_many_requests", RetryAfter: time.Hour}, "rate of requests",
			"Run again in 1 hour, as B2 asks."},
		{&wire.Error{Method: "b2_list_keys", Status: 429, Code: "too_many_requests", RetryAfter: 165*time.Minute + 48581*time.Millisecond},
			"rate of requests", "Run again in 166 minutes, as B2 asks."},
		{&wire.Error{Method: "b2_list_keys", Status: 503, Code: "service_unavailable", RetryAfter: 1500 * time.Millisecond},
			"trouble of its own", "Run again in 2s, as B2 asks."},
		{refused("b2_list_keys", 503, "service_unavailable", ""), "trouble of its own", "status.backblaze.com"},
		{refused("b2_list_keys", 502, "", "the reply (text/html) is not from B2's API"), "502 Bad Gateway", "HTTPS_PROXY"},
		{refused("b2_list_keys", 200, "", "the reply (text/html) is not from B2's API"), "other than B2", "login page"},
		{refused("b2_list_keys", 200, "", "the reply does not have the documented shape"), "could not be understood", "release"},
		{refused("b2_list_keys", 302, "", "redirect"), "redirects", "login page"},
		{noReply(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "api.nowhere", IsNotFound: true}}), "host api.nowhere is not known",
			"DNS"},
		{noReply(&net.DNSError{Name: "api.nowhere", Err: "server misbehaving"}), "could not be looked up", "DNS server"},
		{noReply(&net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, Err: syscall.ECONNREFUSED}),
			"127.0.0.1:9 refused", "B2_ENDPOINT"},
		{noReply(&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}), "no route", "network"},
		{noReply(&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED}), "proxy cannot be reached", "NO_PROXY"},
		{noReply(x509.UnknownAuthorityError{}), "not trusted", "SSL_CERT_FILE"},
		{noReply(x509.HostnameError{}), "belongs to another host", "B2_ENDPOINT"},
		{noReply(io.EOF), "connection broke", "run again"},
		{noReply(context.DeadlineExceeded), "in time", "network"},
		{noReply(context.Canceled), "cancelled", "again"},
		{noReply(errors.New("?")), "on its way to B2", "network"},
		{context.Canceled, "cancelled", "again"},
		{&wire.ExplainedError{Summary: "Bucket is not empty", Detail: "It holds 3 file versions."}, "not empty", "3 file"},
	} {
		summary, detail := b2.Explain(fmt.Errorf("bucket.photos: %w", c.err))
		wantContains(t, "summary", summary, c.summary)
		wantContains(t, "detail", detail, c.detail)
		if first := []rune(summary)[0]; unicode.IsLower(first) || strings.HasSuffix(summary, ".") {
			t.Errorf("summary %q is not a capitalised clause", summary)
		}
	}
	if summary, _ := b2.Explain(errors.New("disk full")); summary != "disk full" {
		t.Errorf("explained a stranger as %q", summary)
	}
}

func TestExplainSaysWhoAndWhetherItHappened(t *testing.T) {
	_, detail := b2.Explain(&wire.Error{Method: "b2_create_key", Status: 500, Code: "internal_error", Message: "oops",
		OutcomeUnknown: true, CredentialScope: "application key 1 has no capabilities"})
	wantContains(t, "detail", detail, "may have been made", "The application key 1 has no capabilities.",
		`(b2_create_key: 500 internal_error, "oops")`)
}

func TestADenialNamesWhatIsMissing(t *testing.T) {
	const limited = `"buckets": [{"id": "b1", "name": "photos"}], "namePrefix": null, "capabilities": `
	for name, c := range map[string]struct {
		account, method string
		in              object
		summary, detail string
	}{
		"one capability": {limited + `["listFiles"]`, "b2_update_bucket", object{"bucketId": "b1"}, "lacks the capability writeBuckets",
			"has the capabilities listFiles; it is limited to bucket photos"},
		"guarded members": {limited + `["writeBuckets"]`, "b2_update_bucket",
			object{"bucketId": "b1", "defaultServerSideEncryption": object{}, "fileLockEnabled": true,
				"replicationConfiguration": object{}}, "lacks the capabilities writeBucketEncryption, writeBucketRetentions, " +
				"writeBucketReplications", "writeBuckets"},
		"another bucket": {limited + `["writeBuckets"]`, "b2_update_bucket", object{"bucketId": "b2"}, "limited to certain buckets",
			"bucket photos"},
		"a gone bucket": {`"buckets": [{"id": "b9", "name": null}, {"id": "b1", "name": "photos"}], "capabilities": []`, "b2_list_files",
			nil, "certain buckets", "no capabilities; it is limited to buckets b9 (deleted), photos"},
		"many buckets": {`"buckets": [` + strings.Repeat(`{"id": "b", "name": "same"},`, 11) +
			`{"id": "c", "name": "other"}], "capabilities": []`, "b2_list_files", nil, "certain buckets",
			"buckets other, same, same, same, same, same, same, same, same, same and 2 more"},
		"every bucket": {limited + `["listBuckets"]`, "b2_list_buckets", nil, "limited to certain buckets", "bucket photos"},
		"a prefix": {`"buckets": null, "namePrefix": "x/", "capabilities": ["listFiles"]`, "b2_list_file_versions",
			object{"bucketId": "b1"}, `start with "x/"`, `start with "x/"`},
		"no reason": {`"buckets": null, "namePrefix": "", "capabilities": ["listKeys"]`, "b2_list_keys", nil, "may not do this",
			"listKeys"},
		"a bucket": {`"buckets": null, "capabilities": ["writeBuckets"]`, "b2_update_bucket", object{"bucketId": "b1",
			"defaultServerSideEncryption": object{}}, "lacks the capability writeBucketEncryption", "has the capabilities writeBuckets"},
		"a locked file": {`"capabilities": ["deleteFiles"]`, "b2_delete_file_version", nil, "Object Lock", "deleteFiles"},
	} {
		s := serve(t, map[string][]answer{c.method: {refuse(401, "unauthorized"),
			{status: 403, code: "access_denied", message: "Access Denied"}}})
		s.account = c.account
		client, _ := connect(t, s, nil)
		summary, detail := b2.Explain(client.Call(t.Context(), c.method, c.in, nil))
		wantContains(t, name, summary, c.summary)
		wantContains(t, name, detail, "application key "+keyID, c.detail, "401 unauthorized")
		if c.method == "b2_delete_file_version" {
			continue // that has an explanation of its own
		}
		summary, detail = b2.Explain(client.Call(t.Context(), c.method, c.in, nil))
		wantContains(t, name, summary, c.summary)
		wantContains(t, name, detail, "application key "+keyID, c.detail, "403 access_denied")
	}
}

func TestARestrictedKey(t *testing.T) {
	a := open(t)
	var made struct{ ApplicationKeyID, ApplicationKey string }
	a.call(t, "v3/b2_create_key", object{"keyName": "photos", "bucketId": a.bucket, "capabilities": []string{"listBuckets", "listFiles"}},
		&made)
	account, err := a.client.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	limited, err := b2.New(b2.Options{KeyID: made.ApplicationKeyID, Key: made.ApplicationKey, Endpoint: account.Realm, Now: a.clock.Now,
		Sleep: a.clock.Wait})
	if err != nil {
		t.Fatal(err)
	}
	if err := limited.Call(t.Context(), "b2_list_buckets", object{"bucketId": a.bucket}, nil); err != nil {
		t.Error(err)
	}
	for method, says := range map[string]string{"b2_list_buckets": "certain buckets", "b2_update_bucket": "writeBuckets",
		"b2_list_keys": "listKeys"} {
		summary, detail := b2.Explain(limited.Call(t.Context(), method, object{"bucketName": "other-photos", "bucketId": nil}, nil))
		wantContains(t, method, summary, says)
		wantContains(t, method, detail, "limited to bucket photos-library")
	}
	a.call(t, "b2_delete_key", object{"applicationKeyId": made.ApplicationKeyID}, nil)
	summary, _ := b2.Explain(limited.Call(t.Context(), "b2_list_buckets", object{"bucketId": a.bucket}, nil))
	wantContains(t, "after the key was deleted", summary, "does not accept the application key")
}

func TestABadSecretAgainstTheEmulator(t *testing.T) {
	a := open(t)
	account, err := a.client.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := b2.New(b2.Options{KeyID: a.MasterKeyID(), Key: key, Endpoint: account.Realm, Now: a.clock.Now, Sleep: a.clock.Wait})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.Authorize(t.Context())
	summary, _ := b2.Explain(err)
	wantContains(t, "summary", summary, "does not accept the application key")
}
