package credentials

import (
	"cmp"
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

	"modernc.org/sqlite" // the database in which the b2 command keeps an account
	sqlite3 "modernc.org/sqlite/lib"
)

// isProfileName follows what the Python SDK takes for the name of a profile
// (b2sdk, sqlite_account_info.py).
func isProfileName(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// readB2Profile reads a profile of the b2 command.
func (o Options) readB2Profile(ctx context.Context) (Credentials, error) {
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
	return o.readAccount(ctx, path, Credentials{SourceText: fmt.Sprintf("profile %q in %s", name, path), Source: Profile})
}

// findInAccountFile reads what the b2 command keeps of the account that it is authorized for,
// where there is such a file.
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
	return o.readAccount(ctx, path, Credentials{SourceText: "the account file of the b2 command, " + path, Source: AccountFile})
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

// lockTimeout is how long a program that writes the file is waited for.
const lockTimeout = 5 * time.Second

// readAccount reads the account file of the b2 command: a database of SQLite with one
// row. Columns were added over the years (b2sdk, sqlite_account_info.py): first the one
// for the ID of a key that is not the master key, whose ID is the account's; what the
// key is limited to stands in "allowed", with one bucket or several, and does not matter
// here.
func (o Options) readAccount(ctx context.Context, path string, c Credentials) (Credentials, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Credentials{}, errorf("Account file not readable", "%s: %s.", path, words.ErrorWithoutPath(err))
	}
	if !info.Mode().IsRegular() {
		return Credentials{}, errorf("Account file not readable", "%s is no regular file.", path)
	}
	waited := cmp.Or(o.LockTimeout, lockTimeout)
	whole, cancel := context.WithTimeout(ctx, 2*waited)
	defer cancel()
	row, err := readRow(whole, path, waited)
	switch refused, _ := errors.AsType[*sqlite.Error](err); {
	case ctx.Err() != nil:
		return Credentials{}, ctx.Err()
	case errors.Is(err, sql.ErrNoRows):
		return o.noneOrSignedOutError(c)
	case err != nil && whole.Err() != nil, refused != nil && refused.Code()&0xff == sqlite3.SQLITE_BUSY:
		return Credentials{}, errorf("Account file in use", "%s cannot be read now, since another program is writing it. Run b2form again "+
			"when that is done.", path)
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

// noneOrSignedOutError is what a file without an account gives: the b2 command was authorized once and is not
// any more, or never was. One that nobody named counts as not set.
func (o Options) noneOrSignedOutError(c Credentials) (Credentials, error) {
	command := "b2 account authorize"
	switch {
	case c.Source == Profile:
		command += " --profile " + o.Profile
	case o.AccountInfoPath == "":
		return Credentials{}, nil
	}
	return Credentials{}, errorf("The b2 command is not authorized", "There is no account in %s. %q writes one there.", c.SourceText,
		command)
}

// longestAccountFileValue is how many bytes a text or a row of an account file may have; the b2 command's have some hundred.
const longestAccountFileValue = 1 << 20

type accountRow struct {
	accountID, key, realm string
	keyID                 sql.NullString
}

// readRow reads the row without changing anything. While another program writes the
// file it waits. The texts are bounded, whatever is in the file. The error is sql.ErrNoRows
// where there is no account, also in a file that the b2 command has only begun.
func readRow(ctx context.Context, path string, wait time.Duration) (row accountRow, err error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return row, err
	}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(whole),
		RawQuery: fmt.Sprintf("mode=ro&_pragma=busy_timeout(%d)&_pragma=query_only(1)&_pragma=trusted_schema(0)", wait.Milliseconds())}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return row, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return row, err
	}
	defer conn.Close()
	// What stands for the table may be a view, which computes as long a text as it likes.
	if _, err := sqlite.Limit(conn, sqlite3.SQLITE_LIMIT_LENGTH, longestAccountFileValue); err != nil {
		return row, err
	}
	const columns = "SELECT substr(account_id, 1, 1000), substr(application_key, 1, 1000), substr(realm, 1, 1000)"
	err = conn.QueryRowContext(ctx, columns+", substr(account_id_or_app_key_id, 1, 1000) FROM account LIMIT 1").
		Scan(&row.accountID, &row.key, &row.realm, &row.keyID)
	if err != nil && strings.Contains(err.Error(), "no such column: account_id_or_app_key_id") {
		err = conn.QueryRowContext(ctx, columns+" FROM account LIMIT 1").Scan(&row.accountID, &row.key, &row.realm)
	}
	if err == nil || !strings.Contains(err.Error(), "no such table: account") {
		return row, err
	}
	var tables int
	if conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name <> 'update_done'").Scan(&tables) == nil && tables == 0 {
		err = sql.ErrNoRows
	}
	return row, err
}
