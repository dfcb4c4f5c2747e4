package credentials

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"b2form/internal/words"

	_ "modernc.org/sqlite" // the database in which the b2 command keeps an account
)

// isProfileName follows what the Python SDK takes for the name of a profile
// (b2sdk, sqlite_account_info.py).
func isProfileName(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// profile reads a profile of the b2 command.
func (o Options) profile(ctx context.Context) (Credentials, error) {
	name := o.Profile
	if !isProfileName(name) {
		return Credentials{}, errorf("Invalid profile", "%.80q is not the name of a profile: it has 1 to 64 letters, digits, dashes and "+
			"underscores, or is rclone:REMOTE for a remote of rclone.", name)
	}
	places := []string{filepath.Join(o.Home, ".b2db-"+name+".sqlite")}
	if dir := o.findXDGConfigDir(); dir != "" {
		places = append(places, filepath.Join(dir, "b2", "db-"+name+".sqlite"))
	}
	path := findExistingPath(places)
	if path == "" {
		return Credentials{}, errorf("There is no profile \""+name+"\"", "The b2 command keeps it in %s, and there is no such file. "+
			"\"b2 account authorize --profile %s\" makes it.", strings.Join(places, " or "), name)
	}
	return readAccount(ctx, path, Credentials{SourceText: fmt.Sprintf("profile %q in %s", name, path), Source: Profile})
}

// findInAccountFile reads what the b2 command keeps of the account that it is authorized for,
// where there is such a file. Nobody named it unless B2_ACCOUNT_INFO does, so one that
// holds no account counts as none.
func (o Options) findInAccountFile(ctx context.Context) (Credentials, error) {
	path := o.AccountInfoPath
	if path == "" {
		var places []string
		if o.Home != "" {
			places = append(places, filepath.Join(o.Home, ".b2_account_info"))
		}
		if dir := o.findXDGConfigDir(); dir != "" {
			places = append(places, filepath.Join(dir, "b2", "account_info"))
		}
		if path = findExistingPath(places); path == "" {
			return Credentials{}, nil
		}
	}
	c, err := readAccount(ctx, path, Credentials{SourceText: "the account file of the b2 command, " + path, Source: AccountFile})
	if errors.Is(err, errSignedOut) && o.AccountInfoPath == "" {
		return Credentials{}, nil
	}
	return c, err
}

// findXDGConfigDir is the folder of configurations as the Python SDK finds it; "": it uses none here.
func (o Options) findXDGConfigDir() string {
	switch {
	case o.XDGConfigHome != "":
		return o.XDGConfigHome
	case runtime.GOOS == "windows" || runtime.GOOS == "darwin" || o.Home == "":
		return ""
	}
	return filepath.Join(o.Home, ".config")
}

// findExistingPath is the first of the paths at which there is something; "": none.
func findExistingPath(paths []string) string {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return p
		}
	}
	return ""
}

// errSignedOut is an account file without an account: the b2 command was authorized
// once and is not any more.
var errSignedOut = &Error{"The b2 command is not authorized",
	"Its account file holds no account. \"b2 account authorize\" writes one there."}

// slowest is how long reading one row of a small file may take, with waiting for a
// program that writes it.
const slowest = 10 * time.Second

// readAccount reads the account file of the b2 command: a database of SQLite with one
// row. Columns were added over the years (b2sdk, sqlite_account_info.py): first the one
// for the ID of a key that is not the master key, whose ID is the account's; what the
// key is limited to stands in "allowed", with one bucket or several, and does not matter
// here.
func readAccount(ctx context.Context, path string, c Credentials) (Credentials, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Credentials{}, errorf("Account file not readable", "%s: %s.", path, words.ErrorWithoutPath(err))
	}
	if !info.Mode().IsRegular() {
		return Credentials{}, errorf("Account file not readable", "%s is no regular file.", path)
	}
	whole, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	row, err := readRow(whole, path)
	switch {
	case ctx.Err() != nil:
		return Credentials{}, ctx.Err()
	case errors.Is(err, sql.ErrNoRows):
		return Credentials{}, errSignedOut
	case err != nil:
		return Credentials{}, errorf("Account file not readable", "%s is not a file in which the b2 command keeps an account, or it is "+
			"damaged. Authorize the b2 command again, or give the credentials in B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY.", path)
	}
	c.Realm = row.realm
	id := row.keyID.String
	if id == "" {
		id = row.accountID
	}
	return withCheckedKey(c, id, row.key)
}

type accountRow struct {
	accountID, key, realm string
	keyID                 sql.NullString
}

// readRow reads the row without changing anything. While another program writes the
// file it waits. The texts are bounded, whatever is in the file.
func readRow(ctx context.Context, path string) (row accountRow, err error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return row, err
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(whole),
		RawQuery: "mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)&_pragma=trusted_schema(0)"}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return row, err
	}
	defer db.Close()
	const columns = "SELECT substr(account_id, 1, 1000), substr(application_key, 1, 1000), substr(realm, 1, 1000)"
	err = db.QueryRowContext(ctx, columns+", substr(account_id_or_app_key_id, 1, 1000) FROM account LIMIT 1").
		Scan(&row.accountID, &row.key, &row.realm, &row.keyID)
	if err != nil && strings.Contains(err.Error(), "no such column: account_id_or_app_key_id") {
		err = db.QueryRowContext(ctx, columns+" FROM account LIMIT 1").Scan(&row.accountID, &row.key, &row.realm)
	}
	return row, err
}
