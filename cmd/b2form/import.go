package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/account"
	"b2form/internal/adopt"
	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

func (p *program) importCommand() *cli.Command {
	o := &runOptions{}
	return p.newCommand(&cli.Command{
		Name: "import", Usage: "Take over one thing that exists", ArgsUsage: "ADDRESS ID_OR_NAME",
		Description: `The resource at ADDRESS, which must be declared, takes over what has the ID or
name; the block of a bucket must declare the name that the bucket has in B2.
The import is shown and done after an approval; only "yes" approves. Nothing is
changed in B2, also where the block says otherwise: the next plan shows that.

An import block does the same in a plan, and says so to everybody. For a block
that does not exist yet: write an import block, then
b2form plan -generate-config-out=FILE.

Example:
  b2form import bucket.photos acme-photos
  b2form import -auto-approve 'key.logs["edge"]' reader-edge

` + approvalCodes,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), p.lockFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "auto-approve", Usage: "do not ask", Destination: &o.autoApprove},
			o.expectFlag(),
			p.jsonFlag("print JSON lines; needs -auto-approve or -expect"),
		}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 2 {
				return failf("Invalid command line", "Usage: b2form import ADDRESS ID_OR_NAME. Run %q for all options.",
					c.FullName()+" -help")
			}
			to, err := parseAddress(c.Args().Get(0), addr.Parse)
			if err != nil {
				return failf("Invalid address", "%s.", err)
			}
			o.onlyImport = &config.Import{To: to, IDOrIdentity: c.Args().Get(1)}
			return p.runApply(ctx, view.Planning, o)
		},
	})
}

// addCommandLineImport makes the import that the command line asks for a block of the configuration,
// in place of one for the same address.
func (s *session) addCommandLineImport() {
	i := s.runOptions.onlyImport
	if i == nil {
		return
	}
	s.config.Imports = append(slices.DeleteFunc(s.config.Imports, func(o config.Import) bool { return o.To == i.To }), *i)
}

// addAndCheckCommandLineImport refuses an import of which nothing could come.
func (s *session) addAndCheckCommandLineImport(st *state.State) error {
	i := s.runOptions.onlyImport
	if i == nil {
		return nil
	}
	s.addCommandLineImport() // to what answers of data blocks made anew
	declared := s.config.FindResource(i.To)
	if declared == nil {
		var instances []string
		var known []addr.Addr
		for _, r := range s.config.Resources {
			known = append(known, r.Addr)
			if i.To.Covers(r.Addr) {
				instances = append(instances, "'"+r.Addr.String()+"'")
			}
		}
		if len(instances) > 0 {
			return failf("Name one instance", "The block of %s declares %s, and each is imported by itself. Name one: %s.", i.To,
				words.Count(len(instances), "instance", "instances"), words.JoinAtMost(instances, 5))
		}
		return failf("Nothing is declared there", "No resource has the address %s.%s Declare it, or write an import block and let "+
			"\"b2form plan -generate-config-out=FILE\" write the block.", i.To, plan.AddressAdvice(i.To, known))
	}
	k := declared.Kind
	for _, e := range st.Entries {
		if e.Addr == i.To && s.snapshot.ByID(k, e.ID) != nil {
			return failf("The address is taken", "The state has %s %q (ID %s) at %s already. `b2form state rm '%s'` forgets it.", k.Name,
				e.Identity, e.ID, i.To, i.To)
		}
	}
	if len(s.findLiveObjects(k, i.IDOrIdentity)) == 0 {
		return failf("Nothing to import", "There is no %s with the name or ID %q that these credentials can see. Correct it.", k.Name,
			i.IDOrIdentity)
	}
	return nil
}

// generateConfig writes blocks for what import blocks name and nobody declares. Where
// nothing is missing it writes nothing.
func (p *program) generateConfig(ctx context.Context, file string) (err error) {
	if !strings.HasSuffix(file, adopt.Suffix) {
		return failf("Invalid name of a file", "-generate-config-out=%s: the name must end with %s, so that the blocks count.", file,
			adopt.Suffix)
	}
	dir, dirErr := os.Stat(filepath.Dir(file))
	if here, err := os.Stat("."); err == nil && (dirErr != nil || !os.SameFile(dir, here)) {
		return failf("Not in the folder of the configuration", "-generate-config-out=%s: blocks count in the folder of the configuration "+
			"alone. Give a name in it, as -generate-config-out=%s.", file, filepath.Base(file))
	}
	s := &session{program: p, kinds: schema.Kinds()}
	s.allowImportsOfUndeclared = true
	defer func() { s.allowImportsOfUndeclared = false }()
	if err := s.loadConfigAllowingUnset(nil); err != nil {
		return err
	}
	declared := s.config.ResourcesByAddr()
	missing := slices.DeleteFunc(slices.Clone(s.config.Imports), func(i config.Import) bool { return declared[i.To] != nil })
	var unwritable []config.Import
	missing = slices.DeleteFunc(missing, func(i config.Import) bool {
		other := i.To.Module != "" || !i.To.Instance.IsSingle()
		if other {
			unwritable = append(unwritable, i)
		}
		return other
	})
	defer s.warnUnwritable(unwritable)
	if len(missing) == 0 && len(unwritable) > 0 {
		p.ui.Note(file + " was not written.")
		return nil
	}
	if len(missing) == 0 {
		p.ui.Note("Every import block names what is declared, so " + file + " was not written.")
		return nil
	}
	if err := s.prepareClientOrEmulator(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stopLocalB2()) }()
	st, err := s.readState(ctx)
	if err != nil {
		return err
	}
	o := &adoptOptions{includePatterns: []string{""}, notificationRules: true}
	for _, i := range missing {
		o.includePatterns = append(o.includePatterns, bucketOfImportID(i.IDOrIdentity))
	}
	notes, err := s.readSnapshotToAdopt(ctx, st, o)
	if err != nil {
		return err
	}
	if err := s.readLiveImportedFiles(ctx, missing); err != nil {
		return err
	}
	request := adopt.Request{Kinds: s.kinds, Snapshot: s.snapshot, Config: s.config, Entries: st.Entries,
		Now: s.b2Time(), Notes: notes, OnlyAddresses: map[adopt.ObjectID]addr.Addr{}}
	var files []*kind.Object
	for _, i := range missing {
		object, err := s.objectToImport(&i)
		if err != nil {
			return err
		}
		request.OnlyAddresses[adopt.ObjectID{Kind: i.To.Kind, ID: object.ID}] = i.To
		if object.Kind.Content != nil {
			files = append(files, object)
		}
	}
	folder := &downloadTarget{}
	defer func() { err = errors.Join(err, folder.closeRemovingIfFailed(err != nil)) }()
	if err := s.fetchContents(ctx, &request, s.contentKind(), files, folder); err != nil {
		return err
	}
	return s.writeGeneratedConfig(file, request)
}

