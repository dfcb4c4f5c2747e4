package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/state"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/addr"
)

func (p *program) stateCommand() *cli.Command {
	c := p.newCommand(&cli.Command{
		Name: "state", Usage: "Look at or correct what b2form owns", ArgsUsage: "COMMAND",
		Description: `The state lists the objects that b2form owns. It holds no setting and no
secret. None of these commands changes what b2form owns on B2.

Example:
  b2form state list
  b2form state mv bucket.old bucket.new

` + exitCodes,
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return unknownCommandError(c, name)
			}
			p.printHelp(c)
			return exitCode(1)
		},
	})
	c.Commands = []*cli.Command{p.stateList(), p.stateShow(), p.stateRemove(), p.stateMove(),
		p.statePull(), p.statePush(), p.stateMigrate(), p.stateInit()}
	return c
}

// stateFlags are those of every command that works on the state alone.
func (p *program) stateFlags() []cli.Flag { return slices.Concat(p.configFlags(), p.accountFlags()) }

func (p *program) stateList() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "list", Usage: "List the addresses of what b2form owns", ArgsUsage: "[PREFIX ...]",
		Description: "Example:\n  b2form state list bucket.\n\n" + exitCodes,
		Flags:       append(p.stateFlags(), p.jsonFlag("print what is recorded of them as JSON")),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			st, err := s.readState(ctx)
			if err != nil {
				return err
			}
			if p.json {
				list := slices.DeleteFunc(slices.Clone(st.Entries), func(e addr.StateEntry) bool {
					return !matchesPrefixesIfAny(e.Addr.String(), c.Args().Slice())
				})
				return p.printJSON(newStateListDocument(list))
			}
			for _, e := range st.Entries {
				if addr := e.Addr.String(); matchesPrefixesIfAny(addr, c.Args().Slice()) {
					fmt.Fprintln(p.stdout, addr)
				}
			}
			return nil
		}),
	})
}

func matchesPrefixesIfAny(s string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return len(prefixes) == 0
}

func (p *program) stateShow() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "show", Usage: "Show what the state records of one object", ArgsUsage: "ADDRESS",
		Description: "Settings are not recorded: \"b2form plan\" compares with the live ones.\n\nExample:\n  b2form state show " +
			"'bucket.logs[\"edge\"]'\n\n" + exitCodes,
		Flags: append(p.stateFlags(), p.jsonFlag("print it as JSON")),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			addrs, err := parseAddresses(c, 1, 1)
			if err != nil {
				return err
			}
			st, err := s.readState(ctx)
			if err != nil {
				return err
			}
			e, ok := st.FindEntry(addrs[0])
			if !ok {
				return notInStateError(addrs[0], st.Entries)
			}
			if p.json {
				return p.printJSON(newStateListDocument([]addr.StateEntry{e}).Resources[0])
			}
			_, err = p.stdout.Write(entryHCL(e))
			return err
		}),
	})
}

// entryHCL is what is recorded, as HCL.
func entryHCL(e addr.StateEntry) []byte {
	f := hclwrite.NewEmptyFile()
	set := func(name string, v cty.Value) { f.Body().SetAttributeValue(name, v) }
	set("address", cty.StringVal(e.Addr.String()))
	set("identity", cty.StringVal(e.Identity))
	set("id", cty.StringVal(e.ID))
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"created", e.Created}, {"adopted", e.Adopted}} {
		if !t.at.IsZero() {
			set(t.name, cty.StringVal(t.at.UTC().Format(time.RFC3339)))
		}
	}
	if e.DeliveryDigest != "" {
		set("delivered", cty.BoolVal(e.Delivered))
	}
	if e.PreventDestroy {
		set("prevent_destroy", cty.True)
	}
	if e.ForceDestroy {
		set("force_destroy", cty.True)
	}
	return []byte(visible.EscapeLines(string(hclwrite.Format(f.Bytes()))))
}

