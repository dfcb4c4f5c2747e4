package account_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"

	"b2form/internal/account"
	"b2form/internal/b2"
	"b2form/schema/addr"
)

// A reply that says too little must not pass for "there is nothing": what is owned
// would be made anew, or forgotten. Nor is an object of another account ours.
func TestRepliesThatSayTooLittle(t *testing.T) {
	const bucket = `{"accountId":"ffffffffffff","bucketId":"4a48fe8875c6214145260818","bucketName":"acme-photos",` +
		`"bucketType":"allPrivate","revision":1}`
	for _, test := range []struct{ method, reply, problem string }{
		{"b2_list_buckets", `{}`, "documented shape"},
		{"b2_list_buckets", `{"buckets":null}`, "documented shape"},
		{"b2_list_buckets", `{"buckets":[` + bucket + `]}`, "belongs to account"},
		{"b2_list_buckets", `{"buckets":[{"bucketId":"","bucketName":"acme-photos","bucketType":"allPrivate"}]}`, "without bucketId"},
		{"b2_list_buckets", `{"buckets":[{"bucketId":"b1","bucketName":"acme-photos"},{"bucketId":"b1","bucketName":"acme-logs"}]}`,
			"two names"},
		{"b2_list_buckets", `{"buckets":[{"bucketId":"b1","bucketName":"acme-1"},{"bucketId":"b2","bucketName":"ACME-1"}]}`,
			"with the name \"acme-1\", which it allows only once"},
		{"b2_list_keys", `{"keys":[{"applicationKeyId":"k1","keyName":"app"},{"applicationKeyId":"k1","keyName":"web"}],` +
			`"nextApplicationKeyId":null}`, "two names"},
		{"b2_list_keys", `{}`, "documented shape"},
		{"b2_list_keys", `{"keys":null,"nextApplicationKeyId":null}`, "documented shape"},
		{"b2_list_file_names", `{}`, "documented shape"},
		{"b2_list_file_names", `{"files":null,"nextFileName":null}`, "documented shape"},
		{"b2_list_file_names", `{"files":[{"fileName":"a","action":"upload","uploadTimestamp":1.5}],"nextFileName":null}`,
			"documented shape"},
		{"b2_list_file_names", `{"files":[{"fileName":"a","action":"upload","serverSideEncryption":"none"}],"nextFileName":null}`,
			"documented shape"},
		{"b2_list_file_names", `{"files":["a"],"nextFileName":null}`, "documented shape"},
		{"b2_list_file_names", `{"files":[],"nextFileName":"a"}`, "goes in circles"},
		{"b2_get_bucket_notification_rules", `{}`, "documented shape"},
		{"b2_get_bucket_notification_rules", `{"eventNotificationRules":null}`, "documented shape"},
	} {
		l := newLab(t, func(served http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if path.Base(r.URL.Path) != test.method {
					served.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.Copy(w, bytes.NewBufferString(test.reply))
			})
		})
		id := l.bucket("acme-photos")
		_, _, err := l.read(l.master, want{Buckets: []string{"acme-photos"}, Keys: map[string][]string{"app": nil},
			Entries: []addr.StateEntry{
				{Addr: address("file", "a"), Identity: "acme-photos/a", ID: id + "/a"},
				{Addr: address("notification_rules", "a"), Identity: "acme-photos", ID: id},
			}})
		if err == nil || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s answered %s: %v", test.method, test.reply, err)
		}
		if _, todo := b2.Explain(err); !strings.Contains(todo, "B2_ENDPOINT") {
			t.Errorf("%s answered %s: nothing is said of what to do: %v", test.method, test.reply, err)
		}
	}
}

// An endingClient has its context end with the reply to one method.
type endingClient struct {
	*b2.Client
	method string
	cancel func()
}

func (c endingClient) Call(ctx context.Context, method string, in, out any) error {
	err := c.Client.Call(ctx, method, in, out)
	if method == c.method {
		c.cancel()
	}
	return err
}

// Who interrupts a reading gets nothing read, also where the last reply was faster.
func TestReadingThatIsInterrupted(t *testing.T) {
	for _, method := range []string{"b2_list_buckets", "b2_get_bucket_notification_rules"} {
		l := newLab(t, nil)
		l.bucket("acme-photos")
		who, err := l.master.Authorize(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		query := account.QueryFor(l.config(want{Buckets: []string{"acme-photos"}}), []addr.StateEntry{
			{Addr: address("notification_rules", "a"), Identity: "acme-photos", ID: "b"}}, l.kinds)
		_, err = account.ReadSnapshot(ctx, endingClient{l.master, method, cancel}, who, l.kinds, query, account.RecentEntries{})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted at the reply to %s: %v", method, err)
		}
	}
}
