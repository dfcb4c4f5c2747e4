package state

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"b2form/internal/pause"
	"b2form/internal/visible"
)

// databaseStorage is the storage of a state in a database.
type databaseStorage struct {
	PostgresBackend
	runID          string // of the run; the state names it as long as nobody else has opened it
	usesLock       bool
	uncancelledCtx context.Context // outlives the run's
	writeCounter
	lockStatus

	turnSemaphore  chan struct{} // held over statements, so it is no mutex
	conn           *databaseSession
	serial         int64 // as this run last read or stored it
	hasJournalRows bool  // there may be some of the journal
}

// lockAndReadState takes the lock, waiting for as long as o says, and reads the state. With the lock it
// writes the run's token, so a run that lost its lock finds out.
func (k *databaseStorage) lockAndReadState(ctx context.Context, self LockedError, o Options) (*Store, error) {
	if k.usesLock {
		if err := k.acquireLock(ctx, o); err != nil {
			return nil, err
		}
	}
	const whole = "serial, content, (SELECT string_agg(lines, '' ORDER BY serial) FROM @schema.journal WHERE state = name)"
	sql, params, columns := "SELECT "+whole+", lock, application_name, usename, pid FROM @schema.states LEFT JOIN "+lockHolderSQL+
		" ON true WHERE name = $1", []any{k.StateName}, 7
	if k.usesLock {
		columns = 3
		sql = "INSERT INTO @schema.states AS s (name, serial, holder, lock, content) SELECT $1, 1, $2, $3, '' WHERE @held " +
			"ON CONFLICT (name) DO UPDATE SET serial = s.serial + 1, holder = excluded.holder, lock = excluded.lock RETURNING " + whole
		params = append(params, k.runID, string(compactJSON(databaseLockInfo{self, k.runID})))
	}
	began := k.now()
	row, err := k.queryLarge(ctx, k.conn, maxStateAnswer, columns, sql, params...)
	switch {
	case err != nil:
		return nil, k.explain(err)
	case row == nil && k.usesLock:
		return nil, k.poolerError() // another session of the pool than the one that took the lock
	case row == nil:
		return nil, k.explain(&pgconn.PgError{Code: "42P01"}) // who takes no lock makes no row either
	}
	if k.serial, err = strconv.ParseInt(string(row[0]), 10, 64); err != nil {
		return nil, k.unexpectedAnswerError()
	}
	base, c, err := parseStateAndJournal(k.String(), row[1], row[2])
	if err != nil {
		return nil, err
	}
	if columns == 7 && row[6] != nil {
		base.HeldBy = k.describeHolder(row[3:])
	}
	k.hasJournalRows = len(row[2]) > 0
	k.setConfirmedAt(began)
	return newStore(k.String(), k, base, c), nil
}

// connectForRun is connect; without a lock it has looked at the tables too, as [databaseStorage.tryTakeLock] does with one.
func (k *databaseStorage) connectForRun(ctx context.Context) (*databaseSession, error) {
	if k.usesLock {
		return k.connect(ctx)
	}
	return k.connectToCheckedTables(ctx)
}

// tryTakeLock takes the lock for the session and calls the session as the run, or says who has it. It
// looks at the catalog before anything is done with the tables.
func (k *databaseStorage) tryTakeLock(ctx context.Context, c *databaseSession) (held *LockedError, err error) {
	row, err := k.query(ctx, c, 5, "SELECT flaw, CASE WHEN flaw <> '' THEN '' WHEN @held THEN 'twice' WHEN pg_try_advisory_lock(@key) "+
		"THEN set_config('application_name', $1, false) ELSE 'held' END, set_config('tcp_keepalives_idle', '30', false), "+
		"set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false) FROM (SELECT @flaw AS flaw) f",
		k.runID)
	if err == nil {
		err = k.checkTableFlawColumn(row)
	}
	if err != nil {
		return nil, err
	}
	switch string(row[1]) {
	case k.runID:
		return nil, nil
	case "twice":
		return nil, k.poolerError()
	case "held":
		held, err = k.lockHolder(ctx, c)
		if held == nil && err == nil { // it has just ended
			held = &LockedError{Path: k.String()}
		}
		return held, err
	}
	return nil, k.unexpectedAnswerError()
}

func (k *databaseStorage) acquireLock(ctx context.Context, o Options) error {
	return o.waitForLock(ctx, func() (*LockedError, error) {
		held, err := k.tryTakeLock(ctx, k.conn)
		return held, k.explain(err)
	}, func(*LockedError) time.Duration { return jitter(lockRetryPause) }, databaseLockedError)
}

// ownRowCondition is the condition on the row that is still as this run knows it. $1 is the name, $2 the
// serial, $3 the token.
func (k *databaseStorage) ownRowCondition() string {
	if k.usesLock {
		return "name = $1 AND serial = $2 AND holder = $3 AND @held"
	}
	return "name = $1 AND serial = $2 AND $3::text IS NOT NULL"
}

// execOnOwnRow carries a statement out that gives a row where the state is still this run's. One that
// stores makes the serial larger by one. After a lost connection it finds out what came of
// that, and sends it again where it had no effect.
func (k *databaseStorage) execOnOwnRow(stores bool, sql string, more ...any) error {
	k.turnSemaphore <- struct{}{}
	defer func() { <-k.turnSemaphore }()
	if err := k.lostErrIfAny(); err != nil {
		return err
	}
	sql = strings.ReplaceAll(sql, "{mine}", k.ownRowCondition())
	for try := 0; ; try++ {
		began := k.now()
		var row [][]byte
		var err error
		if k.conn != nil {
			row, err = k.query(k.uncancelledCtx, k.conn, 1, sql, append([]any{k.StateName, k.serial, k.runID}, more...)...)
		}
		switch {
		case k.conn != nil && err == nil && row == nil:
			return k.markLost(k.diagnoseNotOwnRow())
		case k.conn != nil && err == nil:
			if k.setConfirmedAt(began); stores {
				k.serial++
				k.writeCounter.syncs.Add(1)
			}
			return nil
		case k.conn != nil && !isLostConnection(err):
			return k.explain(err)
		}
		done, err := k.reconnect(stores)
		if err != nil || done {
			return err
		}
		if try == 2 {
			return k.error("The database of the state cannot be reached",
				"The connection to "+k.String()+" is lost again and again. Look at "+
					"the server and what is between, then run the same command again.")
		}
	}
}

