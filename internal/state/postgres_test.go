package state_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
)

// sql carries statements out behind the back of a run, and gives the first value.
func sql(t *testing.T, text string) string {
	t.Helper()
	server, err := testrun.SharedPostgres()
	must(t, err)
	c, err := pgconn.Connect(t.Context(), "host="+server.SocketDir+" user=postgres dbname=postgres")
	must(t, err)
	defer func() { must(t, c.Close(context.Background())) }()
	results, err := c.Exec(t.Context(), text).ReadAll()
	must(t, err)
	last := results[len(results)-1]
	if len(last.Rows) == 0 {
		return ""
	}
	return string(last.Rows[0][0])
}

// endSessions ends all sessions that hold an advisory lock.
const endSessions = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory';"

// A run whose session was ended goes on in another one, unless somebody came between, or the
// database knows less than the run has stored.
func TestDatabaseSessionEnds(t *testing.T) {
	d := database(t)
	s := opened(t, d, state.Options{})
	must(t, s.PutEntriesCloseIntents(entryNumber("app", 1)))
	sql(t, endSessions)
	must(t, s.PutEntriesCloseIntents(entryNumber("app", 2)))
	sql(t, endSessions)
	must(t, s.Close())
	if got := readShared(t, d); len(got.Entries) != 2 {
		t.Errorf("there is %+v", got)
	}
	s = opened(t, d, state.Options{})
	must(t, s.PutEntriesCloseIntents(entryNumber("app", 3)))
	sql(t, "UPDATE b2form.states SET serial = serial - 1 WHERE name = '"+d.StateName+"';"+endSessions) // a fail-over that lost it
	if err := s.PutEntriesCloseIntents(entryNumber("app", 4)); summaryOf(err) != "Another run has the state" {
		t.Errorf("PutEntries = %v on a server that knows less", err)
	}
	if err := s.Close(); err == nil {
		t.Error("Close said nothing of it")
	}
}

// A check is good for two seconds. After that a lost session shows before anything is sent.
func TestDatabaseChecks(t *testing.T) {
	d := database(t)
	passed := time.Duration(0)
	start := time.Now()
	now := func() time.Time { return start.Add(passed) }
	s := opened(t, d, state.Options{Now: now})
	_, err := d.BreakLock(t.Context())
	must(t, err)
	must(t, s.CheckLocked())
	passed = 3 * time.Second
	if err := s.CheckLocked(); summaryOf(err) != "Another run has the state" {
		t.Errorf("CheckLocked = %v", err)
	}
	_ = s.Close()
}

// Behind a pooler in transaction mode two runs at once may have one session, in which the lock can
// be taken twice, or a run gets a session that does not have its lock: no two runs go on, and
// the one that is refused is told what to do.
func TestDatabaseBehindPooler(t *testing.T) {
	if !testrun.UsesPooler() {
		t.Skip("PgBouncer is not installed; .ci/run installs what the tests need")
	}
	for _, sessions := range []int{1, 2} {
		t.Run(fmt.Sprint(sessions), func(t *testing.T) {
			d := database(t)
			server, err := testrun.SharedPostgres()
			must(t, err)
			pooler, stop, err := server.StartTransactionPooler(sessions)
			must(t, err)
			defer func() { must(t, stop()) }()
			pooled, err := state.NewPostgresBackend("host="+pooler.SocketDir+" port=6432 user=postgres dbname=postgres", d.Schema,
				d.StateName,
				nil)
			must(t, err)
			pooled.ReconnectTimeout = 0

			first, firstErr := pooled.Open(t.Context(), state.Options{Now: time.Now, LockOwner: "ann@one"})
			second, secondErr := pooled.Open(t.Context(), state.Options{Now: time.Now})
			var told []error
			for i, s := range []*state.Store{first, second} {
				if s == nil {
					continue
				}
				if err := s.PutEntriesCloseIntents(entryNumber("app", i)); err != nil {
					told = append(told, err)
				}
				_ = s.Close()
			}
			if firstErr == nil && secondErr == nil && len(told) == 0 {
				t.Fatal("two runs had the state at once")
			}
			for _, err := range append(told, firstErr, secondErr) {
				switch summaryOf(err) {
				case "The connection is shared with another run":
					if !strings.Contains(err.Error(), "Connect to the server itself, or to a pooler in session mode") {
						t.Errorf("%v", err)
					}
				case "State is locked": // of a session of its own
				default:
					if err != nil {
						t.Errorf("%v", err)
					}
				}
			}
			if got := readShared(t, d); len(got.Entries) > 1 {
				t.Errorf("there is %+v", got)
			}
			if sessions == 1 && summaryOf(secondErr) != "The connection is shared with another run" {
				t.Errorf("the second run was told %v", secondErr)
			}
		})
	}
}

// A run that a pooler gives another session than the one with its lock stops, and is told why.
func TestDatabaseSessionSwitched(t *testing.T) {
	d := database(t)
	s := opened(t, d, state.Options{})
	sql(t, "CREATE OR REPLACE FUNCTION b2form.unlock() RETURNS trigger LANGUAGE plpgsql AS "+
		"$$ BEGIN PERFORM pg_advisory_unlock_all(); RETURN NEW; END $$;"+
		"CREATE OR REPLACE TRIGGER unlock AFTER INSERT ON b2form.journal FOR EACH ROW WHEN (NEW.state = '"+d.StateName+
		"') EXECUTE FUNCTION b2form.unlock()")
	must(t, s.PutEntriesCloseIntents(entryNumber("app", 1)))
	sql(t, "DROP TRIGGER unlock ON b2form.journal; DROP FUNCTION b2form.unlock")
	if err := s.PutEntriesCloseIntents(entryNumber("app", 2)); summaryOf(err) != "The connection is shared with another run" {
		t.Errorf("PutEntries = %v without the lock", err)
	}
	_ = s.Close()
}

// What the database refuses is told in words, and the run may go on when it no longer does.
func TestDatabaseRefuses(t *testing.T) {
	d := database(t)
	s := opened(t, d, state.Options{})
	must(t, s.PutEntriesCloseIntents(entryNumber("app", 1)))
	fail := func(code string) {
		sql(t, "CREATE OR REPLACE FUNCTION b2form.fail() RETURNS trigger LANGUAGE plpgsql AS "+
			"$$ BEGIN RAISE 'x\x1by Pa55w0rd/for&it' USING ERRCODE = '"+code+"'; END $$;"+
			"CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON b2form.journal FOR EACH ROW WHEN (NEW.state = '"+d.StateName+
			"') EXECUTE FUNCTION b2form.fail()")
	}
	for code, want := range map[string]string{
		"53100": "No space left for the state", "25006": "The database is read-only", "42501": "The database refuses: ",
		"42P01": "The tables of the state do not exist", "XX000": "The database refuses: ",
	} {
		fail(code)
		err := s.PutEntriesCloseIntents(entryNumber("app", 2))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), engines.DatabasePassword) ||
			strings.Contains(err.Error(), "\x1b") {
			t.Errorf("PutEntries = %v, want %s", err, want)
		}
	}
	sql(t, "DROP TRIGGER fail ON b2form.journal; DROP FUNCTION b2form.fail")
	must(t, s.Close())
	if got := readShared(t, d); len(got.Entries) != 2 {
		t.Errorf("there is %+v", got)
	}
}
