package main

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// recordApplyStarted records that what is live is about to come from several configurations.
func (s *session) recordApplyStarted(store *state.Store, m view.PlanPurpose) {
	if m != view.Rotating && m != view.Refreshing {
		store.SetApplied(s.digestsOfUnfinishedRun())
	}
}

// digestsOfUnfinishedRun is recorded while a run is under way, and when it did not do all that is declared.
func (s *session) digestsOfUnfinishedRun() state.AppliedDigests {
	return state.AppliedDigests{Salt: s.recordedOrNewSalt(), OutputDigests: s.state.Applied.OutputDigests}
}

// appliedAfterRun is what the state is to say after a run that came to its end, with these entries. A
// rotation applies no configuration, nor does a refresh or a part of a destroy; where the state says
// nothing and nothing is declared, it stays so. A part of an apply adds to what is live already.
func (s *session) appliedAfterRun(m view.PlanPurpose, p *plan.Plan, entries []addr.StateEntry) state.AppliedDigests {
	was := s.state.Applied
	isCurrent := hasSameConfigAndVariables(was, s.currentConfigDigests(was.Salt))
	switch {
	case m == view.Rotating && isCurrent && was.Salt != "":
		was.OutputDigests = plan.OutputDigests(was.Salt, s.config, s.snapshot, entries)
		return was
	case m == view.Rotating, m == view.Refreshing, s.state.AccountID == "" && len(s.config.Resources) == 0:
		return was
	case s.isPartialRun() && (p.HasNoResourceChanges() || m == view.Destroying || isCurrent):
		return was
	case s.isPartialRun():
		return s.digestsOfUnfinishedRun()
	case m == view.Destroying:
		return state.AppliedDigests{}
	}
	now := s.currentConfigDigests(s.recordedOrNewSalt())
	now.OutputDigests = plan.OutputDigests(now.Salt, s.config, s.snapshot, entries)
	return now
}

// hasSameConfigAndVariables reports whether both stand for one configuration with the same values of variables.
func hasSameConfigAndVariables(a, b state.AppliedDigests) bool {
	return a.NonsensitiveVariablesDigest == b.NonsensitiveVariablesDigest && a.ConfigFilesDigest == b.ConfigFilesDigest
}

// lastApply is what the plan is told of the last apply.
func (s *session) lastApply() plan.LastApply {
	was := s.state.Applied
	last := plan.LastApply{Salt: was.Salt, OutputDigests: was.OutputDigests}
	if len(s.config.Outputs) > 0 || was.OutputDigests != "" {
		// Who declares nothing and asks for what is live need not apply anything.
		nothing := was == state.AppliedDigests{} && len(s.state.Entries) == 0 && len(s.config.Resources) == 0
		last.SameConfigAndVariables = nothing || hasSameConfigAndVariables(was, s.currentConfigDigests(was.Salt))
	}
	return last
}

// entriesWithRenewedDigests is what the digests of the state are to become where nothing is to be done.
func (s *session) entriesWithRenewedDigests(m view.PlanPurpose) []addr.StateEntry {
	r := plan.DigestRenewal{Salt: s.stateSaltIfAny(m), Config: s.config, Snapshot: s.snapshot, Entries: s.state.Entries,
		LiveDigestsOnly: m == view.Refreshing}
	return r.RenewedEntries()
}

// isPartialRun reports whether the run leaves something to another one.
func (s *session) isPartialRun() bool {
	return len(s.runOptions.target)+len(s.runOptions.exclude) > 0 || s.runOptions.onlyImport != nil
}

// recordedOrNewSalt is the key of the state's digests: a new one where it has none.
func (s *session) recordedOrNewSalt() string {
	if s.newAppliedSalt == "" {
		s.newAppliedSalt = rand.Text()
	}
	return cmp.Or(s.state.Applied.Salt, s.newAppliedSalt)
}

// stateSaltIfAny is the salt for what a run records of objects; "": it records no digests.
func (s *session) stateSaltIfAny(m view.PlanPurpose) string {
	switch m {
	case view.Destroying:
		return ""
	case view.Rotating, view.Refreshing: // they record no salt
		return s.state.Applied.Salt
	}
	return s.recordedOrNewSalt()
}

// currentConfigDigests stands for the configuration as it is now.
func (s *session) currentConfigDigests(salt string) state.AppliedDigests {
	files := map[string]string{}
	for name, f := range s.config.FilesWithoutPolicyDirs() {
		sum := sha256.Sum256(tokensWithoutComments(name, f.Bytes))
		files[filepath.ToSlash(name)] = hex.EncodeToString(sum[:])
	}
	variables := make(map[string]json.RawMessage, len(s.config.NonsensitiveVariables))
	for name, v := range s.config.NonsensitiveVariables {
		text, err := ctyjson.Marshal(v, cty.DynamicPseudoType)
		if err != nil {
			text = nil // no variable of a configuration that can be applied; JSON has a word for it
		}
		variables[name] = text
	}
	return state.AppliedDigests{Salt: salt, NonsensitiveVariablesDigest: hmacOfJSON(salt, variables),
		ConfigFilesDigest: hmacOfJSON(salt, files)}
}

