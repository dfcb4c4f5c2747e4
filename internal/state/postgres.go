package state

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"b2form/internal/pause"
	"b2form/internal/scrub"
	"b2form/internal/visible"
)

// Database is the Backend that keeps states in a PostgreSQL database, in two tables of a schema
// of their own: states, and journal. The lock is an advisory lock of the session, so the
// server gives it back when the connection ends. docs/adr/0026 has the reasons.
//
// Errors are *Error, or those of contexts.
type Database struct {
	Schema, Name string // Name tells the states of a schema apart
	// Patience is how long a run tries to get a connection back that it lost.
	Patience time.Duration
	config   *pgconn.Config
}

// A DialFunc makes the connection to a database; nil: as usual.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

const (
	maxRow       = 256 << 20 // bytes of one message of the server
	sqlPatience  = time.Minute
	retrySession = 200 * time.Millisecond // how often, about, a held lock is tried again
)

// NewDatabase is the state of that name in a schema of the database that the connection string
// names. What the string leaves out comes from the variables of libpq: PGHOST, PGPASSFILE,
// PGSERVICE and so on. dial may be nil.
func NewDatabase(connString, schema, name string, dial DialFunc) (Database, error) {
	c, err := pgconn.ParseConfig(connString)
	if err != nil {
		return Database{}, &Error{
			Summary: "Invalid connection to PostgreSQL",
			Detail: "What conn_str, PG_CONN_STR and the variables PGHOST, PGSERVICE, PGSSLMODE and so on say cannot be used together: a " +
				"form, a file or a number in it is wrong. Write conn_str as postgres://HOST:PORT/DATABASE, and look at the others.",
		}
	}
	if dial != nil {
		c.DialFunc = dial
	}
	c.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		f := pgproto3.NewFrontend(r, w)
		f.SetMaxBodyLen(maxRow)
		return f
	}
	c.OnNotice = nil
	return Database{Schema: schema, Name: name, Patience: 15 * time.Second, config: c}, nil
}

