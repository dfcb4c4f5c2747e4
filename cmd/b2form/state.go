package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/state"
	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
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
		Action: p.requireSubcommand,
	})
	c.Commands = []*cli.Command{p.stateList(), p.stateShow(), p.stateRemove(), p.stateMove(),
		p.statePull(), p.statePush(), p.stateMigrate(), p.stateInit()}
	return c
}

// stateCommandFlags are those of every command that works on the state alone.
func (p *program) stateCommandFlags() []cli.Flag {
	return slices.Concat(p.configFlags(), p.accountFlags())
}

func (p *program) stateList() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "list", Usage: "List the addresses of what b2form owns", ArgsUsage: "[PREFIX ...]",
		Description: "Where there is no state, that is an error.\n\nExample:\n  b2form state list bucket.\n\n" + exitCodes,
		Flags:       append(p.stateCommandFlags(), p.jsonFlag("print what is recorded of them as JSON")),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			st, err := s.readState(ctx)
			if err != nil {
				return err
			}
			if st.IsEmpty() {
				return s.noStateError()
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

// noStateError is for what is about the state, where there is none; more are further sentences.
func (s *session) noStateError(more ...string) error {
	said := append([]string{fmt.Sprintf("There is no state at %s. The first apply makes one: run this where the configuration is that was "+
		"applied, or name its folder with -chdir.", visible.EscapeLine(fmt.Sprint(s.backend())))}, more...)
	return failf("No state file was found!", "%s", strings.Join(said, " "))
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
		Name: "show", Usage: "Show what the state records of an object", ArgsUsage: "ADDRESS",
		Description: `Settings are not recorded: "b2form plan" compares with the live ones. The
address of a block with for_each or count, and that of a module, show all that
the state has of it; with -json a list, as "b2form state list -json" prints it.

Example:
  b2form state show 'bucket.logs["edge"]'
  b2form state show module.site

` + exitCodes,
		Flags: append(p.stateCommandFlags(), p.jsonFlag("print it as JSON")),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			addrs, err := parseAddresses(c, 1, 1)
			if err != nil {
				return err
			}
			st, err := s.readState(ctx)
			if err != nil {
				return err
			}
			entries, err := findEntries(st, addrs[0])
			switch {
			case err != nil:
				return err
			case p.json && entries[0].Addr == addrs[0]:
				return p.printJSON(newStateListDocument(entries).Resources[0])
			case p.json:
				return p.printJSON(newStateListDocument(entries))
			}
			var texts [][]byte
			for _, e := range entries {
				texts = append(texts, entryHCL(e))
			}
			_, err = p.stdout.Write(bytes.Join(texts, []byte("\n")))
			return err
		}),
	})
}

