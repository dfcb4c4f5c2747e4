package state

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"b2form/internal/pause"
	"b2form/internal/visible"
)

// PostgresBackend is the Backend that keeps states in a PostgreSQL database, in two tables of a schema
// of their own: states, and journal. The lock is an advisory lock of the session, so the
// server gives it back when the connection ends. docs/adr/0026 has the reasons.
//
// Errors are *Error, or those of contexts.
type PostgresBackend struct {
	Schema, StateName string // StateName tells the states of a schema apart
	// ReconnectTimeout is how long a run tries to get a connection back that it lost.
	ReconnectTimeout  time.Duration
	config            *pgconn.Config
	configFromEnvOnly bool // config comes from the variables of libpq alone
}

// A DialFunc makes the connection to a database; nil: as usual.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// lockRetryPause is how often, about, a held lock is tried again.
const lockRetryPause = 200 * time.Millisecond

// NewPostgresBackend is the state of that name in a schema of the database that the connection string
// names. What the string leaves out comes from the variables of libpq: PGHOST, PGPASSFILE,
// PGSERVICE and so on. dial may be nil.
func NewPostgresBackend(connString, schema, stateName string, dial DialFunc) (PostgresBackend, error) {
	c, err := pgconn.ParseConfig(connString)
	if err != nil {
		return PostgresBackend{}, &Error{Summary: "Invalid connection to PostgreSQL", Detail: invalidSettingText(connString, err)}
	}
	if dial != nil {
		c.DialFunc = dial
	}
	c.OnNotice = nil
	return PostgresBackend{Schema: schema, StateName: stateName, ReconnectTimeout: 15 * time.Second, config: c,
		configFromEnvOnly: connString == ""}, nil
}

// invalidSettingText says which setting of a connection the driver does not take. Its own words, which may repeat a
// secret, are not shown.
func invalidSettingText(connString string, err error) string {
	wrong := "a form, a file or a number in it is wrong"
	said := err.Error()
	said = said[strings.LastIndex(said, "`: ")+1:]
	for _, known := range []struct{ words, setting string }{
		{"parse as", "the form of the connection string"},
		{"read service", "the service (PGSERVICE), or the file that it is looked for in (PGSERVICEFILE)"},
		{"TLS", "the mode or a file of TLS (PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY)"},
		{"connect_timeout", "the timeout (PGCONNECT_TIMEOUT)"},
		{"target_session_attrs", "what is asked of the server (PGTARGETSESSIONATTRS)"},
		{"port", "the port (PGPORT), or the number of ports for several hosts"},
	} {
		if strings.Contains(said, known.words) {
			wrong = "wrong is " + known.setting
			break
		}
	}
	if connString == "" {
		return "Neither conn_str nor PG_CONN_STR is set, and what PGHOST, PGPORT and the other variables of libpq say cannot be used: " +
			wrong + ". Correct it, or set conn_str = \"postgres://HOST:PORT/DATABASE\" in the backend block."
	}
	return "conn_str or PG_CONN_STR, completed by PGHOST, PGPORT and the other variables of libpq, cannot be used: " + wrong +
		". Write conn_str as postgres://HOST:PORT/DATABASE, and look at the others."
}

