package b2

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"b2form/schema/wire"
)

// capabilityOf names what a key needs for a call, as Backblaze's page
// Application Key Capabilities has it.
var capabilityOf = map[string]string{
	"b2_cancel_large_file":             "writeFiles",
	"b2_copy_file":                     "writeFiles",
	"b2_create_bucket":                 "writeBuckets",
	"b2_create_key":                    "writeKeys",
	"b2_delete_bucket":                 "deleteBuckets",
	"b2_delete_file_version":           "deleteFiles",
	"b2_delete_key":                    "deleteKeys",
	"b2_download_file_by_id":           "readFiles",
	"b2_finish_large_file":             "writeFiles",
	"b2_get_bucket_notification_rules": "readBucketNotifications",
	"b2_get_download_authorization":    "shareFiles",
	"b2_get_file_info":                 "readFiles",
	"b2_get_upload_part_url":           "writeFiles",
	"b2_get_upload_url":                "writeFiles",
	"b2_hide_file":                     "writeFiles",
	"b2_list_buckets":                  "listBuckets",
	"b2_list_file_names":               "listFiles",
	"b2_list_file_versions":            "listFiles",
	"b2_list_keys":                     "listKeys",
	"b2_list_parts":                    "writeFiles",
	"b2_list_unfinished_large_files":   "listFiles",
	"b2_set_bucket_notification_rules": "writeBucketNotifications",
	"b2_start_large_file":              "writeFiles",
	"b2_update_bucket":                 "writeBuckets",
	"b2_update_file_legal_hold":        "writeFileLegalHolds",
	"b2_update_file_retention":         "writeFileRetentions",
	"b2_upload_file":                   "writeFiles",
}

// neededCapabilities lists the capabilities that this very request needs: some members of a
// bucket are guarded by one of their own.
func (r *request) neededCapabilities() []string {
	var caps []string
	if c, ok := capabilityOf[r.method]; ok {
		caps = append(caps, c)
	}
	if r.method != "b2_create_bucket" && r.method != "b2_update_bucket" {
		return caps
	}
	if r.hasNonNullField("defaultServerSideEncryption") {
		caps = append(caps, "writeBucketEncryption")
	}
	if string(r.bodyFields["fileLockEnabled"]) == "true" || r.hasNonNullField("defaultRetention") {
		caps = append(caps, "writeBucketRetentions")
	}
	if r.hasNonNullField("replicationConfiguration") {
		caps = append(caps, "writeBucketReplications")
	}
	return caps
}

// explainDenial adds to a refusal what B2 leaves out: whose credentials were
// refused, and why. B2's own message for "unauthorized" is empty, and that for "access_denied" says no more than the code.
func (c *Client) explainDenial(e *wire.Error, r *request, s *session) {
	switch {
	case e.Status != http.StatusUnauthorized && e.Status != http.StatusForbidden:
		return
	case s == nil && c.keySource == "":
		return
	case s == nil:
		e.CredentialScope = "credentials in use come from " + c.keySource
		return
	}
	e.CredentialScope = describeCredentials(&s.account)
	if isDenial(e) && saysNothing(e) {
		e.Message = denialMessage(&s.account, r)
	}
}

func denialMessage(a *wire.Account, r *request) string {
	missing := slices.DeleteFunc(r.neededCapabilities(), a.HasCapability)
	switch {
	case len(missing) == 1:
		return "the application key lacks the capability " + missing[0]
	case len(missing) > 1:
		return "the application key lacks the capabilities " + strings.Join(missing, ", ")
	case a.AllowedBuckets != nil && !r.namesAllowedBucket(a.AllowedBuckets):
		return "the application key is limited to certain buckets, and the request is not about one of them"
	case a.NamePrefix != "":
		return "the application key is limited to file names that start with " + wire.QuoteB2Text(a.NamePrefix)
	case r.method == "b2_delete_file_version":
		return "the application key may not delete this file; Object Lock may protect it"
	}
	return "the application key may not do this"
}

// namesAllowedBucket reports whether the request names one of the buckets.
func (r *request) namesAllowedBucket(buckets []wire.AllowedBucket) bool {
	var id, name string
	_ = json.Unmarshal(r.bodyFields["bucketId"], &id) // absent or not a string: names no bucket
	_ = json.Unmarshal(r.bodyFields["bucketName"], &name)
	return slices.ContainsFunc(buckets, func(b wire.AllowedBucket) bool {
		return id != "" && b.ID == id || name != "" && strings.EqualFold(b.Name, name)
	})
}

// describeCredentials describes the credentials in one clause.
func describeCredentials(a *wire.Account) string {
	var b strings.Builder
	fmt.Fprintf(&b, "application key %s has ", a.KeyID)
	if caps := slices.Sorted(slices.Values(a.Capabilities)); len(caps) == 0 {
		b.WriteString("no capabilities")
	} else {
		b.WriteString("the capabilities " + strings.Join(caps, ", "))
	}
	if a.AllowedBuckets != nil {
		b.WriteString("; it is limited to " + describeBuckets(a.AllowedBuckets))
	}
	if a.NamePrefix != "" {
		b.WriteString("; it is limited to file names that start with " + wire.QuoteB2Text(a.NamePrefix))
	}
	return b.String()
}

func describeBuckets(buckets []wire.AllowedBucket) string {
	const shown = 10
	var names []string
	for _, b := range buckets {
		if b.Name != "" {
			names = append(names, b.Name)
		} else {
			names = append(names, b.ID+" (deleted)")
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 1:
		return "bucket " + names[0]
	case len(names) > shown:
		return fmt.Sprintf("buckets %s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return "buckets " + strings.Join(names, ", ")
}
