// Package planfile stores a plan that was looked at, so that this plan is carried out later, or none.
// What the plan hides is not in the file, nor are sensitive variables.
package planfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/internal/durable"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// formatVersion is raised with every new member.
const formatVersion = 6

// A File is a plan, and what it was made from.
type File struct {
	ProgramVersion string // the version of b2form that made it
	CommandToApply string // what carries it out: "apply", "destroy"
	// The options that shaped the plan.
	Target, Exclude, Replace []addr.Addr

	// State is where the state is kept, of a folder that may have several; "": it has one, or an older b2form saved the plan.
	State                  string
	ConfigDigest           string               // [schema.MeaningDigest] of it
	NonsensitiveVariables  map[string]cty.Value // those of the configuration that are not sensitive
	SensitiveVariableNames []string             // names of the others, sorted
	SensitiveHash          string               // [plan.SlowHashIfSalted] of their values; "": there are none
	// Salt is what hidden values were hashed with, in hexadecimal digits; "": with a key that is not in the
	// file, where SaltNotInFile says so, or there are none.
	Salt          string
	SaltNotInFile bool
	// DestroyedContentsDescriptions are how much goes with what each change destroys with everything it holds. It is no part of the
	// plan's basis, but of its digest: who carries the plan out compares it with what is there then.
	DestroyedContentsDescriptions []DestroyedContents
	// PlanContextJSON is what the plan stands in, as it is shown to programs; nil: an older b2form saved the plan.
	PlanContextJSON json.RawMessage
	Plan            *plan.Plan // with Saved; read from a file, as [plan.Saved.Plan] gives it
}

// DestroyedContents is what the objects hold that a change destroys with everything they hold, in words.
type DestroyedContents struct {
	Addr addr.Addr `json:"address"`
	Text string    `json:"text"`
}

// A document is a File in JSON.
type document struct {
	FormatVersion                 int                 `json:"b2form_plan"`
	ProgramVersion                string              `json:"b2form_version"`
	CommandToApply                string              `json:"command"`
	Target                        []string            `json:"target,omitempty"`
	Exclude                       []string            `json:"exclude,omitempty"`
	Replace                       []string            `json:"replace,omitempty"`
	State                         string              `json:"state,omitempty"`
	ConfigDigest                  string              `json:"configuration"`
	NonsensitiveVariables         json.RawMessage     `json:"variables,omitempty"`
	SensitiveVariableNames        []string            `json:"sensitive_variables,omitempty"`
	SensitiveHash                 string              `json:"sensitive_hash,omitempty"`
	Salt                          string              `json:"salt,omitempty"`
	SaltNotInFile                 bool                `json:"keyed,omitempty"`
	DestroyedContentsDescriptions []DestroyedContents `json:"contents,omitempty"`
	PlanContextJSON               json.RawMessage     `json:"context,omitempty"`
	Basis                         string              `json:"basis"`
	Plan                          *plan.Saved         `json:"plan"`
}

const (
	begin   = `{"b2form_plan":`
	before  = `,"sha256":"` // stands before the digest of all that is before it
	after   = "\"}\n"
	hexSize = 2 * sha256.Size
)

// Write puts the file in the place of what is at path: another saved plan, or nothing. It is whole or not
// there, and only its owner may read it.
func Write(path string, f *File) (err error) {
	variables, err := encodeVariables(f.NonsensitiveVariables)
	if err != nil {
		return err
	}
	text, err := json.Marshal(document{
		FormatVersion: formatVersion, ProgramVersion: f.ProgramVersion, CommandToApply: f.CommandToApply, Target: addr.Strings(f.Target),
		Exclude: addr.Strings(f.Exclude), Replace: addr.Strings(f.Replace), State: f.State, ConfigDigest: f.ConfigDigest,
		NonsensitiveVariables: variables, SensitiveVariableNames: f.SensitiveVariableNames, SensitiveHash: f.SensitiveHash,
		Salt: f.Salt, SaltNotInFile: f.SaltNotInFile, DestroyedContentsDescriptions: f.DestroyedContentsDescriptions,
		PlanContextJSON: f.PlanContextJSON,
		Basis:           f.Plan.Basis, Plan: f.Plan.SavedForm,
	})
	if err != nil {
		return err
	}
	text = bytes.TrimSuffix(text, []byte("}"))
	text = fmt.Appendf(text, "%s%x%s", before, sha256.Sum256(text), after)
	if err := checkReplaceable(path); err != nil {
		return err
	}
	if err := durable.ReplaceFile(path, text, 0o600); err != nil {
		return cannotSaveError(path, words.ErrorWithoutPath(err))
	}
	return nil
}