// String is what messages call the state; state migrate reads it.
func (d PostgresBackend) String() string {
	q := url.Values{"schema": {d.Schema}, "name": {d.StateName}}
	u := url.URL{Scheme: "postgres", Path: "/" + d.config.Database}
	if strings.HasPrefix(d.config.Host, "/") {
		q.Set("host", d.config.Host)
		q.Set("port", fmt.Sprint(d.config.Port))
	} else {
		u.Host = net.JoinHostPort(d.config.Host, fmt.Sprint(d.config.Port))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// lockKey is the key of the state's advisory lock.
func (d PostgresBackend) lockKey() int64 {
	sum := sha256.Sum256([]byte("b2form state " + d.Schema + "/" + d.StateName))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// expandPlaceholders fills in what parameters cannot be: the schema, its name as a text, the flaw of its tables, locks (rows of
// pg_locks about the lock of this state), held (this very session has it) and its key.
func (d PostgresBackend) expandPlaceholders(text string) string {
	key := d.lockKey()
	locks := fmt.Sprintf("pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = %d AND objid::bigint "+
		"= %d AND database = (SELECT oid FROM pg_database WHERE datname = current_database())", uint32(uint64(key)>>32),
		uint32(uint64(key)))
	return strings.NewReplacer(
		"@schema", `"`+strings.ReplaceAll(d.Schema, `"`, `""`)+`"`,
		"@name", "convert_from(decode('"+hex.EncodeToString([]byte(d.Schema))+"', 'hex'), 'UTF8')::name",
		"@locks", locks,
		"@held", "EXISTS (SELECT FROM "+locks+" AND pid = pg_backend_pid())",
		"@key", fmt.Sprintf("(%d)::bigint", key),
	).Replace(strings.ReplaceAll(text, "@flaw", tableFlawSQL))
}

// Read implements [Backend].
func (d PostgresBackend) Read(ctx context.Context) (*State, error) {
	conn, err := d.connectToCheckedTables(ctx)
	if err != nil {
		return nil, d.explain(err)
	}
	defer closeConn(conn)
	row, err := d.queryLarge(ctx, conn, maxStateAnswer, 6, "SELECT content, (SELECT string_agg(lines, '' ORDER BY serial) "+
		"FROM @schema.journal WHERE state = name), lock, application_name, usename, pid FROM (SELECT) one LEFT JOIN @schema.states "+
		"ON name = $1 LEFT JOIN "+lockHolderSQL+" ON true", d.StateName)
	if err == nil && row == nil {
		err = d.unexpectedAnswerError()
	}
	if err != nil {
		return nil, d.explain(err)
	}
	base, c, err := parseStateAndJournal(d.String(), row[0], row[1])
	if err != nil {
		return nil, err
	}
	if row[5] != nil {
		base.HeldBy = d.describeHolder(row[2:])
	}
	return c.applyTo(base), nil
}

// Open implements [Backend]. A run that was killed leaves no lock: the server ends it with the
// connection.
func (d PostgresBackend) Open(ctx context.Context, o Options) (*Store, error) {
	self := LockedError{Operation: o.Operation, Who: o.LockOwner, Created: o.Now().UTC()}
	k := &databaseStorage{PostgresBackend: d, runID: rand.Text(), usesLock: !o.NoLock, uncancelledCtx: context.WithoutCancel(ctx),
		lockStatus:    lockStatus{now: o.Now},
		turnSemaphore: make(chan struct{}, 1)}
	var err error
	if k.conn, err = k.connectForRun(ctx); err != nil {
		return nil, d.explain(err)
	}
	s, err := k.lockAndReadState(ctx, self, o)
	if err != nil {
		closeConn(k.conn)
		return nil, err
	}
	s.now = o.Now
	return s, nil
}

// A databaseLockInfo is what a run writes into the state when it has the lock.
type databaseLockInfo struct {
	LockedError
	SessionName string `json:"session"` // the run, as its session in the database is called
}

// lockHolderSQL is the session that holds the lock, as a table of one row at most.
const lockHolderSQL = "(SELECT application_name, usename, pid FROM (SELECT pid FROM @locks) held LEFT JOIN pg_stat_activity " +
	"USING (pid) LIMIT 1) session"

// lockHolder says who holds the lock; nil: nobody.
func (d PostgresBackend) lockHolder(ctx context.Context, c *databaseSession) (*LockedError, error) {
	row, err := d.query(ctx, c, 4, "SELECT (SELECT lock FROM @schema.states WHERE name = $1), application_name, usename, pid FROM "+
		lockHolderSQL, d.StateName)
	if err != nil || row == nil {
		return nil, d.explain(err)
	}
	return d.describeHolder(row), nil
}

// describeHolder says who holds the lock, by what the state says and the session's name, user and process. Who wrote into the
// state last is that one only if the session is called so.
func (d PostgresBackend) describeHolder(row [][]byte) *LockedError {
	var lock databaseLockInfo
	if json.Unmarshal(row[0], &lock) != nil || lock.SessionName == "" || lock.SessionName != string(row[1]) {
		lock.LockedError = LockedError{Who: fmt.Sprintf("session %s of the database user %s", row[3], row[2])}
	}
	lock.Path = d.String()
	return &lock.LockedError
}

// LockHolder implements [Backend].
func (d PostgresBackend) LockHolder(ctx context.Context) (*LockedError, error) {
	c, err := d.connectToCheckedTables(ctx)
	if err != nil {
		return nil, d.explain(err)
	}
	defer closeConn(c)
	return d.lockHolder(ctx, c)
}

// BreakLock implements [Backend]. The state gets another serial, so the run that had the lock
// can store nothing more even where its session may not be ended.
func (d PostgresBackend) BreakLock(ctx context.Context) (formerHolder *LockedError, err error) {
	c, err := d.connectToCheckedTables(ctx)
	if err != nil {
		return nil, d.explain(err)
	}
	defer closeConn(c)
	held, err := d.lockHolder(ctx, c)
	if held == nil || err != nil {
		return nil, err
	}
	row, err := d.query(ctx, c, 1, "SELECT array_agg(pid) FROM @locks") // those that hold it now, and not who comes next
	if err == nil && row == nil {
		err = d.unexpectedAnswerError()
	}
	if err != nil {
		return nil, d.explain(err)
	}
	sessions := cmp.Or(string(row[0]), "{}")
	if _, err := d.query(ctx, c, 0, "UPDATE @schema.states SET serial = serial + 1, holder = '' WHERE name = $1", d.StateName); err != nil {
		return nil, d.explain(err)
	}
	end := "pg_terminate_backend(pid)"
	for range 50 {
		row, err := d.query(ctx, c, 1, "SELECT count("+end+") FROM @locks AND pid = ANY ($1::int[])", sessions)
		switch refused, _ := errors.AsType[*pgconn.PgError](err); {
		case refused != nil && refused.Code == "42501": // the session of another user, which may still notice and end
			end = "*"
		case err != nil:
			return nil, d.explain(err)
		case row != nil && string(row[0]) == "0":
			return held, nil
		}
		if err := pause.For(ctx, lockRetryPause/4); err != nil {
			return nil, err
		}
	}
	return nil, lockNotBrokenError(held, "Its run can store nothing more and stops before its next request to B2, but the lock ends only "+
		"with its session. End that run; or let a user with the right pg_signal_backend, or a superuser, run this command.")
}

func (d PostgresBackend) poolerError() *Error {
	return d.error("The connection is shared with another run", "A pooler in transaction mode is between this run and "+
		visible.EscapeLine(d.String())+": it gives one session of the database to several clients in turn, and the lock of the state "+
		"belongs to a session. Connect to the server itself, or to a pooler in session mode (pool_mode = session).")
}

func databaseLockedError(held *LockedError) *Error {
	return stateLockedError(held, anotherRun, "or let b2form wait with -lock-timeout=5m. The lock ends with the connection of its run; "+
		"`b2form lock` shows it, and `b2form lock -break` ends that connection.")
}
