package state_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"b2form/internal/state"
	"b2form/internal/testrun"
)

// A fakeDatabase speaks PostgreSQL's protocol and answers statements as a test says.
type fakeDatabase struct {
	greet  func(*pgproto3.Backend) error // before the session is ready; nil: as usual
	answer func(b *pgproto3.Backend, sql string) error
}

func (f fakeDatabase) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		defer func() { _ = there.Close() }()
		b := pgproto3.NewBackend(there, there)
		first, err := b.ReceiveStartupMessage()
		if _, starts := first.(*pgproto3.StartupMessage); err != nil || !starts {
			return
		}
		if f.greet != nil && f.greet(b) != nil {
			return
		}
		b.Send(&pgproto3.AuthenticationOk{})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		for sql := ""; b.Flush() == nil; {
			m, err := b.Receive()
			if err != nil {
				return
			}
			switch m := m.(type) {
			case *pgproto3.Parse:
				sql = strings.Clone(m.Query)
			case *pgproto3.Query:
				sql = strings.Clone(m.String)
			}
			switch m.(type) {
			case *pgproto3.Query, *pgproto3.Sync:
				if f.answer(b, sql) != nil {
					return
				}
				b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			}
		}
	}()
	return here, nil
}

// rows answers with n rows of so many columns, all with one value.
func rows(n, columns int, value string) func(*pgproto3.Backend, string) error {
	return func(b *pgproto3.Backend, _ string) error {
		b.Send(&pgproto3.RowDescription{Fields: make([]pgproto3.FieldDescription, columns)})
		r := pgproto3.DataRow{Values: make([][]byte, columns)}
		for i := range r.Values {
			r.Values[i] = []byte(value)
		}
		for i := 0; i < n; i++ {
			b.Send(&r)
			if i%10 == 0 {
				if err := b.Flush(); err != nil {
					return err
				}
			}
		}
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		return nil
	}
}

const tooMany = 1 << 30

func hostile(t *testing.T, f fakeDatabase) state.PostgresBackend {
	t.Helper()
	d, err := state.NewPostgresBackend("postgres://ann@127.0.0.1/states?sslmode=disable", "b2form", "web", f.dial)
	must(t, err)
	d.ReconnectTimeout = 0
	return d
}

// Whatever answers in place of the tables is told in words, within bounds.
func TestHostileDatabase(t *testing.T) {
	for name, f := range map[string]fakeDatabase{
		"no row":         {answer: rows(0, 1, "")},
		"no columns":     {answer: rows(1, 0, "")},
		"one column":     {answer: rows(1, 1, "taken")},
		"other values":   {answer: rows(1, 3, "x")},
		"five columns":   {answer: rows(1, 5, "")},
		"endless rows":   {answer: rows(tooMany, 3, strings.Repeat("x", 10_000))},
		"endless nought": {answer: rows(tooMany, 0, "")},
		"endless notices": {answer: func(b *pgproto3.Backend, _ string) error {
			return repeat(b, &pgproto3.NoticeResponse{Message: strings.Repeat("x", 1_000_000)})
		}},
		"endless settings": {greet: func(b *pgproto3.Backend) error {
			return repeat(b, &pgproto3.ParameterStatus{Name: "a", Value: strings.Repeat("x", 10_000)})
		}},
		"endless greeting": {greet: func(b *pgproto3.Backend) error {
			return repeat(b, &pgproto3.NoticeResponse{Message: strings.Repeat("hello", 1000)})
		}},
		"silent error": {answer: func(b *pgproto3.Backend, _ string) error {
			b.Send(&pgproto3.ErrorResponse{})
			return nil
		}},
		"hangs up": {answer: func(*pgproto3.Backend, string) error { return net.ErrClosed }},
	} {
		t.Run(name, func(t *testing.T) {
			d := hostile(t, f)
			for what, do := range map[string]func() error{
				"Read":         func() error { _, err := d.Read(t.Context()); return err },
				"Open":         func() error { _, err := d.Open(t.Context(), state.Options{Now: time.Now}); return err },
				"Open freely":  func() error { _, err := d.Open(t.Context(), state.Options{Now: time.Now, NoLock: true}); return err },
				"BreakLock":    func() error { _, err := d.BreakLock(t.Context()); return err },
				"CreateTables": func() error { return d.CreateTables(t.Context()) },
			} {
				err := do()
				text := fmt.Sprint(err)
				if err == nil || !strings.Contains(text, "postgres://127.0.0.1:5432/states") || strings.Contains(text, "()") ||
					strings.Contains(text, "\n\t") || strings.Contains(text, "EOF") || strings.Contains(text, "receive message") {
					t.Errorf("%s = %v", what, err)
				}
			}
		})
	}
}