// CheckWritable refuses a path at which no plan can be written, before one is made.
func CheckWritable(path string) error {
	if err := checkReplaceable(path); err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return cannotSaveError(path, "there is no folder "+visible.EscapeLine(filepath.Dir(path))+"; make it, or give another name")
	}
	return nil
}

// checkReplaceable refuses to write over what is no saved plan.
func checkReplaceable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return cannotSaveError(path, "it is a folder; give another name")
	case err == nil && !info.Mode().IsRegular():
		return cannotSaveError(path, "it is no regular file; give another name")
	}
	if err := durable.CheckOverwritable(path, begin); err != nil {
		return cannotSaveError(path, words.ErrorWithoutPath(err))
	}
	return nil
}

func cannotSaveError(path, why string) error {
	return wire.Explainedf("The plan cannot be saved", "%s: %s.", visible.EscapeLine(path), why)
}

func encodeVariables(values map[string]cty.Value) (json.RawMessage, error) {
	if len(values) == 0 {
		return nil, nil
	}
	raw := make(map[string]json.RawMessage, len(values))
	for name, v := range values {
		text, err := ctyjson.Marshal(v, cty.DynamicPseudoType)
		if err != nil {
			return nil, fmt.Errorf("var.%s cannot be saved: %w", name, err)
		}
		raw[name] = text
	}
	return json.Marshal(raw)
}

// mostBytes is more than any plan has.
const mostBytes = 1 << 30

// Read reads what Write wrote. The errors are for people.
func Read(path string, kinds []*kind.Kind) (*File, error) {
	if head, err := durable.FirstBytes(path, len(begin)); err == nil { // else reading all of it says more
		if err := checkBegin(path, head); err != nil {
			return nil, err
		}
	}
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	if err := checkFormatVersion(path, text); err != nil {
		return nil, err
	}
	f, err := decode(text, kinds)
	if err != nil {
		return nil, damagedError(path, err.Error())
	}
	return f, nil
}

func read(path string) ([]byte, error) {
	fail := func(why string) ([]byte, error) {
		return nil, &wire.ExplainedError{Summary: "The saved plan cannot be read", Detail: visible.EscapeLine(path) + ": " + why + "."}
	}
	if path == "" {
		return nil, wire.Explainedf("The saved plan cannot be read", "The name of the file is empty, as of a variable of "+
			"the shell that is not set. Give the FILE of \"b2form plan -out=FILE\".")
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fail("it is a folder. To work in another folder, give -chdir=DIR")
	}
	text, err := durable.ReadFile(path, mostBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("there is no such file. \"b2form plan -out=FILE\" saves a plan")
	case err != nil:
		return fail(words.ErrorWithoutPath(err))
	}
	return text, nil
}

// checkBegin refuses what is no plan of ours by its first bytes.
func checkBegin(path, head string) error {
	name := visible.EscapeLine(path)
	switch {
	case strings.HasPrefix(head, "PK\x03\x04"):
		return &wire.ExplainedError{Summary: "Not a plan of b2form",
			Detail: name + " looks like a plan that Terraform or OpenTofu saved. " +
				"Make one with \"b2form plan -out=FILE\"."}
	case head != begin:
		return &wire.ExplainedError{Summary: "Not a saved plan", Detail: name + " is no plan that \"b2form plan -out=FILE\" saved."}
	}
	return nil
}

