// Package conform holds what B2's native API does as files, and runs them
// against any server that claims to do the same.
//
// A case is a text file: a head, then steps that a line of three dashes
// separates. The head begins with a sentence that says what the service does
// and may go on with
//
//	behaviours: 4 15        numbers of behaviours the case guards
//	setup: {...}            a Setup as JSON; such a case suits only an emulator
//	account: own            nobody else may use the account meanwhile
//
// A step is one of
//
//	clock 24h               let time pass
//	as ${keyId} ${secret}   authorize with another key; "as master", "as nobody"
//	upload ${bucket} f id   upload a file named f and call its ID ${id}
//	fault {...}             ask for trouble, in the subject's own words
//	POST /b2api/v4/...      a request: headers, an empty line, a body, and after
//	                        "=> 409" what the reply must be: headers, an empty
//	                        line, members
//
// A request may begin with "repeat 3", and then ${n} counts from 1. In the
// reply's members an object lists what must be there; an array, all of it.
// ${account}, ${keyId} and ${key} are the subject's; ${fiveMebibytes} is that
// many letters "a", the smallest round size of a part, and ${kibibyte} so many.
// "$any" is any value, "$absent" no member or header, "$=name" any string, which
// is then ${name} in what follows. After "=> 200 exactly" the body is compared byte for
// byte; after "=> 200 content" too, and it is a file's. Every other reply must
// also have what all replies have: see laws.go.
package conform

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

// AccountSettings is the account that a case needs.
type AccountSettings struct {
	KeyID      string // of the master key, which is the account ID
	Region     string // "us-west-002"
	MaxBuckets int    // 0: as the service has it
	// RealServiceHosts makes authorize report the real service's hosts.
	RealServiceHosts bool
	Switches         json.RawMessage // the subject's own settings
}

// A Case is one file of the suite.
type Case struct {
	Name            string // of the file, without its ending
	Doc             string
	Behaviours      []int
	Account         *AccountSettings // nil: any account will do
	NeedsOwnAccount bool             // the account must not be shared
	steps           []step
}

type step struct {
	line               int
	advanceClockBy     time.Duration
	authorizeAs        []string // key ID and secret, or one word
	fault              string
	uploadArgs         []string // bucket ID, file name and variable
	repeat             int
	method             string // of HTTP; "": no request
	path               string
	requestHeaders     []headerField
	body               string
	wantStatus         int
	comparesBodyBytes  bool
	replyIsFileContent bool // the reply is content
	wantHeaders        []headerField
	wantBody           string
}

type headerField struct{ name, value string }

// Load reads the cases of a folder, in the order of their names.
func Load(folder fs.FS) ([]Case, error) {
	names, err := fs.Glob(folder, "*.txt")
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		c, err := parse(string(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.Name = strings.TrimSuffix(path.Base(name), ".txt")
		cases = append(cases, c)
	}
	return cases, nil
}

func parse(text string) (Case, error) {
	var c Case
	line := 1
	for i, block := range strings.Split(text, "\n---\n") {
		if i == 0 {
			if err := c.parseHead(block); err != nil {
				return c, err
			}
		} else {
			s, err := parseStep(block)
			if err != nil {
				return c, fmt.Errorf("line %d: %w", line, err)
			}
			s.line = line
			c.steps = append(c.steps, s)
		}
		line += strings.Count(block, "\n") + 2
	}
	if len(c.steps) == 0 || c.Doc == "" {
		return c, fmt.Errorf("a case needs a sentence and a step")
	}
	return c, nil
}

func (c *Case) parseHead(head string) error {
	for line := range strings.Lines(head) {
		line = strings.TrimSpace(line)
		if numbers, ok := strings.CutPrefix(line, "behaviours:"); ok {
			for word := range strings.FieldsSeq(numbers) {
				n, err := strconv.Atoi(word)
				if err != nil {
					return err
				}
				c.Behaviours = append(c.Behaviours, n)
			}
			continue
		}
		if setup, ok := strings.CutPrefix(line, "setup:"); ok {
			c.Account = &AccountSettings{}
			if err := DecodeKnownMembers([]byte(setup), c.Account); err != nil {
				return fmt.Errorf("setup: %w", err)
			}
			continue
		}
		if line == "account: own" {
			c.NeedsOwnAccount = true
			continue
		}
		c.Doc = strings.TrimSpace(c.Doc + " " + line)
	}
	return nil
}

func parseStep(block string) (s step, err error) {
	block = strings.TrimLeft(block, "\n")
	first, rest, _ := strings.Cut(block, "\n")
	word, argument, _ := strings.Cut(first, " ")
	switch word {
	case "clock":
		s.advanceClockBy, err = time.ParseDuration(argument)
		return s, err
	case "as":
		s.authorizeAs = strings.Fields(argument)
		return s, nil
	case "upload":
		if s.uploadArgs = strings.Fields(argument); len(s.uploadArgs) != 3 {
			return s, fmt.Errorf("%q needs a bucket, a name and a variable", first)
		}
		return s, nil
	case "fault":
		s.fault = argument
		return s, nil
	case "repeat":
		if s.repeat, err = strconv.Atoi(argument); err != nil {
			return s, err
		}
		first, rest, _ = strings.Cut(rest, "\n")
		word, argument, _ = strings.Cut(first, " ")
	}
	s.method, s.path = word, argument
	request, reply, ok := strings.Cut("\n"+rest, "\n=> ")
	if !ok {
		return s, fmt.Errorf("%q expects no reply", first)
	}
	s.requestHeaders, s.body = parseMessage(request)
	status, reply, _ := strings.Cut(reply, "\n")
	status, s.comparesBodyBytes = strings.CutSuffix(status, " exactly")
	status, s.replyIsFileContent = strings.CutSuffix(status, " content")
	if s.wantStatus, err = strconv.Atoi(status); err != nil {
		return s, err
	}
	s.wantHeaders, s.wantBody = parseMessage("\n" + reply)
	return s, nil
}

// parseMessage splits headers from the body, which begins after an empty line
// or where a line is no header.
func parseMessage(text string) (headers []headerField, body string) {
	text = strings.TrimPrefix(text, "\n")
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	read := 0
	for lines.Scan() {
		line := lines.Text()
		name, value, ok := strings.Cut(line, ": ")
		if !ok || strings.ContainsAny(name, `{["`) {
			if line == "" {
				read++
			}
			break
		}
		headers = append(headers, headerField{name, value})
		read += len(line) + 1
	}
	if read > len(text) {
		return headers, ""
	}
	return headers, strings.TrimSuffix(text[read:], "\n")
}
