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
apply:
	Secret.Delivered Secret.DeliveredTo, execution.aside execution.slotless, execution.busy execution.slotsInUse,
	execution.inPlace execution.holdsSlot, execution.open execution.unmetNeeds, execution.users execution.dependents,
	executor.most executor.parallelism, runner.events runner.eventsMu, runner.indexed runner.indexOnce,
	runner.open runner.openIntents, runner.unannounced runner.announceErr, task.carriers task.knownIDs, task.id task.objectID,
	task.unseen task.unresolvedAttempts
cmd/b2form:
	box localB2, consoleInput consoleScope, consoleScope.missing consoleScope.missingText, consoleWorld consoleScope,
	each repeatedFlag, emulatorOptions.remote emulatorOptions.allowRemote, face ui, guarded fencedAPI,
	options.ask options.allowInput, program.answers program.variableAnswers, progress.end progress.stopTicker,
	question approvalPrompt, reader outputReader, running.counted running.countShown, sink stdout,
	stdout.first stdout.firstErr, system.errTerminal system.stderrTerminal, system.inTerminal system.stdinTerminal,
	system.outNull system.stdoutNull, system.outTerminal system.stdoutTerminal, system.unseen system.readHidden,
	toggle switchFlag, unwritten writeError, watch progress, world system
internal/account:
	KindQuery.Multi KindQuery.MultiBucket, KindQuery.Named KindQuery.ReferencedNames, More ReadMore, Need KindQuery,
	Want Query, Wanted QueryFor, childQuery.asked childQuery.identities, childQuery.list childQuery.found,
	kindQuery.multi kindQuery.hasMultiBucket, kindQuery.part kindQuery.isChild, needed kindQuery, part childQuery,
	reader.raw reader.rawByKind, wanting queryBuilder
internal/audit:
	Credential.Owned Credential.InState, Look Run, Options.Soon Options.ExpiresWithin, Report.Found Report.CountWithFindings,
	looker auditor
internal/b2:
	Client.As Client.WithCredentials, Client.others Client.derivedLimiter, adaptiveLimit.epoch adaptiveLimit.timesLowered,
	adaptiveLimit.most adaptiveLimit.max, adaptiveLimit.resume adaptiveLimit.resumeAt, checkKey checkContextKey,
	counters.chain counters.longestChain, flight pendingAuthorization, pace adaptiveLimit, record blazerResult,
	recordKey blazerResultKey, request.accept request.checkReply, request.extra request.extraTimeout, sealed hiddenString,
	seam blazerTransport, sessions.flight sessions.authorization, slowBodyReader.got slowBodyReader.bytesRead,
	target uploadTarget, trouble.lasting trouble.permanent, watched slowBodyReader
internal/bench:
	measured measurement, ran runResult, scale.busy scale.withRefusals, service.chain service.longestChain
internal/durable:
	Dir SyncDir
internal/secret:
	Destinations PreparedDelivery, Env Options, Error.Dead Error.Invalidated, Leftovers.open Leftovers.pending,
	Options.Place Options.FilePath, Options.Preface Options.StdoutPreface, Options.Pretend Options.SkipPrograms,
	Options.Protected Options.ProtectedPaths, PreparedDelivery.slots PreparedDelivery.destinations, Self KeyInfo,
	Slots PreparedDelivery, dispatch.dead dispatch.changed, program.env program.options, programError.how programError.summary,
	programError.more programError.detail, reserved tempFile, slot destination, tempFile.list tempFile.leftovers,
	tempFile.named tempFile.tempPath
internal/state:
	Moved EntryMove,
	Intent.Known Intent.KnownIDs, Intent.Made Intent.RecordedID, Store.Begin Store.Announce, Store.Revise Store.MoveAndPut,
	Store.Strike Store.RemoveRetiree, Store.keeper Store.storage, Store.unwritten Store.unwrittenLines, addr fastAddr,
	bucket bucketStorage, bucketStorage.chunk bucketStorage.lastPart, bucketStorage.end bucketStorage.cancel,
	bucketStorage.home bucketStorage.bucketID, bucketStorage.id bucketStorage.runID, bucketStorage.lost bucketStorage.lostErr,
	bucketStorage.made bucketStorage.objectsMade, bucketStorage.old bucketStorage.journalParts,
	bucketStorage.ours bucketStorage.ourRevision, bucketStorage.renewed bucketStorage.renewedAt,
	bucketStorage.seen bucketStorage.lastView, checksummed.Do checksummed.Record, claim leaseClaim, decoder.at decoder.offset,
	file journalFile, fileStorage.file fileStorage.journal, fileStorage.head fileStorage.pendingFirstLine,
	fileStorage.open fileStorage.openFile, fileStorage.size fileStorage.journalSize, fileStorage.torn fileStorage.journalTorn,
	files fileStorage, group groupCommit, journal.size journal.validSize, keeper storage,
	leaseClaim.known leaseClaim.knownVersions, pointer statePointer, record.After record.Previous, sealed checksummed,
	stored knownFiles, view bucketView