func repeat(b *pgproto3.Backend, m pgproto3.BackendMessage) error {
	for {
		b.Send(m)
		if err := b.Flush(); err != nil {
			return err
		}
	}
}

// as is the database for another user.
func as(t *testing.T, user, schema string) state.PostgresBackend {
	t.Helper()
	if !testrun.UsesPostgres() {
		t.Skip("PostgreSQL is not installed")
	}
	server, err := testrun.SharedPostgres()
	must(t, err)
	d, err := state.NewPostgresBackend("host="+server.SocketDir+" user="+user+" dbname=postgres", schema, "web", nil)
	must(t, err)
	return d
}

// Several may make the tables at once: one of them does, and the others find them.
func TestDatabaseCreatedByMany(t *testing.T) {
	t.Parallel()
	admin := as(t, "postgres", "by_many")
	for range testrun.CaseCount(2, 5) {
		sql(t, "DROP SCHEMA IF EXISTS by_many CASCADE")
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := admin.CreateTables(t.Context()); err != nil {
					t.Errorf("CreateTables = %v", err)
				}
			})
		}
		all.Wait()
	}
}

// What another user has prepared is left alone: it could run anything with the rights of who uses it.
func TestDatabaseOfOthers(t *testing.T) {
	t.Parallel()
	admin := as(t, "postgres", "prepared")
	const tables = `CREATE TABLE prepared.states (name text PRIMARY KEY, serial bigint NOT NULL, holder text NOT NULL, lock text NOT NULL,
		content text NOT NULL); CREATE TABLE prepared.journal (state text REFERENCES prepared.states ON DELETE CASCADE, serial bigint,
		lines text NOT NULL, PRIMARY KEY (state, serial));`
	fine := summaryOf(nil)
	const others, missing = "The tables of the state are not those of b2form", "The tables of the state do not exist"
	for name, test := range map[string]struct{ prepared, init, open string }{
		"as init makes them": {"CREATE SCHEMA prepared;" + tables, fine, fine},
		"another's schema":   {"CREATE SCHEMA prepared AUTHORIZATION mallory;", "The schema belongs to another user", missing},
		"another's table":    {"CREATE SCHEMA prepared;" + tables + "ALTER TABLE prepared.states OWNER TO mallory;", others, others},
		"a trigger": {"CREATE SCHEMA prepared;" + tables + `CREATE FUNCTION prepared.f() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE 'it ran'; END $$; CREATE TRIGGER t BEFORE INSERT OR UPDATE ON prepared.states EXECUTE FUNCTION prepared.f();`,
			others, others},
		"a rule": {"CREATE SCHEMA prepared;" + tables + "CREATE RULE r AS ON INSERT TO prepared.states DO INSTEAD NOTHING;", others,
			others},
		"a view": {"CREATE SCHEMA prepared;" + tables + `ALTER TABLE prepared.states RENAME TO real;
			CREATE FUNCTION prepared.f(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'it ran'; END $$;
			CREATE VIEW prepared.states AS SELECT name, serial, prepared.f('x') holder, prepared.f('x') lock, prepared.f('x') content
			FROM prepared.real;`, others, others},
		"an operator": {"CREATE SCHEMA prepared;" + tables + `CREATE OR REPLACE FUNCTION public.f(name, text) RETURNS text LANGUAGE ` +
			`plpgsql AS
			$$ BEGIN RAISE 'it ran'; END $$; DROP OPERATOR IF EXISTS public.|| (name, text);
			CREATE OPERATOR public.|| (LEFTARG = name, RIGHTARG = text, FUNCTION = public.f);
			ALTER TABLE prepared.journal ADD more text;`, others, others},
		"a check":      {"CREATE SCHEMA prepared;" + tables + "ALTER TABLE prepared.states ADD CHECK (serial >= 0);", others, others},
		"row security": {"CREATE SCHEMA prepared;" + tables + "ALTER TABLE prepared.states ENABLE ROW LEVEL SECURITY;", others, others},
		"a default":    {"CREATE SCHEMA prepared;" + tables + "ALTER TABLE prepared.states ALTER lock SET DEFAULT 'x';", others, others},
		"a type":       {"CREATE SCHEMA prepared;" + tables + "ALTER TABLE prepared.states ALTER serial TYPE int;", others, others},
		"a column":     {"CREATE SCHEMA prepared;" + tables + "ALTER TABLE prepared.journal ADD more text;", others, others},
		"no key": {"CREATE SCHEMA prepared;" + tables + "ALTER TABLE prepared.journal DROP CONSTRAINT journal_pkey;", others,
			others},
		"one table": {"CREATE SCHEMA prepared;" + tables + "DROP TABLE prepared.journal;", fine, missing},
	} {
		t.Run(name, func(t *testing.T) {
			sql(t, "DROP SCHEMA IF EXISTS prepared CASCADE; DROP ROLE IF EXISTS mallory; CREATE ROLE mallory;"+test.prepared)
			_, readErr := admin.Read(t.Context())
			if summaryOf(readErr) != test.open {
				t.Errorf("Read = %v", readErr)
			}
			for _, noLock := range []bool{false, true} {
				s, err := admin.Open(t.Context(), state.Options{Now: time.Now, NoLock: noLock})
				if err == nil {
					must(t, s.Close())
				}
				if summaryOf(err) != test.open {
					t.Errorf("Open without a lock: %v = %v", noLock, err)
				}
			}
			if _, err := admin.LockHolder(t.Context()); summaryOf(err) != test.open {
				t.Errorf("LockHolder = %v", err)
			}
			if _, err := admin.BreakLock(t.Context()); summaryOf(err) != test.open {
				t.Errorf("BreakLock = %v", err)
			}
			if err := admin.CreateTables(t.Context()); summaryOf(err) != test.init {
				t.Errorf("CreateTables = %v", err)
			}
		})
	}
	sql(t, "DROP SCHEMA IF EXISTS prepared CASCADE; DROP ROLE mallory")
}

