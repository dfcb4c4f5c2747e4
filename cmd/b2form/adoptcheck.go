package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/account"
	"b2form/internal/adopt"
	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

func firstError(diags hcl.Diagnostics) *hcl.Diagnostic {
	return diags[slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool { return d.Severity == hcl.DiagError })]
}

// firstErrorLine is the first error of some, with its place if it has one.
func firstErrorLine(diags hcl.Diagnostics) string {
	first := firstError(diags)
	place := ""
	if first.Subject != nil {
		place = first.Subject.String() + ": "
	}
	return place + first.Summary + "; " + first.Detail
}

// checkPlanOnlyImports plans what was written: it must take over what is live and change nothing.
func (s *session) checkPlanOnlyImports(r *adopt.Result, st *state.State) error {
	var diags hcl.Diagnostics
	if err := s.loadConfigAllowingUnset(s.snapshot, hiddenValues(r)...); errors.As(err, &diags) {
		return failf("The folder changed meanwhile", "What was written does not go with what is in the folder now, so it was removed "+
			"again: %s. If another program wrote here at the same time, run adopt again; else leave that out with -exclude.",
			strings.TrimSuffix(firstErrorLine(diags), "."))
	} else if err != nil {
		return err
	}
	adopted := make(map[addr.Addr]bool, len(r.Addrs))
	for _, a := range r.Addrs {
		adopted[a] = true
	}
	whole := *s.config
	whole.Resources = slices.DeleteFunc(slices.Clone(whole.Resources), func(r *config.Resource) bool {
		return !adopted[r.Addr] && !hasOnlyKnownValues(r)
	})
	whole.Imports = slices.DeleteFunc(slices.Clone(whole.Imports), func(i config.Import) bool {
		return !adopted[i.To] && !s.tellsNamesakesApart(i)
	})
	whole.Moves, whole.Removals, whole.Settings = nil, nil, config.Settings{}
	made, diags := plan.Make(plan.Request{Config: &whole, Kinds: s.kinds, Snapshot: s.snapshot, Entries: st.Entries, Now: s.b2Time(),
		LocalClockTime: s.now()})
	if diags.HasErrors() {
		return diags
	}
	var differ []string
	for i := range made.Changes {
		if c := &made.Changes[i]; adopted[c.Addr] && (!c.Import || c.Action != plan.NoOp) {
			differ = append(differ, fmt.Sprintf("%s (%s)", c.Addr, cmp.Or(strings.Join(c.Fields, ", "), string(c.Action))))
		}
	}
	if len(differ) > 0 {
		return failf("What was written would change something", "The plan of it is not to import alone, so the files were removed again: "+
			"%s. Leave these out with -exclude, and declare them by hand.", words.JoinAnd(differ))
	}
	return nil
}

// tellsNamesakesApart reports whether an import is needed to know which of several objects of one name a block is.
func (s *session) tellsNamesakesApart(i config.Import) bool {
	k := kind.FindKind(s.kinds, i.To.Kind)
	return k != nil && k.NamesRepeat && s.snapshot.ByID(k, i.IDOrIdentity) != nil
}

func hasOnlyKnownValues(r *config.Resource) bool {
	for i := range r.Kind.Attrs {
		if v := r.Value.PointerAt(i); v != nil && !v.IsWhollyKnown() {
			return false
		}
	}
	return true
}

// hiddenValues are the values of the variables that were written in place of secrets.
func hiddenValues(r *adopt.Result) (values []schema.VariableValue) {
	for _, h := range r.HiddenValues {
		values = append(values, schema.VariableValue{Name: h.VariableName, Value: h.Reveal()})
	}
	return values
}

// describePlanBesidesImports says what the plan of the whole folder does beside the imports of what was
// written; "": nothing.
func (s *session) describePlanBesidesImports(ctx context.Context, r *adopt.Result, st *state.State) (besides string) {
	unknown := "What the plan of the whole folder does beside is not known here"
	o := s.schemaOptions(s.kinds)
	o.Ask, o.Snapshot = nil, s.snapshot
	o.Vars = append(slices.Clip(o.Vars), hiddenValues(r)...)
	s.state = st
	var diags hcl.Diagnostics
	var made *plan.Plan
	if s.config, diags = schema.Load(o); !diags.HasErrors() {
		_, err := account.ReadMoreChildren(ctx, s.client, s.kinds, s.configAndStateQuery(), s.snapshot)
		if err == nil {
			_, err = s.answerData(ctx, o, s.configAndStateQuery)
		}
		if err != nil && !errors.As(err, &diags) {
			return unknown + "." // plan says why
		}
	}
	if !diags.HasErrors() {
		made, diags = plan.Make(s.defaultPlanRequest())
	}
	if diags.HasErrors() {
		return fmt.Sprintf("%s (%s).", unknown, visible.EscapeLine(firstError(diags).Summary))
	}
	if counts := made.Counts(); counts != (plan.Counts{Import: len(r.Addrs)}) {
		return "The plan of the whole folder is more than that:\n" + view.PlanSummary(counts)
	}
	return ""
}

// warnUnknownSettings says what is live and cannot be declared, since this release does not know it.
func (s *session) warnUnknownSettings(list []adopt.UnknownSettings) {
	const mostObjects, mostNames = 5, 10
	for _, u := range list {
		var objects []string
		for _, name := range u.Identities {
			objects = append(objects, wire.QuoteB2Text(name))
		}
		s.warn("Not all that is live can be declared", fmt.Sprintf("In B2, %s of the %s %s has settings that this release of b2form does "+
			"not know: %s. They stay until an apply changes %[1]s: B2 takes it as a whole, so they are gone then. Change it with another "+
			"program, or use a later release that knows them.", u.AttrName, u.KindName, words.JoinAtMost(objects, mostObjects),
			words.JoinAtMost(u.QuotedNames, mostNames)))
	}
}
