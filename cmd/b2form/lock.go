package main

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/state"
)

func (p *program) lockCommand() *cli.Command {
	var breaking, force bool
	return p.newCommand(&cli.Command{
		Name: "lock", Usage: "Show who holds the lock of the state, or break it",
		Description: `A run locks the state while it changes it. The lock of a state in a file ends
with its process. That of a state in a bucket ends two minutes after its run
was killed; breaking it saves the wait. That behind a server stays after a kill
until it is broken; that in a database ends with the connection. A run whose lock was broken notices and stops: it stores
nothing any more, but what it had sent stays sent. Before a lock is broken, it
is shown whose it is; only "yes" approves, or -force.

Example:
  b2form lock
  b2form lock -break
  b2form lock -json

` + exitCodes,
		Flags: append(p.stateCommandFlags(), p.jsonFlag("print it as one JSON document; -break needs -force then"),
			&cli.BoolFlag{Name: "break", Usage: "take the lock away from the run that holds it", Destination: &breaking},
			&cli.BoolFlag{Name: "force", Usage: "with -break, do not ask", Destination: &force}),
		Action: p.stateAction(func(ctx context.Context, _ *cli.Command, s *session) error {
			if force && !breaking {
				return failf("Invalid command line", "-force goes with -break.")
			}
			b := s.backend()
			held, err := b.LockHolder(ctx)
			said := "The state is locked.\n\n%s"
			if breaking && held != nil && err == nil {
				held, err = s.breakLock(ctx, b, held, force)
				said = "The lock is broken.\n\n%s"
			}
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

// breakLock takes the lock away from its holder, after an approval unless force says that none is wanted. nil: it had ended meanwhile.
func (s *session) breakLock(ctx context.Context, b state.Backend, holder *state.LockedError, force bool) (*state.LockedError, error) {
	if _, local := b.(state.LocalFile); local || force { // that of a file is never broken
		return b.BreakLock(ctx)
	}
	if err := s.checkLockBreakCanBeAsked(holder); err != nil {
		return nil, err
	}
	s.printToStderr("The state is locked.\n\n" + holder.InfoText())
	if err := s.askApproval(ctx, lockBreakQuestion); err != nil {
		return nil, err
	}
	if now, err := b.LockHolder(ctx); err != nil || now == nil {
		return nil, err
	} else if !now.IsSameLock(holder) {
		return nil, failf("Another run has the lock now", "The run that was shown has ended, so nothing was changed. %s", now.Sentence())
	}
	return b.BreakLock(ctx)
}

// checkLockBreakCanBeAsked fails where a prompt would wait for nobody, and says whose lock it is.
func (p *program) checkLockBreakCanBeAsked(holder *state.LockedError) error {
	why := "Standard input is not a terminal."
	switch {
	case p.interactive():
		return nil
	case p.json:
		why = "lock -json speaks to programs."
	case p.stdinTerminal:
		why = "Asking is switched off by -input=false or TF_INPUT."
	}
	return failf("Approval cannot be asked for", "%s %s Make sure that this run has ended, then break its lock with -break -force.",
		holder.Sentence(), why)
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