func (p *program) stateRemove() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "rm", Usage: "Forget objects without destroying them", ArgsUsage: "ADDRESS ...",
		Description: `The objects stay on B2 and are nobody's, as do those that they replaced and
what an interrupted run made for them; these are named. Remove their blocks
too, or the next plan imports them again.

Example:
  b2form state rm bucket.photos

` + exitCodes,
		Flags: slices.Concat(p.stateFlags(), p.lockFlags()),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			addrs, err := parseAddresses(c, 1, -1)
			if err != nil {
				return err
			}
			return s.changeState(ctx, "state rm", func(store *state.Store) error {
				return p.forgetAddresses(store, addrs)
			})
		}),
	})
}

// forgetAddresses drops all that the state says of addresses, and names what nothing tells of any more:
// predecessors, and what interrupted runs may have made.
func (p *program) forgetAddresses(store *state.Store, addrs []addr.Addr) error {
	st := store.State()
	var intents []state.CreateIntent
	for _, a := range addrs {
		open := slices.DeleteFunc(slices.Clone(st.OpenIntents), func(i state.CreateIntent) bool { return i.Addr != a })
		if _, ok := st.FindEntry(a); !ok && len(open) == 0 {
			return notInStateError(a, st.Entries)
		}
		intents = append(intents, open...)
	}
	if err := errors.Join(store.ForgetEntries(addrs...), store.DropIntents(intents...)); err != nil {
		return err
	}
	for _, a := range addrs {
		p.printResult("Removed %s", a)
		e, _ := st.FindEntry(a)
		for _, old := range e.Retiring {
			p.printResult("  %s, which it had replaced, stays in B2 too, and nothing will delete it", nameAndID(old.Name, old.ID))
		}
		for _, i := range intents {
			if i.Addr == a {
				p.printResult("  %q, which an interrupted run was about to make, stays in B2 if it is there", i.Identity)
			}
		}
	}
	return nil
}

// nameAndID is how the state shows an object. A state of an old b2form has no name of a predecessor.
func nameAndID(name, id string) string {
	if name == "" {
		return "ID " + visible.EscapeLine(id)
	}
	return fmt.Sprintf("%q, ID %s", name, visible.EscapeLine(id))
}

func (p *program) stateMove() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "mv", Usage: "Give an object another address", ArgsUsage: "FROM TO",
		Description: "For a block whose label changed.\n\nExample:\n  b2form state mv bucket.old 'bucket.new[\"edge\"]'\n\n" + exitCodes,
		Flags:       slices.Concat(p.stateFlags(), p.lockFlags()),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			addrs, err := parseAddresses(c, 2, 2)
			if err != nil {
				return err
			}
			from, to := addrs[0], addrs[1]
			if from.Kind != to.Kind {
				return failf("Kinds differ", "%s cannot become %s: a %s stays a %s.", from, to, from.Kind, from.Kind)
			}
			return s.changeState(ctx, "state mv", func(store *state.Store) error {
				st := store.State()
				if _, ok := st.FindEntry(from); !ok {
					return notInStateError(from, st.Entries)
				}
				if err := store.MoveEntry(from, to); err != nil {
					return err
				}
				p.printResult("Moved %s to %s", from, to)
				return nil
			})
		}),
	})
}

// parseAddresses parses the arguments, at least minimum and at most maximum of them; -1:
// any number.
func parseAddresses(c *cli.Command, minimum, maximum int) ([]addr.Addr, error) {
	args := c.Args().Slice()
	if len(args) < minimum || maximum >= 0 && len(args) > maximum {
		return nil, failf("Wrong number of arguments", "Usage: %s %s.", c.FullName(), c.ArgsUsage)
	}
	return parseAll(args, addr.Parse)
}

// parseAll reads arguments that are addresses.
func parseAll(args []string, parse func(string) (addr.Addr, error)) ([]addr.Addr, error) {
	out := make([]addr.Addr, len(args))
	for i, arg := range args {
		a, err := parse(arg)
		if err != nil {
			return nil, failf("Invalid address", "%s.", words.Capitalize(err.Error()))
		}
		out[i] = a
	}
	return out, nil
}

func notInStateError(a addr.Addr, entries []addr.StateEntry) error {
	var names []string
	for _, e := range entries {
		names = append(names, e.Addr.String())
	}
	return failf(fmt.Sprintf("%s is not in the state", a), "b2form does not own an object at %s.%s Run \"b2form state list\" for all.", a,
		words.DidYouMean(a.String(), "", names))
}
