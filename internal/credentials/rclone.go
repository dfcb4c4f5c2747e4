package credentials

import (
	"fmt"
	"path/filepath"
	"strings"

	"b2form/internal/durable"
	"b2form/internal/words"
)

// rclonePrefix begins the name of a profile that is a remote of rclone.
const rclonePrefix = "rclone:"

// rclone reads a remote of type b2 from rclone's configuration ("rclone config" and
// "Backblaze B2" in the documentation of rclone).
func (o Options) rclone(remote string) (Credentials, error) {
	path := o.RcloneConfigPath
	if path == "" {
		places := o.rclonePlaces()
		if path = findExistingPath(places); path == "" {
			return Credentials{}, errorf("No configuration of rclone", "There is none of %s. Set RCLONE_CONFIG to its path.",
				strings.Join(places, ", "))
		}
	}
	content, err := durable.ReadFile(path, mostBytes)
	if err != nil {
		return Credentials{}, errorf("The configuration of rclone cannot be read", "%s: %s.", path, words.ErrorWithoutPath(err))
	}
	text := string(content)
	if isEncryptedRcloneConfig(text) {
		return Credentials{}, errorf("The configuration of rclone is encrypted",
			"%s can be read by rclone alone. Let it print the remote: "+
				"docs/credentials.md has a recipe for B2_CREDENTIAL_COMMAND.", path)
	}
	sections := parseRcloneConfig(text)
	r, ok := sections[remote]
	switch {
	case !ok:
		return Credentials{}, errorf("There is no remote of that name", "%s has no section [%.80s].", path, remote)
	case r["type"] != "b2":
		return Credentials{}, errorf("The remote is not of type b2",
			"The section [%.80s] of %s is of type %.40q. Only a remote of type b2 "+
				"holds an application key.", remote, path, r["type"])
	}
	return withCheckedKey(Credentials{SourceText: fmt.Sprintf("the remote %q in %s", remote, path), Source: Profile, Realm: r["endpoint"]},
		r["account"], r["key"])
}

// rclonePlaces are where rclone looks for its configuration.
func (o Options) rclonePlaces() []string {
	var places []string
	if o.AppData != "" {
		places = append(places, filepath.Join(o.AppData, "rclone", "rclone.conf"))
	}
	if o.XDGConfigHome != "" {
		places = append(places, filepath.Join(o.XDGConfigHome, "rclone", "rclone.conf"))
	}
	return append(places, filepath.Join(o.Home, ".config", "rclone", "rclone.conf"), filepath.Join(o.Home, ".rclone.conf"))
}

// isEncryptedRcloneConfig recognises what "rclone config encryption" writes.
func isEncryptedRcloneConfig(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			return strings.HasPrefix(line, "RCLONE_ENCRYPT_")
		}
	}
	return false
}

// parseRcloneConfig reads an INI file as rclone writes it: sections of names and values.
func parseRcloneConfig(text string) map[string]map[string]string {
	all := map[string]map[string]string{}
	var section map[string]string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimSpace(line)
		switch name, value, isPair := strings.Cut(line, "="); {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && line[len(line)-1] == ']':
			section = map[string]string{}
			all[line[1:len(line)-1]] = section
		case isPair && section != nil:
			section[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return all
}
