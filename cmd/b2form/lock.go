package main

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/state"
)

func (p *program) lockCommand() *cli.Command {
	var breaking bool
	return p.newCommand(&cli.Command{
		Name: "lock", Usage: "Show who holds the lock of the state, or break it",
		Description: `A run locks the state while it changes it. The lock of a state in a file ends
with its process. That of a state in a bucket ends two minutes after its run
was killed; breaking it saves the wait. That behind a server stays after a kill
until it is broken; that in a database ends with the connection. A run whose lock was broken notices and stops: it stores
nothing any more, but what it had sent stays sent.

Example:
  b2form lock
  b2form lock -break
  b2form lock -json

` + exitCodes,
		Flags: append(p.stateCommandFlags(), p.jsonFlag("print it as one JSON document"),
			&cli.BoolFlag{Name: "break", Usage: "take the lock away from the run that holds it", Destination: &breaking}),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			if err := checkNoArguments(c); err != nil {
				return err
			}
			b := s.backend()
			look, said := state.Backend.LockHolder, "The state is locked.\n\n%s"
			if breaking {
				look, said = state.Backend.BreakLock, "The lock is broken.\n\n%s"
			}
			held, err := look(b, ctx)
			switch {
			case err != nil:
				return err
			case p.json:
				return p.printJSON(lockDocument{"1.0", held != nil && !breaking, held != nil && breaking, held})
			case held == nil:
				p.printResult("The state is not locked.")
			default:
				p.printResult(said, held.InfoText())
			}
			return nil
		}),
	})
}

// warnAnotherRun says of a state that was read without its lock who was changing it: what that run is in the middle of
// looks like a change.
func warnAnotherRun(st *state.State) hcl.Diagnostics {
	if st.HeldBy == nil {
		return nil
	}
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "Another run is changing the state", Detail: st.HeldBy.Sentence() +
		" What that run is in the middle of may be shown here as changes. Run this command again when it has ended; `b2form lock` " +
		"shows whether it has."}}
}

// A lockDocument is what lock -json prints.
type lockDocument struct {
	FormatVersion   string             `json:"format_version"`
	Locked          bool               `json:"locked"`
	BrokenByThisRun bool               `json:"broken"` // this command took the lock away
	Holder          *state.LockedError `json:"holder"` // who holds it, or held it; null: nobody
}
