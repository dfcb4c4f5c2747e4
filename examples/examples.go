// Package examples holds the configurations of the folders here, so that the program can
// hand them out.
package examples

import "embed"

//go:embed */main.b2.hcl
var files embed.FS

// An Example is a configuration to begin with.
type Example struct {
	Name, Title string
	SecretFiles []string // patterns, as of .gitignore, for what it delivers to files that are not called *.env
}

// All lists the examples.
func All() []Example {
	return []Example{
		{"joplin", "Joplin: notes, through the S3 API", []string{"joplin-*.txt"}},
		{"photos-plus", "Photos+ Cloud Library: photos, through the S3 API", nil},
		{"crushftp", "CrushFTP: a file server", []string{"crushftp-urls.txt"}},
		{"restic", "restic: backups, with a key that rotates", nil},
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
