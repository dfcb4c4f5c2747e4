package emulator_test

import (
	"strings"
	"testing"
	"time"

	"b2form/internal/emulator"
)

// restricted lists the calls that need a capability: which, and a request that
// succeeds or fails for another reason than the caller's rights.
var restricted = []struct {
	method, capability, body string
	ofBucket, ofName         bool // the call is about one bucket, or one name
}{
	{"b2_create_bucket", "writeBuckets", `{"accountId":"ACCOUNT","bucketName":"new-bucket","bucketType":"allPrivate"}`, true, false},
	{"b2_update_bucket", "writeBuckets", `{"accountId":"ACCOUNT","bucketId":"BUCKET","bucketInfo":{}}`, true, false},
	{"b2_list_buckets", "listBuckets", `{"accountId":"ACCOUNT","bucketId":"BUCKET"}`, true, false},
	{"b2_delete_bucket", "deleteBuckets", `{"accountId":"ACCOUNT","bucketId":"BUCKET"}`, false, false},
	{"b2_create_key", "writeKeys", `{"accountId":"ACCOUNT","keyName":"k","capabilities":["listFiles"]}`, false, false},
	{"b2_list_keys", "listKeys", `{"accountId":"ACCOUNT"}`, false, false},
	{"b2_delete_key", "deleteKeys", `{"applicationKeyId":"none"}`, false, false},
	{"b2_get_bucket_notification_rules", "readBucketNotifications", `{"bucketId":"BUCKET"}`, true, false},
	{"b2_set_bucket_notification_rules", "writeBucketNotifications", `{"bucketId":"BUCKET","eventNotificationRules":[]}`, true, false},
	{"b2_list_file_names", "listFiles", `{"bucketId":"BUCKET","prefix":"in/"}`, true, true},
	{"b2_list_file_versions", "listFiles", `{"bucketId":"BUCKET","prefix":"in/"}`, true, true},
	{"b2_list_unfinished_large_files", "listFiles", `{"bucketId":"BUCKET","namePrefix":"in/"}`, true, true},
	{"b2_get_file_info", "readFiles", `{"fileId":"FILE"}`, true, true},
	{"b2_download_file_by_id", "readFiles", `{"fileId":"FILE"}`, true, true},
	{"b2_get_download_authorization", "shareFiles", `{"bucketId":"BUCKET","fileNamePrefix":"in/","validDurationInSeconds":1}`, true, true},
	{"b2_get_upload_url", "writeFiles", `{"bucketId":"BUCKET"}`, true, false},
	{"b2_copy_file", "writeFiles", `{"sourceFileId":"FILE","fileName":"in/copy"}`, true, true},
	{"b2_hide_file", "writeFiles", `{"bucketId":"BUCKET","fileName":"in/none"}`, true, true},
	{"b2_start_large_file", "writeFiles", `{"bucketId":"BUCKET","fileName":"in/large","contentType":"a/b"}`, true, true},
	{"b2_get_upload_part_url", "writeFiles", `{"fileId":"LARGE"}`, true, true},
	{"b2_copy_part", "writeFiles", `{"sourceFileId":"FILE","largeFileId":"LARGE","partNumber":1}`, true, true},
	{"b2_list_parts", "writeFiles", `{"fileId":"LARGE"}`, true, true},
	{"b2_finish_large_file", "writeFiles", `{"fileId":"LARGE","partSha1Array":[]}`, true, true},
	{"b2_cancel_large_file", "writeFiles", `{"fileId":"LARGE"}`, true, true},
	{"b2_update_file_legal_hold", "writeFileLegalHolds", `{"fileId":"FILE","fileName":"in/f","legalHold":"off"}`, true, true},
	{"b2_update_file_retention", "writeFileRetentions", `{"fileId":"FILE","fileName":"in/f","fileRetention":{"mode":null}}`, true, true},
	{"b2_delete_file_version", "deleteFiles", `{"fileId":"FILE","fileName":"in/f"}`, true, true},
}

// Every call refuses a key without its capability, a key for another bucket, one
// for other names and one that expired; and takes one that has just the right.
func TestEveryRestrictionOfEveryCall(t *testing.T) {
	for _, test := range restricted {
		t.Run(test.method, func(t *testing.T) {
			t.Parallel()
			w := open(t, emulator.Options{})
			mine := w.call(200, "b2_create_bucket",
				`{"bucketName":"my-bucket","bucketType":"allPrivate","fileLockEnabled":true}`)["bucketId"].(string)
			other := w.call(200, "b2_create_bucket", `{"bucketName":"other-bucket","bucketType":"allPrivate"}`)["bucketId"].(string)
			file := w.upload(mine, "in/f", "content")["fileId"].(string)
			large := w.call(200, "b2_start_large_file", `{"bucketId":%q,"fileName":"in/big","contentType":"a/b"}`, mine)["fileId"].(string)
			body := strings.NewReplacer("ACCOUNT", w.server.AccountID(), "BUCKET", mine, "FILE", file, "LARGE", large).Replace(test.body)
			master := w.token
			ask := func(capability, limits string) (status int) {
				t.Helper()
				w.token = master
				k := w.call(200, "b2_create_key", `{"keyName":"k","capabilities":[`+capability+`]`+limits+`}`)
				w.authorize(k["applicationKeyId"].(string), k["applicationKey"].(string))
				if strings.Contains(limits, "validDuration") {
					w.server.Advance(time.Minute)
				}
				return w.status(test.method, body)
			}
			right := `"` + test.capability + `"`
			if strings.HasPrefix(test.method, "b2_copy") {
				right += `,"readFiles"`
			}
			lacking := 401
			if strings.HasPrefix(test.method, "b2_update_file_") {
				lacking = 403
			}
			if got := ask(`"listAllBucketNames"`, ""); got != lacking {
				t.Errorf("a key without the capability: status %d, want %d", got, lacking)
			}
			if test.ofBucket && ask(right, `,"bucketIds":["`+other+`"]`) != 401 {
				t.Error("it takes a key for another bucket")
			}
			if test.ofName && ask(right, `,"namePrefix":"out/"`) != 401 {
				t.Error("it takes a key for other names")
			}
			if ask(right, `,"validDurationInSeconds":60`) != 401 {
				t.Error("it takes a key that expired")
			}
			w.server.Advance(-time.Minute)
			if ask(right, "") == 401 {
				t.Error("it refuses a key with the capability")
			}
		})
	}
}

// status gives the status of a call whatever it is.
func (w *world) status(method, body string) int {
	w.t.Helper()
	r := w.request("POST", "/b2api/v4/"+method, body)
	response, err := w.http.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