internal/testrun:
	Checks CaseCount, InMemory UseMemoryTempDir, Whole Exhaustive
internal/view:
	LanguageAttr.LeftAlone LanguageAttr.KeepLive, LanguageAttr.Provider LanguageAttr.TerraformName,
	LanguageKind.ID LanguageKind.IDAttr, LanguageKind.Identity LanguageKind.IdentityAttr,
	LanguageKind.Meta LanguageKind.MetaArguments, LanguageKind.Provider LanguageKind.TerraformType,
	LanguageKind.Reads LanguageKind.ReadCapabilities, LanguageKind.Within LanguageKind.ParentAttr, Limit.Says Limit.Rule,
	Output.Missing Output.MissingText, Secret.Delivered Secret.DeliveredTo, body changeView, edge.last edge.deferred,
	group.more group.similar, ink sgr, line.text line.value, literal literalWriter
internal/visible:
	Cut Truncate, HoldsCommand HasCICommand, Masked LinesKeepingOffsets, Start LineStart
plan:
	Moved EntryMove,
	Announced AnnouncedCreate, AnnouncedCreate.Known AnnouncedCreate.KnownIDs, AnnouncedCreate.Made AnnouncedCreate.RecordedID,
	Change.Deliver Change.DeliverTo, Change.Family Change.ImportedSiblings, Denied CheckDenied,
	DeniedCredentials CheckDeniedAccount, Plan.Announced Plan.MovedIntents, Plan.Lost Plan.Undelivered,
	Request.Rotations Request.RotationsOnly, Rotation.Made Rotation.MadeAt, Step.Target Step.RemoteID,
	differ.more differ.earlier, digestInput SavedChange,
	digestInput.Names SavedChange.NameIDs, digestible SavedChange, graph stepGraph, holding match,
	links.current links.currentResources, lookup addrLookup, match.family match.importedSiblingIDs,
	match.lagging match.hasUnknownSuccessors, match.reason match.mismatchReason, owned objectID,
	planner.rotations planner.rotationChanges, stepGraph.fields stepGraph.fieldsBuf, stepGraph.of stepGraph.byChange,
	stepGraph.sent stepGraph.lastSent, stepsOf changeSteps, tarjan.from tarjan.firstNeed, tarjan.of tarjan.component
schema:
	Files.Missed Files.Misnamed, Files.Other Files.OtherValues, FunctionDoc functions.Doc, FunctionDocs functions.Docs,
	Functions functions.All, ImpureFunctions functions.Impure, Sources ConfigFiles, VarValue VariableValue,
	block.after block.dependsOnRefs, block.delivers block.deliverBlocks, block.part block.ownAttrs,
	block.repeats block.repetitions, block.written block.writtenArgs, call moduleCall, caller.loader caller.module,
	caller.needs caller.needMarks, conformer converter, contexts reusedContext, conversionError.name conversionError.wrongName,
	dataForm.args dataForm.argNames, dataForm.within dataForm.inParent, evaluation.b evaluation.block,
	evaluation.done evaluation.completer, evaluation.hidden evaluation.sensitiveAttrs, evaluation.l evaluation.module,
	evaluation.names evaluation.sharedNames, evaluation.prevent evaluation.preventDestroy,
	evaluation.single evaluation.needsByOrigin, evaluation.unsound evaluation.unknownByError,
	evaluation.written evaluation.writtenArgs, fault conversionError, folder folder.Folder, frame.words frame.hideNames,
	given givenValue, identity config.identity, sharedLoad.file sharedLoad.fileSchema, sharedLoad.lateNeeds sharedLoad.hasOtherNeeds,
	sharedLoad.loaders sharedLoad.modules, sharedLoad.meta sharedLoad.metaSchema, sharedLoad.pending sharedLoad.hasPendingData,
	sharedLoad.top sharedLoad.rootOptions, module.module module.path, module.root module.rootContext, module.static module.staticScope,
	moduleCall.after moduleCall.dependsOnRefs, nameCache nameKey, names nameKey, node.after node.dependencies, part attrFilter,
	refs.dead refs.invalidRoots, repetition.at repetition.instanceKey, reusedContext.dead reusedContext.invalidRoots,
	reusedContext.said reusedContext.diagCount, said diagnosticKey, saidKey diagnosticKey, scope.calls scope.callContexts,
	scope.early scope.withoutDeferred, scope.l scope.module, scope.secret scope.sawSecret, scope.within scope.byModule,
	secretNames.own secretNames.onlySecret, shared sharedLoad, loader sharedLoad, source moduleSource, use allowedRefs,
	validation.of validation.variable, variable.fallback variable.defaultValue, visit visitState, want wantedRefs,
	wantedRefs.only wantedRefs.onlyKeys, written bodyArgs