// A lock that cannot be taken away is said to be held, and who has it is the session that does.
func TestDatabaseLockStays(t *testing.T) {
	t.Parallel()
	admin, runner := as(t, "postgres", "shared"), as(t, "runner", "shared")
	sql(t, "DROP SCHEMA IF EXISTS shared CASCADE; DROP ROLE IF EXISTS runner; CREATE ROLE runner LOGIN")
	must(t, admin.CreateTables(t.Context()))
	s := opened(t, admin, state.Options{Operation: "apply", LockOwner: "ann@one"})
	key := sql(t, "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN shared.states "+
		"ON holder = application_name WHERE locktype = 'advisory'")
	sql(t, "GRANT USAGE ON SCHEMA shared TO runner; GRANT SELECT, INSERT, UPDATE ON shared.states TO runner;"+
		"GRANT SELECT, INSERT, DELETE ON shared.journal TO runner")
	held, err := runner.BreakLock(t.Context())
	if summaryOf(err) != "The lock is still held" || held != nil || !strings.Contains(err.Error(), "ann@one") ||
		!strings.Contains(err.Error(), "pg_signal_backend") {
		t.Errorf("BreakLock = %v, %v", held, err)
	}
	_ = s.Close()
	if held, err := runner.LockHolder(t.Context()); held != nil || err != nil {
		t.Errorf("LockHolder = %v, %v after the end", held, err)
	}
	c, err := pgconn.Connect(t.Context(), "host="+sql(t, "SHOW unix_socket_directories")+" user=postgres dbname=postgres")
	must(t, err)
	defer func() { _ = c.Close(context.Background()) }()
	_, err = c.Exec(t.Context(), "SELECT pg_advisory_lock("+key+")").ReadAll()
	must(t, err)
	held, err = runner.LockHolder(t.Context())
	if err != nil || held == nil || held.Who != fmt.Sprintf("session %d of the database user postgres", c.PID()) || !held.Created.IsZero() {
		t.Errorf("LockHolder = %+v, %v", held, err)
	}
}
