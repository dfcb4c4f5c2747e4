package key

import (
	"fmt"

	"b2form/schema/kind"
)

// constraints lists what the checks of this package demand, and where B2 says so.
func constraints() []kind.Constraint {
	create := kind.DocSource{Name: "b2_create_key", URL: "https://www.backblaze.com/apidocs/b2-create-key"}
	capabilities := kind.DocSource{Name: "Application Key Capabilities",
		URL: "https://www.backblaze.com/docs/cloud-storage-application-key-capabilities"}
	files := kind.DocSource{Name: "Files", URL: "https://www.backblaze.com/docs/cloud-storage-files"}
	return []kind.Constraint{
		{Attr: "name", Rule: fmt.Sprintf("1 to %d letters, digits and dashes; %d where the key rotates", longest,
			longestRotating()), Source: create, Counterexample: `name = "the camera"`},
		{Attr: "name", Rule: "unique in the configuration where the key rotates", Source: kind.B2formSource()},
		{Attr: "access", Rule: "one of the choices above", Source: kind.B2formSource(), Counterexample: `access = "admin"`},
		{Attr: "capabilities", Rule: "at least one", Source: create, Counterexample: `capabilities = []`},
		{Attr: "capabilities", Rule: "names that B2's documentation or its SDKs know; B2 adds some from time to time", Source: capabilities,
			Counterexample: `capabilities = ["readFileTags"]`, Warns: true},
		{Attr: "capabilities", Rule: "none that is a known name but for the case of letters, a final s or one slip", Source: create,
			Counterexample: `capabilities = ["readFile"]`},
		{Attr: "capabilities", Rule: "listKeys, writeKeys, deleteKeys and deleteBuckets go without buckets", Source: capabilities,
			Counterexample: "capabilities = [\"writeKeys\"]\nbuckets = [\"acme-photos\"]"},
		{Attr: "buckets", Rule: "not empty: to B2 that would be every bucket", Source: create, Counterexample: `buckets = []`},
		{Attr: "name_prefix", Rule: "holds no *: there are no wildcards", Source: create, Counterexample: `name_prefix = "library/*"`,
			Warns: true},
		{Attr: "name_prefix", Rule: "does not begin with a slash: no file's name does", Source: files,
			Counterexample: `name_prefix = "/library"`, Warns: true},
		{Attr: "valid_duration", Rule: "at least a second and less than 1000 days", Source: create,
			Counterexample: `valid_duration = "1000d"`},
		{Rule: "access or capabilities, and not both", Source: kind.B2formSource(),
			Counterexample: "access = \"read_only\"\ncapabilities = [\"writeFiles\"]"},
		{Attr: "rotate.every", Rule: "a duration of a minute or more", Source: kind.B2formSource(),
			Counterexample: `rotate { every = "1s" }`},
		{Attr: "rotate.overlap", Rule: "shorter than every", Source: kind.B2formSource(),
			Counterexample: "rotate {\n every = \"2d\"\n overlap = \"3d\"\n}"},
		{Attr: "rotate.renew_before", Rule: "shorter than valid_duration", Source: kind.B2formSource(),
			Counterexample: "valid_duration = \"1d\"\nrotate { renew_before = \"2d\" }"},
	}
}
