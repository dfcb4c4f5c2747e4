package b2form_test

import (
	"go/types"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// retiredNames lists by package what is called something else now: pairs of the
// exported or type name that was given up and the one that stands for it, with the
// package where that is another one. Fields and methods stand behind their type.
const retiredNames = `
cmd/b2form:
	box localB2, consoleWorld consoleInput, each repeatedFlag, face ui, guarded fencedAPI, sink stdout,
	toggle switchFlag, unwritten writeError, watch progress, world system
internal/account:
	Need KindQuery, Want Query, More ReadMore, Wanted QueryFor, needed kindQuery, part childQuery,
	wanting queryBuilder
internal/secret:
	Destinations PreparedDelivery, Env Options, Self KeyInfo,
	Slots PreparedDelivery, slot destination, reserved tempFile, Error.Dead Error.Invalidated
internal/state:
	Store.Revise Store.MoveAndPut, addr fastAddr, sealed checksummed
internal/view:
	body changeView, ink sgr
plan:
	Denied CheckDenied, DeniedCredentials CheckDeniedAccount, Plan.Lost Plan.Undelivered,
	Step.Target Step.RemoteID, digestible.Names digestible.NameIDs, holding match, owned objectID
schema:
	Sources ConfigFiles, FunctionDoc functions.Doc, FunctionDocs functions.Docs, Functions functions.All,
	ImpureFunctions functions.Impure, folder folder.Folder, identity config.identity, VarValue VariableValue,
	conformer converter, fault conversionError, given givenValue, names nameCache, part attrFilter, said saidKey,
	shared loader, source moduleSource, visit visitState, want wantedRefs, written bodyArgs
schema/addr:
	AddrOf FromTraversal, ParseAddr Parse, Instance InstanceKey, NumberKey CountIndex, TextKey ForEachKey,
	Addr.Block Addr.WithoutKey
schema/config:
	Distinct OwnWords, Live LiveLookup, Query DataQuery, Delivery.Discreet Delivery.Sensitive,
	Delivery.Shown Delivery.DisplayName, Move.Moved Move.Apply, Resource.Later Resource.DeferredNeeds,
	Settings.MostDestroyed Settings.MaxDestroyed, Index IdentityIndex, NewIndex NewIdentityIndex,
	Block.Attrs Block.ArgRanges
schema/syntax:
	Foreign TerraformBlocks, Sees Visible, Argument.Terraform Argument.TerraformNote,
	Block.Terraform Block.TerraformNote, Block.Rest Block.OtherArguments
schema/wire:
	JSON RawJSON, Emptier BucketEmptier, FileAPI FileStore, Files FileStore, Account.Can Account.HasCapability,
	Error.Restriction Error.CredentialScope, NoSuchBucket IsNoSuchBucket, Digest SizeAndSHA1, InMemory TextPayload, Discreet WithoutMessage,
	ReservedInfo ReservedInfoPrefix, Payload.From Payload.Source
schema/kind:
	API wire.API, Account wire.Account, AllowedBucket wire.AllowedBucket, Emptier wire.BucketEmptier,
	Error wire.Error, Explained wire.Explained, Files wire.FileStore, JSON wire.RawJSON, Payload wire.Payload,
	Upload wire.Upload, Digest wire.SizeAndSHA1, Discreet wire.WithoutMessage, InMemory wire.TextPayload,
	NoSuchBucket wire.IsNoSuchBucket, ReservedInfo wire.ReservedInfoPrefix, Addr addr.Addr,
	AddrOf addr.FromTraversal, Entry addr.Entry, Instance addr.InstanceKey, ParseAddr addr.Parse,
	NumberKey addr.CountIndex, TextKey addr.ForEachKey, Retiree addr.Retiree, Backend config.Backend,
	Block config.Block, Check config.Check, Config config.Config, Delivery config.Delivery,
	DefaultPrefix config.DefaultPrefix, Distinct config.OwnWords, Import config.Import, Live config.LiveLookup,
	Move config.Move, Output config.Output, Query config.DataQuery, Removal config.Removal, Resource config.Resource,
	Settings config.Settings, Attrs AttrReader, Deleted IsDeletedRef, Deniable DeniableRules, FoldInfo NormalizeInfo,
	Found listingResult, Hidden SensitiveText, Lower LowerCase, Mention Reference, MostInfo maxInfoPairs,
	Names nameLookup, NameLookup nameLookup, Nearest words.Nearest, NearestName words.Nearest, Ours OwnSource,
	Pair Comparison, Pasted TerraformArgHint, TerraformHint TerraformArgHint,
	Resolver idLookup, IDLookup idLookup, Scope ListFilter, StampLength TimestampLength,
	Stamped TimestampedName, Unstamped ParseTimestampedName, Strings StringValues, Texts StringsIn,
	reading liveDecoder, Attr.Absent Encoding.ClearWith, Attr.Fits Link.CheckTarget, Attr.Fixed Attr.Immutable,
	Attr.Foreign Link.IsRemoteID, Attr.Guard Attr.ReadCapability, Attr.Guide Attr.GuidePage,
	Attr.Instead Encoding.LiveText, Attr.LiveText Encoding.LiveText,
	Attr.Keep Attr.KeepLive, Attr.Knots Attr.IsLink, Attr.Later Attr.Deferred,
	Attr.Mentions Attr.References, Attr.Normal Compare.Normalize, Attr.Ours Compare.StripOwn,
	Attr.Pairs Encoding.AsMap, Attr.Provider Attr.TerraformName, Attr.Read Encoding.ReadPath,
	Attr.ReadOne Encoding.ReadSingle, Attr.Ref Link.Ref, Attr.Refers Attr.HasRefs, Attr.Renamed Attr.MapRefs,
	Attr.Same Compare.Equal, Attr.Send Encoding.Encode, Content.Beyond Content.TooLarge,
	Content.Most Content.MaxSize, Content.SHA1 Content.SHA1Attr, Content.Source Content.SourceAttr,
	Content.Text Content.TextAttr, HazardKind.NeedsConsent HazardKind.NeedsAllow,
	HazardKind.OnCreate HazardKind.AppliesToCreate, Kind.Browse Parent.List, Kind.Completed Kind.WithDefaults,
	Kind.Delivers Kind.Credential, Kind.Expires Credential.ExpiryAttr, Credential.ExpiresAt Credential.ExpiryAttr,
	Kind.Fold Kind.NormalizeIdentity,
	Kind.Gone Destroy.Hazards, Kind.Granted Credential.DiffGrant, Kind.Holder Kind.ParentIdentity,
	Kind.HolderID Kind.ParentIdentity, Kind.ParentID Kind.ParentIdentity, Kind.Identifies Kind.IsIdentityAttr, Kind.Knots Kind.Links,
	Kind.Leased Kind.Volatile, Kind.Lint Credential.Lint, Kind.Made Credential.CreatedAt,
	Kind.Namesake Kind.NamesRepeat, Kind.PartID Kind.ChildID, Kind.PartOf Kind.ParentKind,
	Kind.Pasted Terraform.Hints, Kind.Provider Terraform.Type, Kind.Refuse Kind.CheckChange,
	Kind.Renews Kind.Replaceable, Kind.Report Kind.CheckLive, Kind.Rotation Credential.Rotation,
	Kind.Spares Destroy.Leaves, Kind.Whole Verbs.FullUpdate, Kind.Within Parent.Attr,
	Limit.Breaks Limit.Counterexample, Limit.Says Limit.Rule, Listing.Holder Listing.Parent,
	Listing.Most Listing.Limit, Problem.Whole Problem.CrossAttribute, Snapshot.AddFound Snapshot.AddListing,
	Snapshot.AddParts Snapshot.AddChildren, Snapshot.Asked Snapshot.WasLookedFor, Snapshot.Found Snapshot.Listed,
	Snapshot.IDs Snapshot.IDsOf, Snapshot.Name Snapshot.NameOf
`

// retired maps the retired names of each package to their successors.
func retired() map[string]map[string]string {
	all := map[string]map[string]string{}
	name := ""
	for line := range strings.Lines(retiredNames) {
		line = strings.TrimRight(line, ",\n")
		if path, ok := strings.CutSuffix(line, ":"); ok {
			name = path
			all[name] = map[string]string{}
			continue
		}
		for pair := range strings.SplitSeq(strings.TrimSpace(line), ", ") {
			if old, now, ok := strings.Cut(pair, " "); ok {
				all[name][old] = now
			}
		}
	}
	return all
}

// checkRetiredList expects of retired names that their packages and what stands for
// them are there.
func checkRetiredList(all []*source, list map[string]map[string]string) []string {
	byPath, byName := map[string]*types.Package{}, map[string]*types.Package{}
	for _, s := range all {
		byPath[s.name], byName[path.Base(s.name)] = s.pkg, s.pkg
	}
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(list)) {
		own := byPath[name]
		if own == nil {
			faults = append(faults, "there is no package "+name)
			continue
		}
		for _, old := range slices.Sorted(maps.Keys(list[name])) {
			now := list[name][old]
			other, rest, _ := strings.Cut(now, ".")
			if declared(own, now) == nil && (byName[other] == nil || declared(byName[other], rest) == nil) {
				faults = append(faults, name+" has no "+now+", which is to stand for "+old)
			}
		}
	}
	return faults
}

