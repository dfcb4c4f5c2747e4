package key

import (
	"slices"
	"strings"

	"b2form/internal/words"
)

// A clientProgram is a program with a list of capabilities of its own.
type clientProgram struct {
	name         string // as access names it
	capabilities []string
}

// clientPrograms are in docs/apps with what each was seen to use; the tests there record it.
// Their lists are frozen: what a release adds to one goes behind it as a further list, so
// that no release replaces anybody's keys.
func clientPrograms() []clientProgram {
	files := []string{"listBuckets", "listFiles", "readFiles", "writeFiles"}
	deleting := slices.Concat([]string{"deleteFiles"}, files)
	// Two cannot be run by a test, so they get what clients of the S3 API ask for beside files: the location and the
	// list of buckets.
	unseen := slices.Concat(deleting, []string{listAll, "readBuckets"})
	return []clientProgram{
		{"joplin", files},
		{"photos_plus", unseen},
		{"crushftp", unseen},
		{"restic", deleting},
		{"rclone", slices.Concat(deleting, []string{"shareFiles"})},
		{"kopia", files},
		{"duplicity", deleting},
	}
}

// findClientProgramName is the application that a key is for by its name and its sorted
// capabilities; "" where it is for none. Several have the same list, and many a
// key has it by chance, so the list alone does not tell.
func findClientProgramName(keyName string, sortedCapabilities []string) string {
	keyName = lowerWithoutSeparators(keyName)
	for _, a := range clientPrograms() {
		if strings.Contains(keyName, lowerWithoutSeparators(a.name)) &&
			slices.Equal(slices.Sorted(slices.Values(a.capabilities)), sortedCapabilities) {
			return a.name
		}
	}
	return ""
}

func lowerWithoutSeparators(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(name), "-", ""), "_", "")
}

// clientProgramsText is the list for a sentence.
func clientProgramsText() string {
	var names []string
	for _, a := range clientPrograms() {
		names = append(names, a.name)
	}
	return words.JoinAnd(names)
}