// checkFormatVersion refuses a plan of a later b2form.
func checkFormatVersion(path string, text []byte) error {
	number, _, _ := bytes.Cut(text[len(begin):], []byte(","))
	if n, err := strconv.Atoi(string(number)); err == nil && n <= formatVersion {
		return nil
	}
	var head struct {
		Format  int    `json:"b2form_plan"`
		Program string `json:"b2form_version"`
	}
	if err := json.Unmarshal(text, &head); err == nil && head.Format > formatVersion {
		return &wire.ExplainedError{Summary: "The plan was saved by a newer b2form",
			Detail: fmt.Sprintf("%s has format version %d and was saved by b2form %s; this b2form knows version %d. Use the b2form that "+
				"saved it, or make the plan anew.", visible.EscapeLine(path), head.Format,
				visible.EscapeTruncated(head.Program, 40), formatVersion)}
	}
	return nil
}

func damagedError(path, why string) error {
	return wire.Explainedf("The saved plan is damaged", "%s: %s. Nothing was changed. Copy the file again, or "+
		"make the plan anew with \"b2form plan -out=FILE\".", visible.EscapeLine(path), visible.EscapeTruncated(why, 500))
}

func decode(text []byte, kinds []*kind.Kind) (*File, error) {
	size := len(text) - len(before) - hexSize - len(after)
	end := max(0, size)
	body, tail := text[:end], string(text[end:])
	tail, ended := strings.CutSuffix(tail, after)
	tail, begun := strings.CutPrefix(tail, before)
	if !ended || !begun || size < 0 {
		return nil, errors.New("it does not end as it should")
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != tail {
		return nil, errors.New("it was changed, or not copied as it is")
	}
	var d document
	text[end] = '}' // in the place of what was cut off
	if err := json.Unmarshal(text[:end+1], &d); err != nil {
		return nil, errors.New("a member has a value that no saved plan has")
	}
	if d.FormatVersion < 1 || d.FormatVersion > formatVersion || d.Plan == nil || d.CommandToApply == "" {
		return nil, errors.New("it lacks what every saved plan has")
	}
	if salt, err := hex.DecodeString(d.Salt); err != nil || len(salt) != 0 && len(salt) != plan.SaltBytes {
		return nil, errors.New("its salt is none")
	}
	p, err := d.Plan.PlanForDisplay(kinds)
	if err != nil {
		return nil, err
	}
	if p.Basis != d.Basis {
		return nil, errors.New("its digest is not that of the plan in it")
	}
	f := &File{
		ProgramVersion: d.ProgramVersion, CommandToApply: d.CommandToApply, State: d.State, ConfigDigest: d.ConfigDigest,
		SensitiveVariableNames: d.SensitiveVariableNames, SensitiveHash: d.SensitiveHash, Salt: d.Salt, SaltNotInFile: d.SaltNotInFile,
		DestroyedContentsDescriptions: d.DestroyedContentsDescriptions,
		PlanContextJSON:               d.PlanContextJSON,
		Plan:                          p,
	}
	var errs [4]error
	f.Target, errs[0] = parseTargets(d.Target)
	f.Exclude, errs[1] = parseTargets(d.Exclude)
	f.Replace, errs[2] = parseTargets(d.Replace)
	f.NonsensitiveVariables, errs[3] = decodeVariables(d.NonsensitiveVariables)
	return f, errors.Join(errs[:]...)
}

func parseTargets(list []string) (out []addr.Addr, err error) {
	for _, text := range list {
		a, parseErr := addr.ParseTarget(text)
		out, err = append(out, a), errors.Join(err, parseErr)
	}
	return out, err
}

func decodeVariables(text json.RawMessage) (map[string]cty.Value, error) {
	values := map[string]cty.Value{}
	if text == nil {
		return values, nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, errors.New("its variables have no names")
	}
	for name, text := range raw {
		v, err := ctyjson.Unmarshal(text, cty.DynamicPseudoType)
		if err != nil {
			return nil, fmt.Errorf("the value of var.%s cannot be read", name)
		}
		values[name] = v
	}
	return values, nil
}

// AddContentsDescriptions says in the plan how much goes with what it destroys, as it was shown, and returns it.
func (f *File) AddContentsDescriptions() *plan.Plan {
	for _, held := range f.DestroyedContentsDescriptions {
		for i := range f.Plan.Changes {
			if f.Plan.Changes[i].Addr == held.Addr {
				f.Plan.Changes[i].DescribeContents(held.Text)
			}
		}
	}
	return f.Plan
}
