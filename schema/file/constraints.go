package file

import (
	"fmt"

	"b2form/schema/kind"
)

// constraints lists what the checks of this package demand, and where B2 says so.
func constraints() []kind.Constraint {
	files := kind.DocSource{Name: "Files", URL: "https://www.backblaze.com/docs/cloud-storage-files"}
	upload := kind.DocSource{Name: "b2_upload_file", URL: "https://www.backblaze.com/apidocs/b2-upload-file"}
	encryption := kind.DocSource{Name: "Use Server-Side Encryption with the B2 Native API",
		URL: "https://www.backblaze.com/docs/cloud-storage-server-side-encryption-with-the-native-api"}
	name := func(says, breaks string) kind.Constraint {
		return kind.Constraint{Attr: "name", Rule: says, Source: files, Counterexample: breaks}
	}
	return []kind.Constraint{
		name("not empty", `name = ""`),
		name(fmt.Sprintf("at most %d bytes", mostName), `name = join("/", [for i in range(300) : "part"])`),
		name(fmt.Sprintf("at most %d bytes between slashes", mostSegment), `name = format("%0251d", 0)`),
		name("no control characters", `name = "a\tb"`),
		name("no backslashes", `name = "css\\site.css"`),
		name("does not start with a slash", `name = "/index.html"`),
		name("no two slashes in a row", `name = "css//site.css"`),
		{Attr: "name", Rule: "does not end with a slash: programs take it for an empty folder", Source: files,
			Counterexample: `name = "css/"`, Warns: true},
		{Attr: "content_type", Rule: "a media type", Source: upload, Counterexample: `content_type = "html"`},
		{Attr: "sha1", Rule: "40 hexadecimal digits, and that of the content", Source: upload,
			Counterexample: `sha1 = "f572d396fae9206628714fb2ce00f72e94f2258f"`},
		{Attr: "info", Rule: "at most 10 pairs", Source: upload, Counterexample: `info = { for i in range(11) : "k${i}" => "v" }`},
		{Attr: "info", Rule: "keys have 1 to 50 letters, digits or characters of -_.`~!#$%^&*'|+", Source: upload,
			Counterexample: `info = { "two words" = "v" }`},
		{Attr: "info", Rule: "keys start with b2- only where they are headers of downloads", Source: upload,
			Counterexample: `info = { b2-team = "web" }`},
		{Attr: "info", Rule: fmt.Sprintf("name and info come to at most %d bytes as headers", mostHeaders), Source: files,
			Counterexample: `info = { note = format("%07001d", 0) }`},
		{Attr: "info", Rule: fmt.Sprintf("and to %d where the file is encrypted", mostEncrypted), Source: files,
			Counterexample: `info = { note = format("%02049d", 0) }`, Warns: true},
		{Attr: "server_side_encryption.mode", Rule: "SSE-B2: it cannot be turned off, and b2form holds no keys for SSE-C",
			Source: encryption, Counterexample: `server_side_encryption { mode = "none" }`},
		{Attr: "server_side_encryption.algorithm", Rule: "AES256", Source: encryption,
			Counterexample: `server_side_encryption { algorithm = "AES128" }`},
		{Rule: "content or source, and not both", Source: kind.B2formSource(), Counterexample: "content = \"\"\nsource = \"index.html\""},
	}
}
