package state

import (
	"cmp"
	"context"
	"fmt"

	"b2form/internal/visible"
)

// How the tables must differ from those that CreateTables makes, as the database says it.
const (
	noTables            = "missing"
	wrongOwner          = "owner"
	otherRelationKind   = "kind"
	withTriggersOrRules = "code" // of others, which would run
	otherColumns        = "columns"
	createdTables       = `CREATE SCHEMA IF NOT EXISTS @schema;
CREATE TABLE IF NOT EXISTS @schema.states (
	name text PRIMARY KEY, serial bigint NOT NULL, holder text NOT NULL, lock text NOT NULL, content text NOT NULL);
ALTER TABLE @schema.states ALTER content SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS @schema.journal (
	state text REFERENCES @schema.states ON DELETE CASCADE, serial bigint, lines text NOT NULL, PRIMARY KEY (state, serial))`
)

// tableFlawSQL is an expression that looks at the catalog alone, and gives what is wrong with the tables; an empty
// text: nothing. What others have prepared may run code of theirs with the rights of who uses it, and already while a
// statement that names it is planned, so it is a statement of its own. Types are exact, so that no operator or function of
// the same name in another schema fits better, unless who owns the database has put that schema before pg_catalog.
const tableFlawSQL = `(SELECT CASE WHEN count(*) < 2 THEN '` + noTables + `'
	WHEN bool_or(c.relkind <> 'r') THEN '` + otherRelationKind + `'
	WHEN NOT bool_and(pg_has_role(c.relowner, n.nspowner, 'MEMBER'::text)) THEN '` + wrongOwner + `'
	WHEN bool_or(c.relhasrules OR c.relrowsecurity OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
		OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype NOT IN ('p', 'f', 'n'))
		OR EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
		OR EXISTS (SELECT FROM pg_attrdef WHERE adrelid = c.oid)
		OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid OR inhrelid = c.oid)) THEN '` + withTriggersOrRules + `'
	WHEN bool_or(
		(SELECT string_agg(attname::text || ' ' || format_type(atttypid, atttypmod), ', '::text ORDER BY attnum) FROM pg_attribute
			WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) || ', ' ||
		(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')
		IS DISTINCT FROM CASE c.relname
			WHEN 'states' THEN 'name text, serial bigint, holder text, lock text, content text, PRIMARY KEY (name)'
			ELSE 'state text, serial bigint, lines text, PRIMARY KEY (state, serial)' END) THEN '` + otherColumns + `'
	ELSE '' END FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = @name AND relname IN ('states', 'journal'))`

// connectToCheckedTables is connect, and an *Error where the tables are not those of b2form.
func (d PostgresBackend) connectToCheckedTables(ctx context.Context) (*databaseSession, error) {
	c, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	row, err := d.query(ctx, c, 1, "SELECT @flaw")
	if err == nil {
		err = d.checkTableFlawColumn(row)
	}
	if err != nil {
		closeConn(c)
		return nil, err
	}
	return c, nil
}

// checkTableFlawColumn makes an error of the flaw that is first in a row.
func (d PostgresBackend) checkTableFlawColumn(row [][]byte) error {
	if row == nil {
		return d.unexpectedAnswerError()
	}
	schema := visible.EscapeLine(d.Schema)
	what := map[string]string{
		wrongOwner:          "belongs to another user than the schema",
		otherRelationKind:   "is no plain table",
		withTriggersOrRules: "has triggers, rules, row security, checks, defaults or inheritance, which would have a part in every change",
		otherColumns:        "has other columns or another key than b2form gives it",
	}[string(row[0])]
	switch {
	case what != "":
		return d.error("The tables of the state are not those of b2form", fmt.Sprintf("One of the tables states and journal in the schema "+
			"%s of %s %s. It was left as it is. Take away what was added; or name another schema in the backend block and make the tables "+
			"there with `b2form state init`.", schema, visible.EscapeLine(d.String()), what))
	case string(row[0]) == noTables:
		return d.missingTablesError()
	case len(row[0]) > 0:
		return d.unexpectedAnswerError()
	}
	return nil
}

func (d PostgresBackend) missingTablesError() *Error {
	return d.error("The tables of the state do not exist", fmt.Sprintf("There is no schema %s with the tables states and journal in "+
		"%s. Make them with `b2form state init`, or correct the backend block.", visible.EscapeLine(d.Schema),
		visible.EscapeLine(d.String())))
}

// CreateTables makes the schema and its tables, where they are missing, and the state in them. It
// touches nothing that another user has prepared.
func (d PostgresBackend) CreateTables(ctx context.Context) error {
	c, err := d.connect(ctx)
	if err != nil {
		return d.explain(err)
	}
	defer closeConn(c)
	missing, err := d.inspectTables(ctx, c)
	if missing {
		c.limitReplyBytes(maxAnswer)
		_, refused := c.Exec(ctx, d.expandPlaceholders(createdTables)).ReadAll()
		// IF NOT EXISTS does not hold among several at once: one makes the tables, and the others are refused.
		if missing, err = d.inspectTables(ctx, c); missing || err != nil {
			err = cmp.Or(refused, err)
		}
	}
	if missing && err == nil {
		err = d.missingTablesError()
	}
	if err == nil {
		_, err = d.query(ctx, c, 0, "INSERT INTO @schema.states VALUES ($1, 0, '', '', '') ON CONFLICT DO NOTHING", d.StateName)
	}
	return d.explain(err)
}

// inspectTables finds out whether the tables are missing. It is an *Error if they are others, or if
// the schema belongs to somebody whom this user has no reason to trust: a superuser is a member
// of every role.
func (d PostgresBackend) inspectTables(ctx context.Context, c *databaseSession) (missing bool, err error) {
	row, err := d.query(ctx, c, 3, "SELECT @flaw, owner.rolname, current_user = owner.rolname OR owner.rolsuper OR NOT self.rolsuper AND "+
		"pg_has_role(owner.oid, 'MEMBER') FROM pg_roles self LEFT JOIN pg_namespace ON nspname = @name LEFT JOIN pg_roles owner "+
		"ON owner.oid = nspowner WHERE self.rolname = current_user")
	switch {
	case err != nil:
		return false, err
	case row == nil:
		return false, d.unexpectedAnswerError()
	case len(row[1]) > 0 && string(row[2]) != "t":
		return false, d.error("The schema belongs to another user", fmt.Sprintf("The schema %s in %s belongs to the database user %s, who "+
			"could have anything run with the rights of this user. It was left as it is. Run `b2form state init` as that user, or name a "+
			"schema in the backend block that does not exist yet.", visible.EscapeLine(d.Schema), visible.EscapeLine(d.String()),
			visible.EscapeTruncated(string(row[1]), maxQuoted)))
	case string(row[0]) == noTables:
		return true, nil
	}
	return false, d.checkTableFlawColumn(row)
}
