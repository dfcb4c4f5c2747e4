package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"b2form/internal/reach"
	"b2form/internal/scrub"
	"b2form/internal/visible"
)

// How much is read of what a database sends, and how long one statement may take.
const (
	maxStateAnswer   = 256 << 20 // to a statement that reads a state
	maxAnswer        = 1 << 20   // until the session is ready, and to any other statement
	statementTimeout = time.Minute
)

// A databaseSession is a connection that reads no more than it is allowed to.
type databaseSession struct {
	*pgconn.PgConn
	replies *limitedReplies
}

// limitedReplies is what the server sends, cut off with errTooMuch.
type limitedReplies struct {
	from      io.Reader
	bytesLeft int
}

var errTooMuch = errors.New("the server sends more than its answer needs")

// Read implements io.Reader.
func (l *limitedReplies) Read(p []byte) (int, error) {
	if l.bytesLeft <= 0 {
		return 0, errTooMuch
	}
	n, err := l.from.Read(p[:min(len(p), l.bytesLeft)])
	l.bytesLeft -= n
	return n, err
}

// limitReplyBytes lets the server send so many bytes from now on.
func (c *databaseSession) limitReplyBytes(maxBytes int) {
	c.replies.bytesLeft = maxBytes
	c.Frontend().SetMaxBodyLen(maxBytes)
}

func (d PostgresBackend) connect(ctx context.Context) (*databaseSession, error) {
	limited, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	s := &databaseSession{}
	config := d.config.Copy()
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		s.replies = &limitedReplies{r, maxAnswer}
		f := pgproto3.NewFrontend(s.replies, w)
		f.SetMaxBodyLen(maxAnswer)
		return f
	}
	var err error
	if s.PgConn, err = pgconn.ConnectConfig(limited, config); err == nil {
		return s, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, d.explainTooLarge(err, maxAnswer)
}

// explainTooLarge is err, as an *Error where the server sent more than so many bytes.
func (d PostgresBackend) explainTooLarge(err error, maxBytes int) error {
	if _, tooLong := errors.AsType[*pgproto3.ExceededMaxBodyLenErr](err); !tooLong && !errors.Is(err, errTooMuch) {
		return err
	}
	return d.error("The reply is too large", fmt.Sprintf("What answers at %s sends more than %d KiB, which none of its answers needs. "+
		"Look whether host and port are those of a PostgreSQL.", visible.EscapeLine(d.String()), maxBytes>>10))
}

// query sends one statement whose answer is one row of so many columns, or none: nil. It takes one
// round trip, and leaves nothing behind in the session that a pooler would have to keep.
func (d PostgresBackend) query(ctx context.Context, c *databaseSession, columns int, sql string, params ...any) (row [][]byte, err error) {
	return d.queryLarge(ctx, c, maxAnswer, columns, sql, params...)
}

// queryLarge is query with a limit of its own, in bytes.
func (d PostgresBackend) queryLarge(ctx context.Context, c *databaseSession, maxBytes, columns int, sql string,
	params ...any) (oneRow [][]byte,
	_ error) {
	values := make([][]byte, len(params))
	for i, p := range params {
		if p != nil {
			values[i] = fmt.Append([]byte{}, p) // nil would be NULL
		}
	}
	limited, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	c.limitReplyBytes(maxBytes)
	r := c.ExecParams(limited, d.expandPlaceholders(sql), values, nil, nil, nil)
	var row [][]byte
	fits := true
	for fits && r.NextRow() {
		fits = row == nil && len(r.Values()) == columns
		row = make([][]byte, columns)
		for i := range min(columns, len(r.Values())) {
			row[i] = append(row[i], r.Values()[i]...)
		}
	}
	described := len(r.FieldDescriptions())
	if !fits {
		_ = c.Conn().Close() // nothing that follows is of use
	}
	_, err := r.Close()
	_, refused := errors.AsType[*pgconn.PgError](err)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case !fits, err == nil && described != columns:
		return nil, d.unexpectedAnswerError()
	case err != nil && !refused:
		_ = c.Conn().Close() // the driver would read on for a while
		return nil, d.explainTooLarge(err, maxBytes)
	}
	return row, err
}

// closeConn ends a session. The server frees its lock.
func closeConn(c *databaseSession) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = c.Close(ctx)
}

func (d PostgresBackend) error(summary, detail string) *Error {
	return &Error{Summary: summary, Detail: detail, Path: d.String()}
}

// unexpectedAnswerError says that what answers has other rows or columns than the tables of the state.
func (d PostgresBackend) unexpectedAnswerError() *Error {
	return d.error("The database has no state of b2form", "What answers at "+visible.EscapeLine(d.String())+" is not the tables that "+
		"`b2form state init` makes: it gives other rows or columns. It was left as it is. Correct host, port, schema and name in the "+
		"backend block, or make the tables in a schema of their own.")
}

// explain turns what the database or the network said into an *Error. nil stays nil.
func (d PostgresBackend) explain(err error) error {
	if _, known := errors.AsType[*Error](err); err == nil || known || errors.Is(err, context.Canceled) {
		return err
	}
	where := visible.EscapeLine(d.String())
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return d.error("The database of the state cannot be reached",
			fmt.Sprintf("%s does not answer: %s. %sLook whether host, port, database and user are right and the server runs, then run "+
				"the same command again.", where, d.scrubbed(unreachedReason(err)), d.envSourceTextIfAny()))
	}
	said := fmt.Sprintf("%s answered with the error %s", where, visible.EscapeTruncated(refused.Code, 5))
	if message := d.scrubbed(refused.Message); message != "" {
		said = fmt.Sprintf("%s answered: %s (%s)", where, message, visible.EscapeTruncated(refused.Code, 5))
	} else if refused.Code == "" {
		said = where + " answered with an error and does not say which"
	}
	said += "."
	switch code := refused.Code; {
	case code == "42P01" || code == "3F000":
		return d.missingTablesError()
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

// envSourceTextIfAny says where an address comes from that no configuration shows.
func (d PostgresBackend) envSourceTextIfAny() string {
	if !d.configFromEnvOnly {
		return ""
	}
	return "Neither conn_str nor PG_CONN_STR is set, so this place comes from PGHOST, PGPORT and the other variables of libpq; what they " +
		"leave out is its default. "
}

// unreachedReason words why there is no answer of a database. What the driver says beside the
// cause is for its developers.
func unreachedReason(err error) string {
	f := reach.Diagnose(err)
	dial, isDial := errors.AsType[*net.OpError](err)
	switch {
	case isDial && dial.Addr != nil && errors.Is(err, fs.ErrNotExist):
		f.Subject = "there is no socket " + dial.Addr.String()
	case errors.Is(err, pgconn.ErrConnClosed):
		f = reach.ConnectionFailure{Cause: reach.Broken}
	case strings.Contains(err.Error(), "server refused TLS connection"):
		f = reach.ConnectionFailure{Cause: reach.NotTLS}
	case strings.Contains(err.Error(), "ValidateConnect failed"):
		f.Subject = "no server is what PGTARGETSESSIONATTRS asks for"
	case f.Cause == reach.Unknown:
		f.Subject = "the connection failed, or what answers there does not speak the protocol of PostgreSQL"
	}
	return f.Reason("the server")
}

// scrubbed is what somebody else said, without the password and in one line.
func (d PostgresBackend) scrubbed(text string) string {
	text = scrub.RemoveSecretKeepParts(text, d.config.Password)
	return visible.EscapeTruncated(strings.TrimRight(text, ". \n"), maxQuoted)
}