// warnUnwritable says for which import blocks no blocks are written.
func (s *session) warnUnwritable(imports []config.Import) {
	if len(imports) == 0 {
		return
	}
	var addresses []string
	for _, i := range imports {
		addresses = append(addresses, i.To.String())
	}
	s.ui.Diagnostics(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "Not every block was written", Subject: &imports[0].Range,
		Detail: fmt.Sprintf("No block was written for %s: b2form writes blocks for addresses without an instance key, and none into "+
			"modules. Declare them by hand, or give each an import block without for_each, to an address such as %s.%s_1.",
			words.JoinAtMost(addresses, 3), imports[0].To.Kind, imports[0].To.Label)}}, s.sourceFiles)
}

// contentKind is the kind whose objects hold content.
func (s *session) contentKind() *kind.Kind {
	return s.kinds[slices.IndexFunc(s.kinds, func(k *kind.Kind) bool { return k.Content != nil })]
}

// readLiveImportedFiles looks for the files that import blocks name.
func (s *session) readLiveImportedFiles(ctx context.Context, imports []config.Import) error {
	k := s.contentKind()
	var need account.KindQuery
	for _, i := range imports {
		if i.To.Kind == k.Name {
			need.WantedIdentities, need.WantedIDs = append(need.WantedIdentities, k.NormalizeIdentity(i.IDOrIdentity)),
				append(need.WantedIDs, i.IDOrIdentity)
		}
	}
	_, err := account.ReadMoreChildren(ctx, s.client, s.kinds, account.Query{k.Name: need}, s.snapshot)
	return err
}

func bucketOfImportID(id string) string { bucket, _, _ := strings.Cut(id, "/"); return bucket }

// findLiveObjects are the live objects that have an ID, or else the name.
func (s *session) findLiveObjects(k *kind.Kind, idOrName string) []*kind.Object {
	if o := s.snapshot.ByID(k, idOrName); o != nil {
		return []*kind.Object{o}
	}
	return s.snapshot.ByIdentity(k, k.NormalizeIdentity(idOrName))
}

// objectToImport is the one live object that an import block names.
func (s *session) objectToImport(i *config.Import) (*kind.Object, error) {
	found := s.findLiveObjects(kind.FindKind(s.kinds, i.To.Kind), i.IDOrIdentity)
	why := fmt.Sprintf("There is no %s with the name or ID %q that these credentials can see. Correct the id.", i.To.Kind, i.IDOrIdentity)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(i.SiblingIDsOrIdentities) > 0:
		why = "With ids, for a key that rotates, b2form cannot know how it is to rotate. Write the block by hand."
	case len(found) > 1:
		why = fmt.Sprintf("%d live objects have the name %q. Write the ID of one of them; \"b2form keys -verbose\" lists them.", len(found),
			i.IDOrIdentity)
	}
	return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "No block can be written for " + i.To.String(), Detail: why,
		Subject: &i.Range}}
}

func (s *session) writeGeneratedConfig(file string, request adopt.Request) error {
	result, err := adopt.ConfigForLiveObjects(request)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, f := range result.Files {
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(f.Text)
	}
	for _, l := range result.Undeclarable {
		return failf("No block can be written", "%s %s: %s", l.Kind, wire.QuoteB2Text(l.Name), l.Reason)
	}
	if err := writeNewFile(file, text.String()); err != nil {
		return failf("A file cannot be written", "%s: %s. Give the name of a new file.", file, words.ErrorWithoutPath(err))
	}
	s.ui.Note("Wrote " + file + ".")
	for _, n := range result.Notes {
		s.warn("Not everything was seen", n.Text)
	}
	s.warnUnknownSettings(result.UnknownSettings)
	return nil
}