// hmacOfJSON is a digest of a map that nobody can look up who does not have the key.
func hmacOfJSON(key string, of any) string {
	text, err := json.Marshal(of)
	if err != nil {
		panic(err) // the maps are of texts and of JSON
	}
	h := hmac.New(sha256.New, []byte(key))
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil)[:sha256.Size/2])
}

// tokensWithoutComments is what a file says, however it is laid out and whatever ends its lines.
func tokensWithoutComments(name string, src []byte) []byte {
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	if strings.HasSuffix(name, ".json") {
		return src
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos) // it was parsed before
	var out bytes.Buffer
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenComment && t.Type != hclsyntax.TokenNewline {
			fmt.Fprintf(&out, "%d:%s", len(t.Bytes), t.Bytes)
		}
	}
	return out.Bytes()
}

// checkConfigIsApplied says where outputs would not be about what was applied.
func (r *outputReader) checkConfigIsApplied(outs []*config.Output) hcl.Diagnostics {
	was, now := r.lastApplied, r.currentConfigDigests(r.lastApplied.Salt)
	switch {
	case was == state.AppliedDigests{} && len(r.entries) == 0 && len(r.config.Resources) == 0:
		return nil // it asks for what is live, and declares nothing
	case was == state.AppliedDigests{} && len(r.entries) == 0:
		return hcl.Diagnostics{outputError(nil, "Nothing was applied yet", "Outputs are about what was applied, and the state records "+
			"nothing. Run \"b2form apply\" first.")}
	}
	var diags hcl.Diagnostics
	said := map[addr.Addr]bool{}
	for _, o := range outs {
		for _, a := range o.Needs {
			if d := r.checkResourceApplied(a); d != nil && !said[a] {
				said[a] = true
				diags = append(diags, d)
			}
		}
	}
	switch {
	case was == state.AppliedDigests{}:
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "What was applied is not recorded",
			Detail: "An earlier b2form wrote the state, so nobody can say whether variables and files are those of the last apply. The " +
				"next \"b2form apply\" records it, also where it has nothing to change."})
	case was.ConfigFilesDigest == "":
		diags = append(diags, outputError(nil, "The last run did not apply everything", "It failed, was cut off, or was told to do a "+
			"part, so what is live may come from more than one configuration. Run \"b2form apply\", and then \"b2form output\"."))
	case was.NonsensitiveVariablesDigest != now.NonsensitiveVariablesDigest:
		diags = append(diags, outputError(nil, "Other variables than at the last apply", "A variable has another value now, so the "+
			"outputs would not be about what was applied. Give the values that apply was given, with the same -var and -var-file; or "+
			"keep them in b2form.b2vars.hcl, and run \"b2form apply\"."))
	case was.ConfigFilesDigest != now.ConfigFilesDigest:
		diags = append(diags, outputError(nil, "The configuration was changed since the last apply", "So the outputs would not be about "+
			"what was applied. Look at \"b2form plan\", then run \"b2form apply\"."))
	}
	return diags
}

// checkResourceApplied says how what is live differs from the declaration at an address; nil: it is
// the one that was applied, as far as names and IDs tell.
func (r *outputReader) checkResourceApplied(a addr.Addr) *hcl.Diagnostic {
	res := r.declared[a]
	if res == nil {
		return nil
	}
	e, recorded := r.entries[a]
	at, what := res.Block.HeaderRange, "is declared, and was not made or taken over yet"
	switch {
	case recorded && !res.MatchesIdentityIgnoringTimestamp(e.Identity):
		at = res.Block.RangeOf(res.Kind.IdentityAttr)
		what = "has another name here than what was applied"
		if !slices.ContainsFunc(slices.Concat(res.SensitiveAttrs, e.SensitiveAttrs), res.Kind.IsIdentityAttr) {
			what = fmt.Sprintf("is %q here, and what was applied is %q", res.Identity(), e.Identity)
		}
	case recorded && r.snapshot.ByID(res.Kind, e.ID) == nil:
		what = "was applied, and is not there any more"
	case recorded:
		return nil
	}
	return outputError(&at, "Not what was applied", fmt.Sprintf("%s %s. Outputs are about what was applied: look at "+
		"\"b2form plan\", then run \"b2form apply\".", a, what))
}

func outputError(at *hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: at}
}
