package bucket

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// A corsPreset is a CORS rule that pages of any origins need for one purpose,
// by native calls and by S3. Headers are not limited: what a page may send
// differs between libraries, and the origin is what keeps others out.
type corsPreset struct {
	ruleName, notePrefix      string
	operations, exposeHeaders []string
}

var (
	corsDownloads = corsPreset{
		ruleName: "downloads", notePrefix: "downloads by pages of ",
		operations:    []string{"b2_download_file_by_id", "b2_download_file_by_name", "s3_get", "s3_head"},
		exposeHeaders: []string{"accept-ranges", "content-range", "etag", "x-bz-content-sha1"},
	}
	corsUploadsPreset = corsPreset{
		ruleName: "browser-uploads", notePrefix: "uploads by pages of ",
		operations:    []string{"b2_upload_file", "b2_upload_part", "s3_post", "s3_put"},
		exposeHeaders: []string{"etag", "x-amz-version-id", "x-bz-content-sha1"},
	}
)

// CORSRulesType is the type of cors_rules.
func CORSRulesType() cty.Type { return noCORSRules().Type() }

// CORSForDownloads gives the cors_rules that let pages of the origins, a list
// that is not empty, download from a bucket.
func CORSForDownloads(origins cty.Value) cty.Value {
	return cty.ListVal([]cty.Value{corsDownloads.ruleFor(origins)})
}

// CORSForBrowserUploads gives the cors_rules that let pages of the origins
// upload, whole files and parts.
func CORSForBrowserUploads(origins cty.Value) cty.Value {
	return cty.ListVal([]cty.Value{corsUploadsPreset.ruleFor(origins)})
}

func (p corsPreset) ruleFor(origins cty.Value) cty.Value {
	return cty.ObjectVal(map[string]cty.Value{
		"name":               cty.StringVal(p.ruleName),
		"allowed_origins":    origins,
		"allowed_operations": cty.SetVal(kind.StringValues(p.operations...)),
		"allowed_headers":    cty.ListVal(kind.StringValues("*")),
		"expose_headers":     cty.ListVal(kind.StringValues(p.exposeHeaders...)),
		"max_age_seconds":    cty.NumberIntVal(3600),
	})
}

// noteIfAllCORSPresets recognises rules of which each is a preset.
func noteIfAllCORSPresets(v cty.Value) string {
	if v.IsNull() || !v.IsWhollyKnown() {
		return ""
	}
	var notes []string
	for _, r := range v.AsValueSlice() {
		note := noteCORSPreset(r)
		if note == "" {
			return ""
		}
		notes = append(notes, note)
	}
	return strings.Join(notes, "; ")
}

func noteCORSPreset(r cty.Value) string {
	origins := r.GetAttr("allowed_origins")
	if origins.IsNull() || origins.LengthInt() == 0 {
		return ""
	}
	for _, p := range []corsPreset{corsDownloads, corsUploadsPreset} {
		if !r.RawEquals(p.ruleFor(origins)) {
			continue
		}
		var names []string
		for _, o := range origins.AsValueSlice() {
			switch {
			case o.IsNull():
				return ""
			case o.AsString() == "*":
				names = append(names, "any origin")
			default:
				names = append(names, o.AsString())
			}
		}
		return p.notePrefix + strings.Join(names, ", ")
	}
	return ""
}
