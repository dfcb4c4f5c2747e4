package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"b2form/internal/state"
	"b2form/internal/visible"
)

// newDatabase is the backend that a block with these arguments, and the environment, describe.
func (p *program) newDatabase(args map[string]string) (state.PostgresBackend, error) {
	configured := args["conn_str"]
	u, err := url.Parse(configured)
	if strings.Contains(strings.ToLower(configured), "password") || err == nil && u.User != nil && u.User.String() != u.User.Username() {
		return state.PostgresBackend{}, failf("Password in the configuration",
			"conn_str holds a password, or cannot be read. Take it out, and "+
				"set PGPASSWORD, or name a file in PGPASSFILE.")
	}
	return state.NewPostgresBackend(cmp.Or(configured, p.getenv("PG_CONN_STR")), args["schema"], args["name"], nil)
}

// databaseFromURL reads the place of a state in a database, as messages write it.
func (p *program) databaseFromURL(postgresURL string) (state.Backend, error) {
	u, err := url.Parse(postgresURL)
	if err != nil || u.Query().Get("name") == "" {
		return nil, failf("Invalid place of a state", "Write postgres://HOST:PORT/DATABASE?schema=b2form&name=NAME, as `b2form lock` "+
			"shows it.")
	}
	q := u.Query()
	args := map[string]string{"schema": cmp.Or(q.Get("schema"), "b2form"), "name": q.Get("name")}
	q.Del("schema")
	q.Del("name")
	u.RawQuery = q.Encode()
	args["conn_str"] = u.String()
	d, err := p.newDatabase(args)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// initDatabase makes the tables, and says who may use them.
func (s *session) initDatabase(ctx context.Context, d state.PostgresBackend) error {
	if err := d.CreateTables(ctx); err != nil {
		return err
	}
	schema := visible.EscapeLine(`"` + strings.ReplaceAll(d.Schema, `"`, `""`) + `"`)
	s.printResult("The tables of the state are in %s. What other users of the database need:\n\n"+
		"  GRANT USAGE ON SCHEMA %[2]s TO runner;\n"+
		"  GRANT SELECT, INSERT, UPDATE ON %[2]s.states TO runner;\n"+
		"  GRANT SELECT, INSERT, DELETE ON %[2]s.journal TO runner;\n\n"+
		"A user who only plans needs USAGE and SELECT.", visible.EscapeLine(fmt.Sprint(d)), schema)
	return nil
}
