package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/wire"
)

func (p *program) whoamiCommand() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "whoami", Usage: "Show the credentials in use, and what they may do",
		Description: `Says where the credentials come from, and what B2 says of them. The secret is
not shown. They are looked for in this order; the first that is set is used:

  B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY
  B2_APPLICATION_KEY_ID_FILE and B2_APPLICATION_KEY_FILE
  -profile, then B2_PROFILE: of the b2 command, or rclone:REMOTE
  B2_CREDENTIAL_COMMAND
  the account file of the b2 command

Example:
  b2form whoami
  b2form whoami -profile=work
  b2form whoami -profile=rclone:backup

` + exitCodes,
		Flags: append(p.accountFlags(), p.jsonFlag("print it as one JSON document")),
		Action: func(ctx context.Context, _ *cli.Command) error {
			return p.whoami(ctx)
		},
	})
}

func (p *program) whoami(ctx context.Context) (err error) {
	ctx, stop := p.withInterrupt(ctx)
	defer stop()
	s, err := p.openSessionWithoutConfig(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stopLocalB2()) }()
	a, err := s.client.Authorize(ctx)
	if err != nil {
		return err
	}
	where := cmp.Or(s.foundCredentials.SourceText, "the emulator in "+emulatorFolder)
	if p.json {
		return p.printJSON(newWhoamiDocument(where, a))
	}
	fmt.Fprint(p.stdout, view.TwoColumnTable(whoamiRows(where, a), p.outputStyle().Width))
	return nil
}

// A whoamiDocument is what whoami -json prints.
type whoamiDocument struct {
	FormatVersion    string             `json:"format_version"`
	CredentialSource string             `json:"source"`
	KeyID            string             `json:"application_key_id"`
	IsMasterKey      bool               `json:"master_key"`
	AccountID        string             `json:"account_id"`
	Realm            string             `json:"realm"`
	Capabilities     []string           `json:"capabilities"`
	Buckets          []whoamiBucketJSON `json:"buckets"` // null: every bucket
	NamePrefix       string             `json:"name_prefix"`
	Expires          *time.Time         `json:"expires"` // null: never
	S3Endpoint       string             `json:"s3_endpoint"`
	S3Region         string             `json:"s3_region"`
}

type whoamiBucketJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"` // "": the bucket is gone
}

func newWhoamiDocument(sourceText string, a *wire.Account) whoamiDocument {
	doc := whoamiDocument{
		FormatVersion: "1.0", CredentialSource: sourceText, KeyID: a.KeyID, IsMasterKey: a.KeyID == a.ID, AccountID: a.ID, Realm: a.Realm,
		Capabilities: a.Capabilities, NamePrefix: wire.EscapeNonNFC(a.NamePrefix), S3Endpoint: a.S3URL, S3Region: a.S3Region(),
	}
	for _, b := range a.AllowedBuckets {
		doc.Buckets = append(doc.Buckets, whoamiBucketJSON(b))
	}
	if !a.KeyExpires.IsZero() {
		doc.Expires = &a.KeyExpires
	}
	return doc
}

func whoamiRows(sourceText string, a *wire.Account) []view.TwoColumnRow {
	keyID, buckets, expires := a.KeyID, "every bucket", "never"
	if a.KeyID == a.ID {
		keyID += " (the master key)"
	}
	if a.AllowedBuckets != nil {
		var names []string
		for _, b := range a.AllowedBuckets {
			names = append(names, cmp.Or(b.Name, b.ID+" (deleted)"))
		}
		buckets = strings.Join(names, ", ")
	}
	if !a.KeyExpires.IsZero() {
		expires = words.ReadableTime(a.KeyExpires)
	}
	rows := []view.TwoColumnRow{
		{Name: "Credentials", Text: sourceText}, {Name: "Key ID", Text: keyID}, {Name: "Account", Text: a.ID + " at " + a.Realm},
		{Name: "Capabilities", Text: strings.Join(a.Capabilities, ", ")}, {Name: "Buckets", Text: buckets},
		{Name: "File names", Text: cmp.Or(wire.EscapeNonNFC(a.NamePrefix), "all")},
		{Name: "Expires", Text: expires}, {Name: "S3 endpoint", Text: a.S3URL},
		{Name: "S3 region", Text: a.S3Region()},
	}
	for i := range rows {
		rows[i].Text = visible.EscapeLine(rows[i].Text)
	}
	return rows
}