// String is what messages call the state; state migrate reads it.
func (d Database) String() string {
	q := url.Values{"schema": {d.Schema}, "name": {d.Name}}
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
func (d Database) lockKey() int64 {
	sum := sha256.Sum256([]byte("b2form state " + d.Schema + "/" + d.Name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// sql fills in what parameters cannot be: the schema, locks (rows of pg_locks about the lock of this
// state), held (this very session has it) and its key.
func (d Database) sql(text string) string {
	key := d.lockKey()
	locks := fmt.Sprintf("pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = %d AND objid::bigint "+
		"= %d AND database = (SELECT oid FROM pg_database WHERE datname = current_database())", uint32(uint64(key)>>32),
		uint32(uint64(key)))
	return strings.NewReplacer(
		"@schema", `"`+strings.ReplaceAll(d.Schema, `"`, `""`)+`"`,
		"@locks", locks,
		"@held", "EXISTS (SELECT FROM "+locks+" AND pid = pg_backend_pid())",
		"@key", fmt.Sprintf("(%d)::bigint", key),
	).Replace(text)
}

func (d Database) connect(ctx context.Context) (*pgconn.PgConn, error) {
	limited, cancel := context.WithTimeout(ctx, sqlPatience)
	defer cancel()
	c, err := pgconn.ConnectConfig(limited, d.config)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return c, err
}

// query sends one statement and reads its rows. It takes one round trip, and leaves nothing
// behind in the session that a pooler would have to keep.
func query(ctx context.Context, c *pgconn.PgConn, sql string, params ...any) ([][][]byte, error) {
	values := make([][]byte, len(params))
	for i, p := range params {
		if p != nil {
			values[i] = fmt.Append([]byte{}, p) // nil would be NULL
		}
	}
	limited, cancel := context.WithTimeout(ctx, sqlPatience)
	defer cancel()
	r := c.ExecParams(limited, sql, values, nil, nil, nil).Read()
	if r.Err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return r.Rows, r.Err
}

// once is one statement on a connection of its own.
func (d Database) once(ctx context.Context, sql string, params ...any) ([][][]byte, error) {
	c, err := d.connect(ctx)
	if err != nil {
		return nil, d.explain(err)
	}
	defer closeConn(c)
	rows, err := query(ctx, c, d.sql(sql), params...)
	return rows, d.explain(err)
}

// closeConn ends a session. The server frees its lock.
func closeConn(c *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = c.Close(ctx)
}

// CreateTables makes the schema and its tables, where they are missing, and the state in them.
func (d Database) CreateTables(ctx context.Context) error {
	c, err := d.connect(ctx)
	if err != nil {
		return d.explain(err)
	}
	defer closeConn(c)
	if rows, err := query(ctx, c, "SELECT to_regclass($1) IS NOT NULL", d.sql("@schema.journal")); err != nil {
		return d.explain(err)
	} else if string(rows[0][0]) != "t" {
		_, err = c.Exec(ctx, d.sql(`CREATE SCHEMA IF NOT EXISTS @schema;
CREATE TABLE IF NOT EXISTS @schema.states (
	name text PRIMARY KEY, serial bigint NOT NULL, holder text NOT NULL, lock text NOT NULL, content text NOT NULL);
ALTER TABLE @schema.states ALTER content SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS @schema.journal (
	state text REFERENCES @schema.states ON DELETE CASCADE, serial bigint, lines text NOT NULL, PRIMARY KEY (state, serial))`)).ReadAll()
		if err != nil {
			return d.explain(err)
		}
	}
	_, err = query(ctx, c, d.sql("INSERT INTO @schema.states VALUES ($1, 0, '', '', '') ON CONFLICT DO NOTHING"), d.Name)
	return d.explain(err)
}

// Read implements [Backend]. It is one statement.
func (d Database) Read(ctx context.Context) (*State, error) {
	rows, err := d.once(ctx, "SELECT content, (SELECT string_agg(lines, '' ORDER BY serial) FROM @schema.journal WHERE state = name) "+
		"FROM @schema.states WHERE name = $1", d.Name)
	if err != nil || len(rows) == 0 {
		return &State{}, err
	}
	base, c, err := d.replay(rows[0][0], rows[0][1])
	if err != nil {
		return nil, err
	}
	return c.applyTo(base), nil
}

func (d Database) replay(content, journal []byte) (base *State, c changes, err error) {
	base = &State{}
	where := visible.EscapeLine(d.String())
	if len(content) > 0 {
		if base, err = Parse(where, content); err != nil {
			return nil, changes{}, err
		}
	}
	j, err := replay(where, journal, base)
	return base, j.changes, err
}

// Open implements [Backend]. A run that was killed leaves no lock: the server ends it with the
// connection.
func (d Database) Open(ctx context.Context, o Options) (*Store, error) {
	self := LockedError{Operation: o.Operation, Who: o.LockOwner, Created: o.Now().UTC()}
	k := &databaseStorage{Database: d, token: rand.Text(), locks: !o.NoLock, ctx: context.WithoutCancel(ctx), fence: fence{now: o.Now},
		turn: make(chan struct{}, 1)}
	var err error
	if k.conn, err = d.connect(ctx); err != nil {
		return nil, d.explain(err)
	}
	s, err := k.begin(ctx, self, o)
	if err != nil {
		closeConn(k.conn)
		return nil, err
	}
	s.now = o.Now
	return s, nil
}

// takeLock takes the lock for the session, or says what its holder wrote.
func (d Database) takeLock(ctx context.Context, c *pgconn.PgConn) (held *LockedError, err error) {
	rows, err := query(ctx, c, d.sql("SELECT CASE WHEN @held THEN 'twice' WHEN pg_try_advisory_lock(@key) THEN 'taken' ELSE 'held' END, "+
		"(SELECT lock FROM @schema.states WHERE name = $1), set_config('tcp_keepalives_idle', '30', false), "+
		"set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false)"), d.Name)
	if err != nil {
		return nil, err
	}
	switch string(rows[0][0]) {
	case "taken":
		return nil, nil
	case "twice":
		return nil, d.poolerError()
	}
	return d.holder(rows[0][1]), nil
}

// holder is who wrote that into the state when taking its lock; what cannot be read is left
// empty.
func (d Database) holder(lock []byte) *LockedError {
	held := &LockedError{}
	if json.Unmarshal(lock, held) != nil {
		held = &LockedError{}
	}
	held.Path = d.String()
	return held
}

// LockHolder implements [Backend].
func (d Database) LockHolder(ctx context.Context) (*LockedError, error) {
	rows, err := d.once(ctx, "SELECT (SELECT lock FROM @schema.states WHERE name = $1) FROM @locks", d.Name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return d.holder(rows[0][0]), nil
}

// BreakLock implements [Backend]. The state gets another serial, so the run that had the lock
// can store nothing more even where its session may not be ended.
func (d Database) BreakLock(ctx context.Context) (*LockedError, error) {
	held, err := d.LockHolder(ctx)
	if held == nil || err != nil {
		return nil, err
	}
	c, err := d.connect(ctx)
	if err != nil {
		return nil, d.explain(err)
	}
	defer closeConn(c)
	rows, err := query(ctx, c, d.sql("SELECT array_agg(pid) FROM @locks")) // those that hold it now, and not who comes next
	if err != nil {
		return nil, d.explain(err)
	}
	sessions := cmp.Or(string(rows[0][0]), "{}")
	if _, err := query(ctx, c, d.sql("UPDATE @schema.states SET serial = serial + 1, holder = '' WHERE name = $1"), d.Name); err != nil {
		return nil, d.explain(err)
	}
	for range 50 {
		rows, err := query(ctx, c, d.sql("SELECT pg_terminate_backend(pid) FROM @locks AND pid = ANY ($1::int[])"), sessions)
		switch refused, _ := errors.AsType[*pgconn.PgError](err); {
		case refused != nil && refused.Code == "42501": // the session of another user, which will notice
			return held, nil
		case err != nil:
			return nil, d.explain(err)
		case len(rows) == 0:
			return held, nil
		}
		if err := pause.For(ctx, retrySession/4); err != nil {
			return nil, err
		}
	}
	return held, nil
}

func (d Database) error(summary, detail string) *Error {
	return &Error{Summary: summary, Detail: detail, Path: d.String()}
}

func (d Database) poolerError() *Error {
	return d.error("The connection is shared with another run", "A pooler in transaction mode is between this run and "+
		visible.EscapeLine(d.String())+": it gives one session of the database to several clients in turn, and the lock of the state "+
		"belongs to a session. Connect to the server itself, or to a pooler in session mode (pool_mode = session).")
}

// explain turns what the database or the network said into an *Error. nil stays nil.
func (d Database) explain(err error) error {
	if _, known := errors.AsType[*Error](err); err == nil || known || errors.Is(err, context.Canceled) {
		return err
	}
	where, said := visible.EscapeLine(d.String()), d.scrubbed(err.Error())
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return d.error("The database of the state cannot be reached",
			fmt.Sprintf("%s does not answer: %s. Look whether host, port, database "+
				"and user are right and the server runs, then run the same command again.", where, said))
	}
	said = fmt.Sprintf("%s answered: %s (%s).", where, d.scrubbed(refused.Message), visible.EscapeTruncated(refused.Code, 5))
	switch code := refused.Code; {
	case code == "42P01" || code == "3F000":
		return d.error("The tables of the state do not exist", fmt.Sprintf("There is no schema %s with the tables states and journal in "+
			"%s. Make them with `b2form state init`, or correct the backend block.", visible.EscapeLine(d.Schema), where))
	case code == "42501":
		return d.error("The database refuses", said+" The user of the connection lacks a right; docs/state.md lists what is needed.")
	case strings.HasPrefix(code, "28"):
		return d.error("The database refuses the login", said+" Set user and password where libpq looks for them: PGUSER, PGPASSWORD, "+
			"PGPASSFILE or a service file.")
	case strings.HasPrefix(code, "53"):
		return d.error("No space left for the state", said+" What was recorded before is safe. Free some space, then run the same command "+
			"again.")
	case code == "25006":
		return d.error("The database is read-only", said+" It is a standby, or was made one. Connect to the primary: with several hosts "+
			"set PGTARGETSESSIONATTRS=read-write.")
	}
	return d.error("The database refuses", said+" Correct this, then run the same command again.")
}

// scrubbed is what somebody else said, without the password and in one line.
func (d Database) scrubbed(text string) string {
	text = scrub.RemoveWholeSecret(text, d.config.Password)
	return visible.EscapeTruncated(strings.TrimRight(text, ". \n"), maxQuoted)
}

func databaseLockedError(held *LockedError) *Error {
	return stateLockedError(held, anotherRun, "or let b2form wait with -lock-timeout=5m. The lock ends with the connection of its run; "+
		"`b2form lock` shows it, and `b2form lock -break` ends that connection.")
}