// entryHCL is what is recorded, as HCL.
func entryHCL(e addr.StateEntry) []byte {
	f := hclwrite.NewEmptyFile()
	set := func(name string, v cty.Value) { f.Body().SetAttributeValue(name, v) }
	set("address", cty.StringVal(e.Addr.String()))
	identity := kind.FormatValue(cty.StringVal(wire.EscapeNonNFC(e.Identity)))
	f.Body().SetAttributeRaw("identity", hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(identity)}})
	set("id", cty.StringVal(e.ID))
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"created", e.Created}, {"adopted", e.Adopted}, {"updated", e.Updated}} {
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
too, or the next plan imports them again. The address of a block with for_each
or count, and that of a module, stand for all that the state has of it.

Example:
  b2form state rm bucket.photos
  b2form state rm module.site

` + exitCodes,
		Flags: slices.Concat(p.stateCommandFlags(), p.lockFlags()),
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
	var forgotten []addr.Addr
	seen := map[addr.Addr]bool{}
	for _, a := range addrs {
		found := addrsCoveredBy(st, a)
		if found == nil {
			return notInStateError(a, st.Entries)
		}
		for _, a := range found {
			if !seen[a] {
				seen[a], forgotten = true, append(forgotten, a)
			}
		}
	}
	intents := slices.DeleteFunc(slices.Clone(st.OpenIntents), func(i state.CreateIntent) bool { return !seen[i.Addr] })
	if err := errors.Join(store.ForgetEntries(forgotten...), store.DropIntents(intents...)); err != nil {
		return err
	}
	for _, a := range forgotten {
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

// addrsCoveredBy are the addresses of entries, and of what interrupted runs were about to make, that are a, or of its
// block or module; nil: there are none.
func addrsCoveredBy(st *state.State, a addr.Addr) (found []addr.Addr) {
	for _, e := range st.Entries {
		if a.Covers(e.Addr) {
			found = append(found, e.Addr)
		}
	}
	for _, i := range st.OpenIntents {
		if a.Covers(i.Addr) {
			found = append(found, i.Addr)
		}
	}
	return found
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
		Description: `For a block whose label changed. Between two addresses without keys all
instances move and keep their keys; between two modules moves all that is in
them. A moved block does the same for everybody who applies.

Example:
  b2form state mv bucket.old 'bucket.new["edge"]'
  b2form state mv module.old module.new

` + exitCodes,
		Flags: slices.Concat(p.stateCommandFlags(), p.lockFlags()),
		Action: p.stateAction(func(ctx context.Context, c *cli.Command, s *session) error {
			addrs, err := parseAddresses(c, 2, 2)
			if err != nil {
				return err
			}
			from, to := addrs[0], addrs[1]
			switch {
			case from.Kind != "" && to.Kind == "" || from.Kind == "" && to.Kind != "":
				return failf("A module and a resource", "%s cannot become %s: give two resources, or two modules.", from, to)
			case from.Kind != to.Kind:
				return failf("Kinds differ", "%s cannot become %s: a %s stays a %s.", from, to, from.Kind, from.Kind)
			}
			return s.changeState(ctx, "state mv", func(store *state.Store) error {
				moves, err := findMoves(store.State(), config.Move{From: from, To: to})
				if err == nil {
					err = store.MoveAndPut(moves, nil)
				}
				if err != nil {
					return err
				}
				for _, m := range moves {
					p.printResult("Moved %s to %s", m.From, m.To)
				}
				return nil
			})
		}),
	})
}

// findMoves are the moves of single entries that a move comes to, as with a moved block.
func findMoves(st *state.State, move config.Move) (moves []state.EntryMove, err error) {
	for _, e := range st.Entries {
		if to, ok := move.Apply(e.Addr); ok {
			moves = append(moves, state.EntryMove{From: e.Addr, To: to})
		}
	}
	if moves != nil {
		return moves, nil
	}
	entries, err := findEntries(st, move.From)
	if err != nil {
		return nil, err
	}
	return nil, failf("Several instances", "%s has instances in the state, the first of which is %s. Name one of them, or give two "+
		"addresses without keys: then all move, and keep their keys.", move.From, entries[0].Addr)
}

// parseAddresses parses the arguments, at least minimum and at most maximum of them; -1:
// any number.
func parseAddresses(c *cli.Command, minimum, maximum int) ([]addr.Addr, error) {
	args := c.Args().Slice()
	if len(args) < minimum || maximum >= 0 && len(args) > maximum {
		return nil, failf("Wrong number of arguments", "Usage: %s %s.", c.FullName(), c.ArgsUsage)
	}
	return parseAll(args, addr.ParseTarget)
}

// findEntries gives the entries that an address stands for: that of an object, or all of a block or of a module.
func findEntries(st *state.State, a addr.Addr) ([]addr.StateEntry, error) {
	var found []addr.StateEntry
	for _, e := range st.Entries {
		if a.Covers(e.Addr) {
			found = append(found, e)
		}
	}
	if found == nil {
		return nil, notInStateError(a, st.Entries)
	}
	return found, nil
}

func notInStateError(a addr.Addr, entries []addr.StateEntry) error {
	known := make([]addr.Addr, len(entries))
	for i, e := range entries {
		known[i] = e.Addr
	}
	return failf(fmt.Sprintf("%s is not in the state", a), "b2form does not own an object at %s.%s Run \"b2form state list\" for all.", a,
		plan.AddressAdvice(a, known))
}
