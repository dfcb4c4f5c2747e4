// Package examples holds the configurations of the folders here, so that the program can
// hand them out.
package examples

import "embed"

//go:embed */main.b2.hcl
var files embed.FS

// An Example is a configuration to begin with.
type Example struct{ Name, Title string }

// All lists the examples.
func All() []Example {
	return []Example{
		{"joplin", "Joplin: notes, through the S3 API"},
		{"photos-plus", "Photos+ Cloud Library: photos, through the native API"},
		{"crushftp", "CrushFTP: a file server"},
		{"restic", "restic: backups, with a key that rotates"},
	}
}

// Configuration is the text of an example's only file. The name is one of All.
func Configuration(name string) string {
	text, err := files.ReadFile(name + "/main.b2.hcl")
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}
