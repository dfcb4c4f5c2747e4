package key

import (
	"fmt"

	"b2form/schema/kind"
)

// limits lists what the checks of this package demand, and where B2 says so.
func limits() []kind.Limit {
	create := kind.Source{Name: "b2_create_key", URL: "https://www.backblaze.com/apidocs/b2-create-key"}
	capabilities := kind.Source{Name: "Application Key Capabilities", URL: "https://www.backblaze.com/docs/cloud-storage-application-key-capabilities"}
	files := kind.Source{Name: "Files", URL: "https://www.backblaze.com/docs/cloud-storage-files"}
	return []kind.Limit{
		{Attr: "name", Says: fmt.Sprintf("1 to %d letters, digits and dashes; %d where the key rotates", longest, longest-kind.StampLength), Source: create, Breaks: `name = "the camera"`},
		{Attr: "name", Says: "unique in the configuration, though not in B2", Source: kind.Ours()},
		{Attr: "access", Says: "one of the choices above", Source: kind.Ours(), Breaks: `access = "admin"`},
		{Attr: "capabilities", Says: "at least one", Source: create, Breaks: `capabilities = []`},
		{Attr: "capabilities", Says: "names that B2's documentation or its SDKs know; B2 adds some from time to time", Source: capabilities, Breaks: `capabilities = ["readFile"]`, Warns: true},
		{Attr: "capabilities", Says: "listKeys, writeKeys, deleteKeys and deleteBuckets go without buckets", Source: capabilities,
			Breaks: "capabilities = [\"writeKeys\"]\nbuckets = [\"acme-photos\"]"},
		{Attr: "buckets", Says: "not empty: to B2 that would be every bucket", Source: create, Breaks: `buckets = []`},
		{Attr: "name_prefix", Says: "holds no *: there are no wildcards", Source: create, Breaks: `name_prefix = "library/*"`, Warns: true},
		{Attr: "name_prefix", Says: "does not begin with a slash: no file's name does", Source: files, Breaks: `name_prefix = "/library"`, Warns: true},
		{Attr: "valid_duration", Says: "at least a second and less than 1000 days", Source: create, Breaks: `valid_duration = "1000d"`},
		{Attr: "rotate.every", Says: "a duration of a minute or more", Source: kind.Ours(), Breaks: `rotate { every = "1s" }`},
		{Attr: "rotate.overlap", Says: "shorter than every", Source: kind.Ours(), Breaks: "rotate {\n every = \"2d\"\n overlap = \"3d\"\n}"},
		{Attr: "rotate.renew_before", Says: "shorter than valid_duration", Source: kind.Ours(), Breaks: "valid_duration = \"1d\"\nrotate { renew_before = \"2d\" }"},
	}
}
