package main

import (
	"context"
	"encoding/json"
	"io"
	"slices"

	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/planfile"
	"b2form/internal/report"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

func (p *program) showCommand() *cli.Command {
	var markdown bool
	return p.newCommand(&cli.Command{
		Name: "show", Usage: "Show what b2form owns as it is live, or a saved plan", ArgsUsage: "[FILE]",
		Description: `Without FILE the account is read, and every object that the state records is
shown with its live values. With a FILE that "b2form plan -out=FILE" saved, the
plan is shown as it was then; that takes neither credentials nor a network.

Example:
  b2form show
  b2form show photos.plan

` + exitCodes,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(),
			[]cli.Flag{p.planVerboseFlag(), p.jsonFlag("print it as one JSON document, as Terraform does"),
				&cli.BoolFlag{Name: "markdown", Usage: "print a saved plan as Markdown for a comment", Destination: &markdown}}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if markdown && (p.json || c.Args().Len() == 0) {
				return failf("Invalid command line", "-markdown prints a saved plan: give its FILE, and no -json.")
			}
			switch args := c.Args().Slice(); len(args) {
			case 0:
				p.allowNoConfig = true
				return p.withSession(ctx, showLiveOfState)
			case 1:
				return p.showSavedPlan(args[0], markdown)
			}
			return failf("Too many arguments", "show takes one saved plan, or none and shows what is live.")
		},
	})
}

func (p *program) showSavedPlan(path string, markdown bool) error {
	f, m, err := readSavedPlan(path)
	if err != nil {
		return err
	}
	if left := f.Plan.LeftOut; len(left) > 0 {
		p.warn("This is not the whole plan", "Left out by -target or -exclude: "+words.JoinAtMost(addr.Strings(left), 10)+".")
	}
	var around view.PlanContext
	if f.PlanContextJSON != nil && json.Unmarshal(f.PlanContextJSON, &around) != nil {
		return failf("The saved plan is damaged", "%s: what it says beside the plan cannot be read. Make the plan anew with \"b2form plan "+
			"-out=FILE\".", visible.EscapeLine(path))
	}
	if p.json {
		return p.printPlanDocument(f, around)
	}
	if markdown {
		_, err := io.WriteString(p.stdout, report.Markdown(savedPlanReport(f, m), p.maxMarkdownBytes()))
		return err
	}
	p.ui.Plan(f.AddContentsDescriptions(), m)
	p.ui.ReportPolicyExceptions(around.Exceptions)
	p.ui.PlanDigest(savedDigest(f))
	return nil
}

// savedPlanReport is what pipelines are told of a saved plan.
func savedPlanReport(f *planfile.File, m view.PlanPurpose) *report.Run {
	r := report.Recorder{Run: report.Run{ProgramVersion: f.ProgramVersion, Command: "plan",
		State: visible.EscapeLine(f.State)}}
	r.Plan(f.AddContentsDescriptions(), m)
	r.PlanDigest(savedDigest(f))
	return &r.Run
}

// showLiveOfState shows every object that the state records.
func showLiveOfState(ctx context.Context, s *session) error {
	r, err := s.openOutputReader(ctx)
	if err != nil {
		return err
	}
	live, err := s.stateEntriesWithLiveValues(r)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(view.StateDocument(version, live))
	}
	if len(live) == 0 {
		s.printResult("The state is empty: b2form owns nothing here.")
	}
	s.textUI().RecordedObjects(live)
	return nil
}

// stateEntriesWithLiveValues are the objects that the state records, by address, as they are live. What
// the state or the configuration calls sensitive is.
func (s *session) stateEntriesWithLiveValues(r *outputReader) (list []view.RecordedObject, err error) {
	for _, e := range s.state.Entries {
		k := kind.FindKind(s.kinds, e.Addr.Kind)
		if k == nil {
			continue // plan says more
		}
		o := view.RecordedObject{Addr: e.Addr, Kind: k, ID: e.ID, LiveValue: cty.NullVal(k.LiveType()), SensitiveAttrs: e.SensitiveAttrs,
			Retiring: e.Retiring}
		if found := s.snapshot.ByID(k, e.ID); found != nil {
			if o.LiveValue, err = found.Value(); err != nil {
				return nil, err
			}
		}
		if declared := r.declared[e.Addr]; declared != nil {
			o.SensitiveAttrs = append(slices.Clone(e.SensitiveAttrs), declared.SensitiveAttrs...)
		}
		list = append(list, o)
	}
	return list, nil
}
