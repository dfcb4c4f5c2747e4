package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// formatKey renders the key in one of the formats that need no template. A stdout
// delivery without a format prints env.
func formatKey(formatName string, key KeyInfo) (string, error) {
	switch formatName {
	case "env", "":
		return envFormat(key), nil
	case "json":
		return jsonFormat(key), nil
	case "rclone":
		return rcloneFormat(key), nil
	case "aws":
		return awsFormat(key), nil
	case "joplin":
		return joplinFormat(key), nil
	case "restic":
		return resticFormat(key), nil
	case "kopia":
		return kopiaFormat(key), nil
	}
	return "", fmt.Errorf("%q is not a format", formatName)
}

// envFormat is the pair of variables that Backblaze's command line tool reads
// (github.com/Backblaze/B2_Command_Line_Tool, README: environment variables),
// and b2form too. It suits a shell, Docker's --env-file and systemd's
// EnvironmentFile: values are quoted only where a shell would need it, which
// for the keys that B2 makes is never.
func envFormat(key KeyInfo) string {
	return fmt.Sprintf("B2_APPLICATION_KEY_ID=%s\nB2_APPLICATION_KEY=%s\n", shellQuote(key.KeyID), shellQuote(key.Key.Reveal()))
}

func shellQuote(s string) string {
	unsafe := func(r rune) bool {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !plain && !strings.ContainsRune("_-+/=.,:@", r)
	}
	if s != "" && !strings.ContainsFunc(s, unsafe) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// jsonFormat is an object with the names that b2form's language uses. bucket is
// there when the key is limited to exactly one, buckets when it is limited at
// all, name_prefix when it is limited by one.
func jsonFormat(key KeyInfo) string {
	out := struct {
		Name       string   `json:"name"`
		KeyID      string   `json:"application_key_id"`
		Key        string   `json:"application_key"`
		Bucket     string   `json:"bucket,omitempty"`
		Buckets    []string `json:"buckets,omitempty"`
		NamePrefix string   `json:"name_prefix,omitempty"`
		Endpoint   string   `json:"s3_endpoint"`
		Region     string   `json:"s3_region"`
	}{
		Name: key.DeclaredName, KeyID: key.KeyID, Key: key.Key.Reveal(), Buckets: key.Buckets,
		NamePrefix: key.NamePrefix, Endpoint: key.S3Endpoint, Region: key.S3Region,
	}
	if len(key.Buckets) == 1 {
		out.Bucket = key.Buckets[0]
	}
	return indentedJSON(out)
}

// indentedJSON is the text of a struct of strings and numbers.
func indentedJSON(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic("a struct of strings always encodes")
	}
	return b.String()
}

// rcloneFormat is a remote for rclone, with the key's name as its name: pass the
// file with --config, or RCLONE_CONFIG (rclone.org/b2, "account", "key" and "endpoint").
func rcloneFormat(key KeyInfo) string {
	text := fmt.Sprintf("[%s]\ntype = b2\naccount = %s\nkey = %s\n", key.DeclaredName, key.KeyID, key.Key.Reveal())
	if key.Realm != "" && key.Realm != "https://api.backblazeb2.com" {
		text += "endpoint = " + key.Realm + "\n"
	}
	return text
}

// awsFormat is a shared credentials file for what speaks S3 through an AWS SDK:
// name it in AWS_SHARED_CREDENTIALS_FILE (AWS SDKs and Tools Reference Guide,
// "Shared config and credentials files"). The profile is default, so nothing
// else has to be set: the AWS CLI and boto3 read region and endpoint_url there too.
func awsFormat(key KeyInfo) string {
	return fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\nregion = %s\nendpoint_url = %s\n", key.KeyID,
		key.Key.Reveal(), key.S3Region, key.S3Endpoint)
}

// The formats below tell a program its bucket. The loader refuses them for a key
// that is not limited to exactly one.

// joplinFormat holds settings of Joplin's synchronization through S3, target 8, as the
// terminal application reads them: joplin config --import-file FILE
// (github.com/laurent22/joplin, packages/app-cli/app/command-config.ts).
func joplinFormat(key KeyInfo) string {
	return indentedJSON(struct {
		Target int    `json:"sync.target"`
		Bucket string `json:"sync.8.path"`
		URL    string `json:"sync.8.url"`
		Region string `json:"sync.8.region"`
		KeyID  string `json:"sync.8.username"`
		Key    string `json:"sync.8.password"`
	}{8, strings.Join(key.Buckets, ""), key.S3Endpoint, key.S3Region, key.KeyID, key.Key.Reveal()})
}

// resticFormat is the environment of a repository behind S3, which restic's
// documentation recommends for B2 (restic.readthedocs.io, "Preparing a new
// repository", Backblaze B2), in the folder that the key is limited to.
func resticFormat(key KeyInfo) string {
	repository := "s3:" + key.S3Endpoint + "/" + strings.Join(key.Buckets, "") + "/" + strings.Trim(key.NamePrefix, "/")
	return fmt.Sprintf("AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\nAWS_DEFAULT_REGION=%s\nRESTIC_REPOSITORY=%s\n",
		shellQuote(key.KeyID), shellQuote(key.Key.Reveal()), shellQuote(key.S3Region), shellQuote(strings.TrimSuffix(repository, "/")))
}

// kopiaFormat is a token of a repository behind S3, with which one is made and
// connected to: kopia repository create from-config --token-file FILE
// (github.com/kopia/kopia, repo/token.go and repo/blob/s3/s3_options.go).
// It says where and with which key, and holds no password.
func kopiaFormat(key KeyInfo) string {
	type options struct {
		Bucket     string `json:"bucket"`
		Prefix     string `json:"prefix,omitempty"`
		Endpoint   string `json:"endpoint"`
		WithoutTLS bool   `json:"doNotUseTLS,omitempty"`
		Region     string `json:"region"`
		KeyID      string `json:"accessKeyID"`
		Key        string `json:"secretAccessKey"`
	}
	type storage struct {
		Type   string  `json:"type"`
		Config options `json:"config"`
	}
	scheme, host, _ := strings.Cut(key.S3Endpoint, "://")
	text := indentedJSON(struct {
		Version string  `json:"version"`
		Storage storage `json:"storage"`
	}{"1", storage{"s3", options{strings.Join(key.Buckets, ""), key.NamePrefix, host, scheme == "http", key.S3Region, key.KeyID,
		key.Key.Reveal()}}})
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "\n"
}