func TestRetiredListCounterexamples(t *testing.T) {
	load := newLoader(t)
	plan := &source{name: "plan", files: []goFile{load.parse(t, "a.go", "package plan\n\ntype match struct{ found int }\n")}}
	wire := &source{name: "schema/wire", files: []goFile{load.parse(t, "b.go", "package wire\n\ntype API int\n")}}
	all := []*source{load.check(t, plan), load.check(t, wire)}
	for _, c := range []struct {
		pkg, now string
		want     []string
	}{
		{"plan", "match", nil},
		{"plan", "match.found", nil},
		{"plan", "wire.API", nil},
		{"plan", "Match", []string{"plan has no Match, which is to stand for old"}},
		{"plan", "match.lost", []string{"plan has no match.lost, which is to stand for old"}},
		{"plan", "wire.Error", []string{"plan has no wire.Error, which is to stand for old"}},
		{"plan", "kind.API", []string{"plan has no kind.API, which is to stand for old"}},
		{"apply", "match", []string{"there is no package apply"}},
	} {
		list := map[string]map[string]string{c.pkg: {"old": c.now}}
		if faults := checkRetiredList(all, list); !slices.Equal(faults, c.want) {
			t.Errorf("found %q of %s in %s, want %q", faults, c.now, c.pkg, c.want)
		}
	}
}