schema/addr:
	Addr.Block Addr.WithoutKey, AddrOf FromTraversal, Instance InstanceKey, NumberKey CountIndex, ParseAddr Parse,
	Retiree.Kept Retiree.KeptUntilRenewal, TextKey ForEachKey
schema/bucket:
	corsPreset.says corsPreset.note
schema/config:
	Block.Attrs Block.ArgRanges, Delivery.Discreet Delivery.Sensitive, Delivery.Shown Delivery.DisplayName,
	Distinct UserMessage, Index IdentityIndex, Live LiveLookup, Move.Moved Move.Apply, NewIndex NewIdentityIndex,
	OwnWords UserMessage, Query DataQuery, Resource.Later Resource.DeferredNeeds, Settings.MostDestroyed Settings.Limits,
	Settings.MaxDestroyed Settings.Limits
schema/folder:
	Folder.Module Folder.ModuleDir, Folder.ReadFound Folder.ReadConfigFile
schema/kind:
	Call VerbInput,
	IDLookup idLookup, Attr.LiveText Encoding.LiveText, Credential.ExpiresAt Credential.ExpiryAttr,
	Kind.ParentID Kind.ParentIdentity,
	API wire.API, Account wire.Account, Addr addr.Addr, AddrOf addr.FromTraversal, AllowedBucket wire.AllowedBucket,
	Attr.Absent Encoding.ClearWith, Attr.Account Attr.FromAccount, Attr.Fits Link.CheckTarget, Attr.Fixed Attr.Immutable,
	Attr.Foreign Link.IsRemoteID, Attr.Guard Attr.ReadCapability, Attr.Guide Attr.GuidePage, Attr.Hazard Attr.Hazards,
	Attr.Instead Encoding.LiveText, Attr.Keep Attr.KeepLive, Attr.Knots Attr.IsLink, Attr.Later Attr.Deferred,
	Attr.Mentions Attr.References, Attr.Normal Compare.Normalize, Attr.Ours Compare.StripOwn, Attr.Pairs Encoding.AsMap,
	Attr.Provider Attr.TerraformName, Attr.Read Encoding.ReadPath, Attr.ReadOne Encoding.ReadSinglePath, Attr.Ref Link.RefKind,
	Attr.Refers Attr.HasRefs, Attr.Renamed Attr.MapRefs, Attr.Same Compare.Equal, Attr.Send Encoding.Encode,
	Attr.Wire Attr.WirePath, Attrs AttrReader, Backend config.Backend, Block config.Block, Check config.Check,
	Completer.filled Completer.lastFilled, Completer.judged Completer.lastJudged,
	Completer.referred Completer.judgedReferences, Config config.Config, Content.Beyond Content.TooLargeAdvice,
	, Content.Most Content.MaxSize, Content.SHA1 Content.SHA1Attr,
	Content.Source Content.SourceAttr, Content.Text Content.TextAttr, Content.TooLarge Content.TooLargeAdvice,
	DefaultPrefix config.DefaultPrefix, Deleted IsDeletedRef, Delivery config.Delivery, Deniable DeniableRules,
	Destroy.Force Destroy.ForceAttr, Digest wire.SizeAndSHA1, Discreet wire.WithoutMessage, Distinct config.UserMessage,
	Emptier wire.BucketEmptier, Encoding.ReadSingle Encoding.ReadSinglePath, Entry addr.Entry, Error wire.Error,
	Explained wire.Explained, Files wire.FileStore, FoldInfo NormalizeInfo, Found listingResult,
	HazardKind.NeedsConsent HazardKind.NeedsAllow, HazardKind.OnCreate HazardKind.AppliesToCreate, Hidden SensitiveText,
	Import config.Import, InMemory wire.TextPayload, Instance addr.InstanceKey, JSON wire.RawJSON, Kind.Browse Parent.List,
	Kind.Completed Kind.WithDefaults, Kind.Delivers Kind.Credential, Kind.Expires Credential.ExpiryAttr,
	Kind.Fold Kind.NormalizeIdentity, Kind.Gone Destroy.Hazards, Kind.Granted Credential.DiffGrant,
	Kind.Holder Kind.ParentIdentity, Kind.HolderID Kind.ParentIdentity, Kind.ID Kind.IDAttr, Kind.Identifies Kind.IsIdentityAttr,
	Kind.Identity Kind.IdentityAttr, Kind.Knots Kind.Links, Kind.Leased Kind.Volatile, Kind.Lint Credential.Lint,
	Kind.Made Credential.CreatedAt, Kind.Namesake Kind.NamesRepeat, Kind.PartID Kind.ChildID, Kind.PartOf Kind.ParentKind,
	Kind.Pasted Terraform.Hints, Kind.Provider Terraform.Type, Kind.Reads Kind.ReadCapabilities, Kind.Refuse Kind.CheckChange,
	Kind.Renews Kind.Replaceable, Kind.Report Kind.CheckLive, Kind.Rotation Credential.Rotation, Kind.Spares Destroy.Leaves,
	Kind.Whole Verbs.FullUpdate, Kind.Within Parent.Attr, Limit.Breaks Limit.Counterexample, Limit.Says Limit.Rule,
	Link.Ref Link.RefKind, Listing.Holder Listing.Parent, Listing.Most Listing.Limit, Live config.LiveLookup, Lower LowerCase,
	Mention Reference, MostInfo maxInfoPairs, Move config.Move, NameLookup nameLookup, Names nameLookup, Nearest words.Nearest,
	NearestName words.Nearest, NoSuchBucket wire.IsNoSuchBucket, NumberKey addr.CountIndex, Object.from Object.decoder,
	Ours OwnSource, Output config.Output, Pair Comparison, ParseAddr addr.Parse, Pasted TerraformArgHint, Payload wire.Payload,
	Problem.Whole Problem.CrossAttribute, Query config.DataQuery, Removal config.Removal, ReservedInfo wire.ReservedInfoPrefix,
	Resolver idLookup, Resource config.Resource, Retiree addr.Retiree, Scope ListFilter, Settings config.Settings,
	Snapshot.AddFound Snapshot.AddListing, Snapshot.AddParts Snapshot.AddChildren, Snapshot.Asked Snapshot.WasLookedFor,
	Snapshot.Found Snapshot.Listed, Snapshot.IDs Snapshot.IDsOf, Snapshot.Name Snapshot.NameOf, StampLength TimestampLength,
	Stamped TimestampedName, Strings StringValues, TerraformHint TerraformArgHint, TextKey addr.ForEachKey, Texts StringsIn,
	Unstamped ParseTimestampedName, Upload wire.Upload, Verbs.NameTaken Verbs.NameTakenCode,
	attrSource.one attrSource.singleMember, jsonText.one jsonText.single, liveDecoder.account liveDecoder.accountID,
	liveDecoder.attrs liveDecoder.attrSources, liveDecoder.known liveDecoder.decoded,
	liveDecoder.parts liveDecoder.memberValues, memo.with memo.problems, objects.from objects.decoder, reading liveDecoder,
	source attrSource, step memo, text jsonText
schema/syntax:
	Argument.Terraform Argument.TerraformNote, Block.About Block.CommonDoc, Block.Rest Block.OtherArguments,
	Block.Root Block.RootOnlyReason, Block.Terraform Block.TerraformNote, Data DataBlocks, Files ExampleFiles,
	Foreign TerraformBlocks, Headers HeaderSchemas, Hint.Says Hint.Advice, Meta MetaArguments, Sees Visible, Top TopLevelBlocks
schema/wire:
	Account.Can Account.HasCapability, Digest SizeAndSHA1, Discreet WithoutMessage, Emptier BucketEmptier,
	Error.Restriction Error.CredentialScope, Error.Unknown Error.OutcomeUnknown, FileAPI FileStore, Files FileStore,
	InMemory TextPayload, JSON RawJSON, Misshapen MisshapenReply, NoSuchBucket IsNoSuchBucket, Paging PagingGuard,
	PagingGuard.markers PagingGuard.seenMarkers, PagingGuard.objects PagingGuard.seenIDs,
	PagingGuard.stale PagingGuard.stalePages, Payload.From Payload.Source, ReservedInfo ReservedInfoPrefix
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
