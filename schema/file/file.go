// Package file describes the kind "file": one small file in a bucket.
package file

import (
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// mostBytes is what B2 recommends to upload in one request
// (recommendedPartSize in "b2_authorize_account"). Clients send more in parts,
// and of such a file B2 keeps no SHA-1 that it could be compared by.
const mostBytes = 100_000_000

// Kind is the descriptor of a file. What a configuration speaks of is the file
// and not one of its versions: B2 has IDs for versions only, so a file is known by
// the bucket's ID and its name.
//
// Attributes and limits: "b2_upload_file", "Files" and "Add File Information with
// the Native API" in the B2 documentation.
func Kind() *kind.Kind {
	return &kind.Kind{
		Name: "file", Plural: "files", Terraform: kind.Terraform{Type: "b2_bucket_file_version",
			Hints: []kind.TerraformArgHint{{Name: "key", InNestedBlock: true, Advice: "b2form holds no keys for the encryption of files " +
				"(SSE-C), which every later request would need. Upload this file with a program that has the key."}}},
		Doc: "One small file in a bucket, up to 100 MB. It is compared by its SHA-1, type, info and encryption; a change uploads a new " +
			"version, and the versions before it stay, as the bucket's lifecycle rules say. Destroying it hides it; with force_destroy " +
			"it deletes all its versions. A bucket cannot be destroyed together with files that are only hidden, since it would not be " +
			"empty. What a file holds stands in no plan, state or log. Files near each other are read by one listing, others by one " +
			"request each.",
		Example: example,

		IdentityAttr: "name", Parent: &kind.Parent{Attr: "bucket", ListChildren: listBucketFiles}, FoldCaseBeforeSlash: true, IDAttr: "id",
		ReadCapabilities: []string{"listFiles"},
		Replaceable:      true,
		Destroy: kind.DestroyBehavior{ForceAttr: "force_destroy", ForcedDestroyCapabilities: []string{"deleteFiles", "listFiles"},
			LeftBehindText: "what is there stays, as hidden versions, until a rule of the bucket deletes them",
			Hazards:        forceDestroyHazards, CountContents: countVersionsOfFile, CountCapability: "listFiles"},
		Verbs: kind.Verbs{FullUpdate: true, List: listWanted, Create: create, Update: update, Delete: hideOrDeleteVersions,
			WriteCapability: "writeFiles", DeleteCapability: "writeFiles"},
		Content: &kind.ContentAttrs{TextAttr: "content", SourceAttr: "source", SHA1Attr: "sha1", SizeAttr: "size", VersionIDAttr: "file_id",
			UploadTimeAttr: "upload_timestamp",
			MaxSize:        mostBytes,
			TooLargeAdvice: "Upload it with a program that sends large files in parts and can resume, " +
				"such as `b2 file upload` or rclone, with a key that b2form makes."},
		Attrs:       attrs(),
		Constraints: constraints(),

		DeriveAttrs: deriveSHA1,
		Check:       checkFile,
		CheckChange: warnEncryptionKeyLost,
	}
}

const example = `bucket "site" {
  name = "acme-site"
  type = "allPublic"
}

file "index" {
  bucket  = bucket.site
  name    = "index.html"
  content = "<h1>Acme</h1>\n"
  info    = { b2-cache-control = "max-age=3600" }

  server_side_encryption {
    mode = "SSE-B2"
  }
}

# Every file below the folder "public", under the same names.
file "asset" {
  for_each = fileset(path.module, "public/**")
  bucket   = bucket.site
  name     = each.value
  source   = each.value
}
`

func attrs() []kind.Attr {
	return []kind.Attr{
		{Name: "bucket", WirePath: "bucketId", TerraformName: "bucket_id", Type: cty.String, Link: kind.Link{RefKind: "bucket"},
			Required:  true,
			Immutable: true, Compare: kind.Compare{Normalize: kind.LowerCase},
			Doc:     "The bucket, as bucket.site or by name.",
			Samples: kind.StringValues("acme-site")},
		{Name: "name", WirePath: "fileName", TerraformName: "file_name", Type: cty.String, Required: true, Immutable: true,
			Check:   checkFileName,
			Doc:     "Name in the bucket: up to 1024 bytes, with slashes for folders, such as css/site.css.",
			Samples: kind.StringValues("index.html", "css/site one+two.css", "自由.txt")},
		{Name: "content", Type: cty.String, Secret: true,
			Doc:     "What the file holds, as text in UTF-8. This or source.",
			Samples: kind.StringValues("hello\n", "")},
		{Name: "source", Type: cty.String,
			Doc: "Path of a local file with the content, as file() takes it: in the configuration's folder or the git work " +
				"tree around it; in a module, begin it with ${path.module}. This or content.",
			Samples: kind.StringValues("hello.txt")},
		{Name: "sha1", WirePath: "contentSha1", TerraformName: "content_sha1", Type: cty.String,
			Compare: kind.Compare{Normalize: kind.LowerCase}, Check: checkSHA1,
			Doc:     "SHA-1 of the content, in hexadecimal digits. It follows from the content; if it is given, the content must have it.",
			Samples: kind.StringValues("f572d396fae9206628714fb2ce00f72e94f2258f")},
		{Name: "content_type", WirePath: "contentType", Type: cty.String, KeepLive: true, Check: checkContentType,
			Doc:     "Media type. Left out, B2 decides by the name when the file is made, and it stays.",
			Samples: kind.StringValues("text/html; charset=utf-8", "application/json")},
		{Name: "info", WirePath: "fileInfo", TerraformName: "file_info", Type: cty.Map(cty.String), Default: cty.MapValEmpty(cty.String),
			Doc: "Up to 10 pairs of your own; keys fold to lower case. What begins with b2- becomes a header of downloads: " +
				"b2-cache-control, b2-content-disposition, b2-content-encoding, b2-content-language, b2-expires. " +
				"src_last_modified_millis, large_file_sha1 and sse_c_key_id, which other programs write, are left alone where they are " +
				"not given.",
			Samples: []cty.Value{stringMapValue("team", "web"),
				stringMapValue("b2-cache-control", "max-age=3600", "note", "50% + more/less ü")},
			Compare: kind.Compare{Normalize: kind.NormalizeInfo, Equal: sameInfoButClientKeys}, Check: checkFileInfo},
		{Name: "server_side_encryption", WirePath: "serverSideEncryption", Object: encryptionAttrs(), KeepLive: true,
			Compare: kind.Compare{Equal: isEncryptionLeftAlone},
			Doc: "How B2 encrypts what it stores. Left out, the default of the bucket decides when the file is made, and it stays. " +
				"In data and outputs it is null where nothing is encrypted, and mode is SSE-C where another program holds the key."},
		{Name: "force_destroy", Type: cty.Bool, Default: cty.False, WriteCapability: "deleteFiles",
			Doc: "Destroying the file deletes every version of it, instead of hiding it. The state remembers it for when the block " +
				"is gone."},

		{Name: "id", Encoding: kind.Encoding{ReadPath: "id"}, Type: cty.String, Computed: true,
			Doc: "ID of the bucket, a slash, and the name."},
		{Name: "file_id", Encoding: kind.Encoding{ReadPath: "fileId"}, Type: cty.String, Computed: true,
			Doc: "B2's ID of the current version; every upload makes another."},
		{Name: "size", Encoding: kind.Encoding{ReadPath: "contentLength"}, Type: cty.Number, Computed: true,
			Doc: "Bytes in the current version."},
		{Name: "upload_timestamp", Encoding: kind.Encoding{ReadPath: "uploadTimestamp", IsUnixMillis: true}, Type: cty.Number,
			Computed: true,
			Doc:      "When the current version was uploaded, in milliseconds since 1970."},
	}
}

// encryptionAttrs are named as those of a bucket's default.
func encryptionAttrs() []kind.Attr {
	return []kind.Attr{
		{Name: "mode", WirePath: "mode", Encoding: kind.Encoding{AbsentIsNull: true}, Type: cty.String, Default: cty.StringVal(sseB2),
			Samples: kind.StringValues(sseB2), Doc: "SSE-B2: B2 holds the keys.", Check: checkEncryptionMode},
		{Name: "algorithm", WirePath: "algorithm", Encoding: kind.Encoding{AbsentIsNull: true}, Type: cty.String,
			Default: cty.StringVal(aes256), Samples: kind.StringValues(aes256), Doc: "AES256.", Check: checkEncryptionAlgorithm},
	}
}

func stringMapValue(kv ...string) cty.Value {
	m := map[string]cty.Value{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = cty.StringVal(kv[i+1])
	}
	return cty.MapVal(m)
}

// deriveSHA1 gives a text its SHA-1. That of a source is found by who can read it.
func deriveSHA1(v kind.Values) {
	content, given := v.GetAttr("content"), v.GetAttr("sha1")
	if content.IsNull() || !given.IsNull() {
		return
	}
	sum := cty.UnknownVal(cty.String)
	if content.IsKnown() {
		sum = cty.StringVal(sha1OfKnownText(content))
	}
	v.Set("sha1", &sum)
}

func sha1OfKnownText(content cty.Value) string { return wire.TextPayload(content.AsString()).SHA1 }

func forceDestroyHazards(force, _ bool) []kind.Hazard {
	if !force {
		return nil
	}
	return []kind.Hazard{{Kind: kind.DeletesData, Detail: "every version of the file is deleted"}}
}
