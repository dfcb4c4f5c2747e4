package credentials_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2form/internal/credentials"
)

const (
	id  = "004d2e6b27577ea0000000001"
	key = "K004abcdefghijklmnopqrstuvwxyz0"
)

func find(t *testing.T, o credentials.Options) credentials.Credentials {
	t.Helper()
	c, err := credentials.Find(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantPair checks that both halves were found, and where.
func wantPair(t *testing.T, o credentials.Options, source credentials.Source, where string) {
	t.Helper()
	if c := find(t, o); c.KeyID != id || c.Key.Reveal() != key || c.Source != source || !strings.Contains(c.SourceText, where) {
		t.Errorf("found %q, %q from %d, %q; want it from %d, %q", c.KeyID, c.Key.Reveal(), c.Source, c.SourceText, source, where)
	}
}

// wantError checks what is said, and that the key is not in it.
func wantError(t *testing.T, o credentials.Options, texts ...string) {
	t.Helper()
	_, err := credentials.Find(context.Background(), o)
	var told *credentials.Error
	if !errors.As(err, &told) {
		t.Fatalf("got %v, want an error for people", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is missing in: %v", text, err)
		}
	}
	if strings.Contains(err.Error(), key) {
		t.Errorf("the key is in %v", err)
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFirstThatIsSetWins(t *testing.T) {
	home := t.TempDir()
	all := credentials.Options{
		KeyID: id, Key: key, KeyIDFile: write(t, filepath.Join(home, "id"), id+"\n"),
		KeyFile:             write(t, filepath.Join(home, "key"), key+"\r\n"),
		LegacyVariableKeyID: id, LegacyVariableKey: key, Profile: "work", CommandJSON: `["printf", "` + id + `\n` + key + `\n"]`,
		Home: home,
	}
	account(t, filepath.Join(home, ".b2db-work.sqlite"), 4, id)
	account(t, filepath.Join(home, ".b2_account_info"), 4, id)
	wantPair(t, all, credentials.Environment, "B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY")
	all.Key = "" // each half may be in a file
	wantPair(t, all, credentials.Environment, "B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY_FILE")
	all.KeyID = ""
	wantPair(t, all, credentials.Environment, "B2_APPLICATION_KEY_ID_FILE and B2_APPLICATION_KEY_FILE")
	all.KeyIDFile, all.KeyFile = "", ""
	wantPair(t, all, credentials.OldNames, "B2_ACCOUNT_ID")
	all.LegacyVariableKeyID, all.LegacyVariableKey = "", ""
	wantPair(t, all, credentials.Profile, `profile "work" in `+home)
	all.Profile = ""
	wantPair(t, all, credentials.Command, `"printf"`)
	all.CommandJSON = ""
	wantPair(t, all, credentials.AccountFile, ".b2_account_info")
	if c := find(t, credentials.Options{Home: t.TempDir()}); c.Source != credentials.None {
		t.Errorf("found %q where nothing is", c.SourceText)
	}
}

func TestFilesOfOneHalf(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "two words": "a b", "two lines": "a\nb", "long": strings.Repeat("a", 100_000),
		"binary": "\x00\x01"} {
		wantError(t, credentials.Options{KeyFile: write(t, filepath.Join(dir, name), text)}, "B2_APPLICATION_KEY_FILE", name)
	}
	wantError(t, credentials.Options{KeyIDFile: filepath.Join(dir, "nowhere")}, "B2_APPLICATION_KEY_ID_FILE", "no such file")
	wantError(t, credentials.Options{KeyFile: dir}, "no regular file")
}

// schema gives the database as the Python SDK makes it, after so many of its updates
// (b2sdk, sqlite_account_info.py).
func schema(updates int) []string {
	all := []string{
		`CREATE TABLE account (account_id TEXT NOT NULL, application_key TEXT NOT NULL, account_auth_token TEXT NOT NULL,
			api_url TEXT NOT NULL, download_url TEXT NOT NULL, minimum_part_size INT NOT NULL, realm TEXT NOT NULL)`,
		`ALTER TABLE account ADD COLUMN allowed TEXT`,
		`ALTER TABLE account ADD COLUMN account_id_or_app_key_id TEXT`,
		`ALTER TABLE account ADD COLUMN s3_api_url TEXT`,
		`ALTER TABLE account RENAME COLUMN minimum_part_size TO recommended_part_size`,
	}
	return all[:updates+1]
}

// account writes an account file; "" for keyID: signed out.
func account(t *testing.T, path string, updates int, keyID string) string {
	t.Helper()
	statements := schema(updates)
	if keyID != "" {
		accountID := "d2e6b27577ea"
		if updates < 2 {
			accountID = keyID // before, only the master key was known
		}
		size := "minimum_part_size"
		if updates == 4 {
			size = "recommended_part_size"
		}
		statements = append(statements, `INSERT INTO account (account_id, application_key, account_auth_token, api_url, download_url, `+
			size+
			`, realm) VALUES ('`+accountID+`', '`+key+`', 't', 'u', 'u', 1, 'production')`)
		if updates >= 1 { // one bucket as it was before, several as they are now
			statements = append(statements, `UPDATE account SET allowed = '{"bucketId":"b","bucketName":"n","capabilities":[]}'`)
		}
		if updates >= 2 {
			statements = append(statements, `UPDATE account SET account_id_or_app_key_id = '`+keyID+`'`)
		}
		if updates == 4 {
			statements = append(statements, `UPDATE account SET allowed = '{"buckets":[{"id":"b","name":"n"},{"id":"c","name":null}]}'`)
		}
	}
	return database(t, path, statements...)
}

func database(t *testing.T, path string, statements ...string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return path
}

func TestAccountFiles(t *testing.T) {
	dir := t.TempDir()
	for updates := range 5 {
		path := account(t, filepath.Join(dir, "100% #"+string(rune('0'+updates))+"?"), updates, id)
		before, _ := os.ReadFile(path)
		wantPair(t, credentials.Options{AccountInfoPath: path}, credentials.AccountFile, path)
		if c := find(t, credentials.Options{AccountInfoPath: path}); c.Realm != "production" {
			t.Errorf("the realm is %q", c.Realm)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("the account file was changed")
		}
	}
}

func TestWhereProfilesAre(t *testing.T) {
	home, xdg := t.TempDir(), t.TempDir()
	account(t, filepath.Join(xdg, "b2", "db-work.sqlite"), 4, id)
	o := credentials.Options{Home: home, XDGConfigHome: xdg, Profile: "work"}
	wantPair(t, o, credentials.Profile, xdg)
	account(t, filepath.Join(home, ".b2db-work.sqlite"), 4, id)
	wantPair(t, o, credentials.Profile, home)
	o.Profile = "play"
	wantError(t, o, `no profile "play"`, "b2 account authorize --profile play")
	o.Profile = "../work"
	wantError(t, o, "Invalid profile")

	account(t, filepath.Join(xdg, "b2", "account_info"), 4, id)
	wantPair(t, credentials.Options{Home: home, XDGConfigHome: xdg}, credentials.AccountFile, xdg)
}

func TestFilesThatAreNoAccount(t *testing.T) {
	dir := t.TempDir()
	good, _ := os.ReadFile(account(t, filepath.Join(dir, "good"), 4, id))
	for name, path := range map[string]string{
		"damaged": write(t, filepath.Join(dir, "damaged"), string(good[:len(good)/2])+strings.Repeat("\xff", len(good)/2)),
		"cut":     write(t, filepath.Join(dir, "cut"), string(good[:1000])),
		"JSON":    write(t, filepath.Join(dir, "json"), `{"account_id": "x"}`),
		"foreign": database(t, filepath.Join(dir, "foreign"), `CREATE TABLE bookmarks (url TEXT)`),
		"other columns": database(t, filepath.Join(dir, "columns"), `CREATE TABLE account (name TEXT)`,
			`INSERT INTO account VALUES ('ann')`),
		"a view of long texts": database(t, filepath.Join(dir, "view"), `CREATE VIEW account AS SELECT 'a' AS account_id, `+
			`hex(zeroblob(600000)) AS application_key, 'r' AS realm, 'k' AS account_id_or_app_key_id`),
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, credentials.Options{AccountInfoPath: path}, "Account file not readable", path)
		})
	}
	wantError(t, credentials.Options{AccountInfoPath: filepath.Join(dir, "nowhere")}, "no such file")
	wantError(t, credentials.Options{AccountInfoPath: dir}, "no regular file")
	odd := database(t, filepath.Join(dir, "odd"), append(schema(4), `INSERT INTO account VALUES ('a', 'two words', 't', 'u', 'u', 1, `+
		`'r', '', NULL, `+
		`NULL)`)...)
	wantError(t, credentials.Options{AccountInfoPath: odd}, "holds a character that none has")

	for name, signedOut := range map[string]string{
		"signed out":   account(t, filepath.Join(dir, "signed-out", ".b2_account_info"), 4, ""),
		"empty":        write(t, filepath.Join(dir, "empty", ".b2_account_info"), ""),
		"barely begun": database(t, filepath.Join(dir, "begun", ".b2_account_info"), `CREATE TABLE update_done (update_number INT)`),
	} {
		wantError(t, credentials.Options{AccountInfoPath: signedOut}, "not authorized", signedOut)
		if c := find(t, credentials.Options{Home: filepath.Dir(signedOut)}); c.Source != credentials.None {
			t.Errorf("%s: an account file without account counts, although nobody named it: %q", name, c.SourceText)
		}
	}
	profile := account(t, filepath.Join(dir, ".b2db-work.sqlite"), 4, "")
	wantError(t, credentials.Options{Home: dir, Profile: "work"}, "not authorized", profile, "b2 account authorize --profile work")
}

