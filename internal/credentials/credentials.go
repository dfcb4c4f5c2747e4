// Package credentials finds the application key to work with where people keep
// theirs: the environment, files, profiles of Backblaze's command line tool and of
// rclone, a program of a secret store. It asks B2 nothing and writes nothing.
package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"b2form/internal/durable"
	"b2form/internal/secret"
	"b2form/internal/words"
)

// Options are what the environment and the command line say; "" where nothing is said.
type Options struct {
	KeyID, Key                             string   // the pair itself
	KeyIDFile, KeyFile                     string   // files that hold one half each
	LegacyVariableKeyID, LegacyVariableKey string   // the pair under the names of old programs
	Profile                                string   // "work": of the b2 command; "rclone:work": a remote of rclone
	CommandJSON                            string   // a JSON array: a program that prints the pair
	CommandEnviron                         []string // of which that program finds what is not b2form's alone
	CommandTimeout                         time.Duration

	AccountInfoPath  string        // file of the b2 command
	LockTimeout      time.Duration // how long another program may write that file; 0: some seconds
	RcloneConfigPath string        // file of rclone
	Home             string
	XDGConfigHome    string
	AppData          string // of Windows
}

// Credentials are an application key and where it was found.
type Credentials struct {
	KeyID      string
	Key        secret.Value
	Realm      string // the realm that was stored beside it, a name or a URL; "": none
	SourceText string // in words, such as: profile "work" in /home/ann/.b2db-work.sqlite
	Source     Source
}

// A Source is a sort of place.
type Source int

// The sources, in the order in which they are looked at. The first in which something is
// set wins, also where what it holds is of no use: who set it meant it.
const (
	None Source = iota // nothing is set anywhere
	Environment
	OldNames // the environment, under the names of old programs
	Profile
	Command
	AccountFile // of the b2 command, which nobody named
)

// An Error is credentials that are named and cannot be had. It quotes no secret.
type Error struct {
	Summary string // what is wrong
	Detail  string // what to do; whole sentences
}

func (e *Error) Error() string { return e.Summary + ": " + e.Detail }

func errorf(summary, detail string, args ...any) error {
	return &Error{summary, fmt.Sprintf(detail, args...)}
}

// Find looks in one place after the other. Where nothing is set the Source is None. An
// error is an *Error, or the context's; with an *Error about an account file that nobody
// named the Source is AccountFile.
func Find(ctx context.Context, o Options) (Credentials, error) {
	switch {
	case o.KeyID != "" || o.Key != "" || o.KeyIDFile != "" || o.KeyFile != "":
		return o.environment()
	case o.LegacyVariableKeyID != "":
		return Credentials{o.LegacyVariableKeyID, secret.New(o.LegacyVariableKey), "",
				"the environment variables B2_ACCOUNT_ID and B2_ACCOUNT_KEY", OldNames},
			nil
	case strings.HasPrefix(o.Profile, rclonePrefix):
		return o.rclone(strings.TrimPrefix(o.Profile, rclonePrefix))
	case o.Profile != "":
		return o.readB2Profile(ctx)
	case o.CommandJSON != "":
		return o.command(ctx)
	}
	found, err := o.findInAccountFile(ctx)
	if _, unusable := errors.AsType[*Error](err); unusable && o.AccountInfoPath == "" {
		found.Source = AccountFile
	}
	return found, err
}

// environment takes each half from its variable, or from the file that another one
// names. A half that is nowhere stays empty.
func (o Options) environment() (Credentials, error) {
	c := Credentials{KeyID: o.KeyID, Key: secret.New(o.Key), Source: Environment}
	names := []string{"B2_APPLICATION_KEY_ID", "B2_APPLICATION_KEY"}
	if o.KeyID == "" && o.KeyIDFile != "" {
		id, err := readSingleWordFile("B2_APPLICATION_KEY_ID_FILE", o.KeyIDFile)
		if err != nil {
			return Credentials{}, err
		}
		c.KeyID, names[0] = id, "B2_APPLICATION_KEY_ID_FILE"
	}
	if o.Key == "" && o.KeyFile != "" {
		key, err := readSingleWordFile("B2_APPLICATION_KEY_FILE", o.KeyFile)
		if err != nil {
			return Credentials{}, err
		}
		c.Key, names[1] = secret.New(key), "B2_APPLICATION_KEY_FILE"
	}
	c.SourceText = "the environment variables " + strings.Join(names, " and ")
	return c, nil
}

// mostBytes is far more than an ID and a key have.
const mostBytes = 64 << 10

// readSingleWordFile reads one half of the pair from a file.
func readSingleWordFile(variable, path string) (string, error) {
	text, err := durable.ReadFile(path, mostBytes)
	if err != nil {
		return "", errorf("The file in "+variable+" cannot be read", "%q: %s. Give the path of a file that holds nothing else.", path,
			words.ErrorWithoutPath(err))
	}
	word := strings.TrimSpace(string(text))
	if word == "" || hasInvalidCharacter(word) {
		return "", errorf("The file in "+variable+" does not hold what it should",
			"%q must hold one word, and has none, or several, or characters that none has. Give the path of a file that holds nothing "+
				"else.", path)
	}
	return word, nil
}

// hasInvalidCharacter reports whether a text has a character that neither an ID nor a key has.
func hasInvalidCharacter(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > '~' || r < '!' || unicode.IsSpace(r) })
}

// withCheckedKey makes credentials of what a source holds, which must have the shape of some.
func withCheckedKey(c Credentials, id, key string) (Credentials, error) {
	for _, h := range []struct{ what, text string }{{"key ID", id}, {"application key", key}} {
		switch {
		case h.text == "":
			return Credentials{}, errorf("The "+h.what+" is missing", "There is none in %s. Put it there, or name other credentials.",
				c.SourceText)
		case hasInvalidCharacter(h.text):
			return Credentials{}, errorf("The "+h.what+" is none", "What is in %s holds a character that none has. Correct it there, or "+
				"name other credentials.", c.SourceText)
		}
	}
	c.KeyID, c.Key = id, secret.New(key)
	return c, nil
}