// diagnoseNotOwnRow says why a statement found that the state is not this run's.
func (k *databaseStorage) diagnoseNotOwnRow() error {
	row, err := k.query(k.uncancelledCtx, k.conn, 1, "SELECT 1 FROM @schema.states WHERE name = $1 AND serial = $2 AND holder = $3",
		k.StateName, k.serial, k.runID)
	if err == nil && row != nil { // nobody came between, but the lock is not this session's
		return k.poolerError()
	}
	return stateTakenOverError(visible.EscapeLine(k.String()))
}

// isLostConnection reports whether nobody knows what came of a statement.
func isLostConnection(err error) bool {
	if _, known := errors.AsType[*Error](err); known {
		return false
	}
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return !ok || strings.HasPrefix(refused.Code, "57P") || strings.HasPrefix(refused.Code, "08")
}

// reconnect gets a new session in place of one that was lost, and the lock with it, and looks
// whether the state is still this run's. stored says that the statement which was under way
// took effect.
func (k *databaseStorage) reconnect(storing bool) (stored bool, err error) {
	if k.conn != nil {
		closeConn(k.conn)
		k.conn = nil
	}
	limited, cancel := context.WithTimeout(k.uncancelledCtx, k.ReconnectTimeout)
	defer cancel()
	for {
		conn, err := k.connectForRun(limited)
		var held *LockedError
		if err == nil && k.usesLock {
			held, err = k.tryTakeLock(limited, conn)
		}
		if err == nil && held == nil {
			k.conn = conn
			return k.checkWhetherStored(storing)
		}
		if held != nil { // by the session that was lost, which the server has not noticed, or by another run
			row, askErr := k.query(limited, conn, 1, "SELECT 1 FROM @schema.states WHERE name = $1 AND holder = $2", k.StateName, k.runID)
			if askErr == nil && row == nil {
				closeConn(conn)
				return false, k.markTakenOver(k.String())
			}
		}
		if conn != nil {
			closeConn(conn)
		}
		if pause.For(limited, lockRetryPause) == nil {
			continue
		}
		if held != nil {
			return false, k.markTakenOver(k.String())
		}
		return false, k.explain(err)
	}
}

// checkWhetherStored looks at the serial: it is that of before or, where the statement stored something, the
// next. All else is another run's, or that of a server that knows less.
func (k *databaseStorage) checkWhetherStored(storing bool) (stored bool, err error) {
	began := k.now()
	row, err := k.query(k.uncancelledCtx, k.conn, 2, "SELECT serial, holder FROM @schema.states WHERE name = $1", k.StateName)
	if err != nil {
		return false, k.explain(err)
	}
	if row != nil && (!k.usesLock || string(row[1]) == k.runID) {
		serial, _ := strconv.ParseInt(string(row[0]), 10, 64)
		switch {
		case storing && serial == k.serial+1:
			k.serial++
			k.writeCounter.syncs.Add(1)
			k.setConfirmedAt(began)
			return true, nil
		case serial == k.serial:
			k.setConfirmedAt(began)
			return false, nil
		}
	}
	return false, k.markTakenOver(k.String())
}

func (k *databaseStorage) append(lines []byte) error {
	k.writeCounter.bytes.Add(int64(len(lines)))
	k.hasJournalRows = true
	return k.execOnOwnRow(true, "WITH s AS (UPDATE @schema.states SET serial = serial + 1 WHERE {mine} RETURNING serial) "+
		"INSERT INTO @schema.journal SELECT $1, serial, $4 FROM s RETURNING 1", string(lines))
}

func (k *databaseStorage) close(s *State) error {
	defer k.endSession()
	if err := k.lostErrIfAny(); err != nil {
		return err
	}
	var content any
	if s != nil {
		var b bytes.Buffer
		if !s.IsEmpty() {
			if err := s.Encode(&b); err != nil {
				return err
			}
		}
		content = b.String()
		k.writeCounter.bytes.Add(int64(b.Len()))
	}
	if s == nil && !k.hasJournalRows {
		return nil
	}
	return k.execOnOwnRow(true, "WITH s AS (UPDATE @schema.states SET serial = serial + 1, content = coalesce($4, content) WHERE {mine} "+
		"RETURNING name), j AS (DELETE FROM @schema.journal WHERE state IN (SELECT name FROM s)) SELECT name FROM s", content)
}

// endSession gives the lock back with the session.
func (k *databaseStorage) endSession() {
	k.stopChecks()
	k.turnSemaphore <- struct{}{}
	defer func() { <-k.turnSemaphore }()
	if k.conn != nil {
		if k.usesLock {
			_, _ = k.query(k.uncancelledCtx, k.conn, 1, "SELECT pg_advisory_unlock(@key)") // the session may be a pooler's, and live on
		}
		closeConn(k.conn)
		k.conn = nil
	}
}

// checkStateStillOurs asks the database where the last answer is too old to rely on.
func (k *databaseStorage) checkStateStillOurs() error {
	return k.checkIfStale(func() error { return k.execOnOwnRow(false, "SELECT 1 FROM @schema.states WHERE {mine}") })
}