func TestAccountFileThatIsBeingWritten(t *testing.T) {
	path := account(t, filepath.Join(t.TempDir(), "account"), 4, id)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	wantError(t, credentials.Options{AccountInfoPath: path, LockTimeout: time.Millisecond}, "Account file in use", path,
		"another program", "again")
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	wantPair(t, credentials.Options{AccountInfoPath: path}, credentials.AccountFile, path)
}

func TestRclone(t *testing.T) {
	home := t.TempDir()
	path := write(t, filepath.Join(home, ".config", "rclone", "rclone.conf"), "\ufeff# remotes\n[photos]\ntype = b2\naccount = "+id+
		"\nkey = "+key+"\nhard_delete = true\n\n[site]\ntype = s3\nkey = x\n\n[half]\ntype = b2\naccount = x\n")
	o := credentials.Options{Home: home, Profile: "rclone:photos"}
	wantPair(t, o, credentials.Profile, path)
	for remote, text := range map[string]string{"site": "type \"s3\"", "nowhere": "no section [nowhere]",
		"half": "application key is missing",
		"":     "no section []"} {
		o.Profile = "rclone:" + remote
		wantError(t, o, text, path)
	}
	o.RcloneConfigPath = write(t, filepath.Join(home, "encrypted"), "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nabc\n")
	wantError(t, o, "encrypted", "B2_CREDENTIAL_COMMAND")
	o.RcloneConfigPath = write(t, filepath.Join(home, "large"), strings.Repeat("#", 100_000))
	wantError(t, o, "more than")
	wantError(t, credentials.Options{Home: t.TempDir(), Profile: "rclone:x"}, "No configuration of rclone")
}

func TestCommand(t *testing.T) {
	prints := func(text string) credentials.Options {
		return credentials.Options{CommandJSON: `["printf", "%s", ` + quoted(text) + `]`}
	}
	for _, text := range []string{
		id + "\n" + key, id + "\r\n" + key + "\r\n",
		`{"application_key_id": "` + id + `", "application_key": "` + key + `", "name": "x"}`,
		`{"applicationKeyId": "` + id + `", "applicationKey": "` + key + `"}`,
	} {
		wantPair(t, prints(text), credentials.Command, "B2_CREDENTIAL_COMMAND")
	}
	for _, text := range []string{"", key, "{" + key, "a\nb\n" + key, `{"application_key": "` + key + `"}`, `["` + key + `"]`,
		id + "\n\x1b[31m" + key} {
		wantError(t, prints(text))
	}
	for _, list := range []string{"pass show b2", "[]", `[""]`, `{"a": 1}`, `["a", 1]`} {
		wantError(t, credentials.Options{CommandJSON: list}, "not a list of arguments")
	}
	wantError(t, credentials.Options{CommandJSON: `["b2form-no-such-program"]`}, "is not found")
	wantError(t, credentials.Options{CommandJSON: `["sh", "-c", "echo locked ` + key + ` >&2; exit 3"]`}, "ended with exit code 3",
		"locked")
	// What it says as well holds no key, in whatever form, and nothing of what it printed.
	const oldKey, word = "0010123456789abcdef0123456789abcdef0123456", "my-pass/w0rd+SECRET="
	for _, said := range []string{oldKey, key + "AndMore", word, word[:12], base64.StdEncoding.EncodeToString([]byte(key)),
		hex.EncodeToString([]byte(key)), url.QueryEscape(key)} {
		script := "printf '%s\\n' " + id + " " + word + "; echo 'cannot use '" + said + " >&2; exit 1"
		_, err := credentials.Find(context.Background(), credentials.Options{CommandJSON: `["sh", "-c", ` + quoted(script) + `]`})
		if err == nil || strings.Contains(err.Error(), said) || strings.Contains(err.Error(), said[len(said)-5:]) {
			t.Errorf("%s: %v", said, err)
		}
	}
	wantError(t, credentials.Options{CommandJSON: `["sh", "-c", "seq 1000; echo secret is 7 >&2; exit 1"]`},
		"What the program said is not shown")
	wantError(t, credentials.Options{CommandJSON: `["./no/such/program"]`}, "cannot be started", "no such file")
	wantError(t, credentials.Options{CommandJSON: `["/"]`}, "cannot be started", "is a directory")
	wantError(t, credentials.Options{CommandJSON: `["sh", "-c", "yes first | head -n 40000 >&2; echo last >&2; exit 3"]`},
		"ended with exit code 3", "  first\n  last")
	wantError(t, credentials.Options{CommandJSON: `["sh", "-c", "kill -KILL $$"]`}, "was ended by a signal (killed)")
	wantError(t, credentials.Options{CommandJSON: `["sh", "-c", "while :; do echo yes; done"]`}, "printed too much")
	wantError(t, credentials.Options{CommandJSON: `["sh", "-c", "exec tail -f /dev/null"]`, CommandTimeout: time.Millisecond},
		"took too long")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := credentials.Find(ctx, prints(id)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\x1b", `\u001b`).Replace(s) + `"`
}
