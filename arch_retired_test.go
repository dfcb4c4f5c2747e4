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
	Event.Count Event.FilesRemoved, Event.Name Event.DeletedName, Event.Note Event.Destination, Event.Took Event.Elapsed,
	Options.Began Options.RunStart, Options.Events Options.OnEvent, Options.Secrets Options.Delivery, Options.Verify Options.VerifyKey,
	Options.Wait Options.Sleep, Result.Changes Result.BegunChanges, Result.Failed Result.Incomplete, Result.Secrets Result.UsableNewKeys,
	Result.Unfinished Result.PartlySkipped, Secret NewKey, Secret.Delivered NewKey.DeliveredTo, Stage EventStage,
	execution.aside execution.runningWithoutSlot, execution.busy execution.slotsInUse, execution.inPlace execution.holdsSlot,
	execution.open execution.unmetNeeds, execution.users execution.dependents, executor.most executor.parallelism, outcome stepStatus,
	runner.events runner.eventsMu, runner.indexed runner.indexOnce, runner.open runner.openIntents,
	runner.unannounced runner.announceCreatesErr,
	task.carriers changeTask.idsBeforeCreate, task.id changeTask.objectID, task.unseen changeTask.unresolvedAttempts
cmd/b2form:
	jsonFile jsonLinesFile, secretFile deliveredKey, watchedBody idleTimeoutBody,
	box localB2, candidate completionCandidate, completer lineCompleter, consoleInput consoleScope,
	consoleScope.missing consoleScope.missingText, consoleWorld consoleScope, each funcFlag,
	emulatorOptions.remote emulatorOptions.allowRemote, face ui, guarded fencedAPI, options.ask options.allowInput,
	program.answers program.variableAnswers, progress progressReporter, progress.end progressReporter.stopTicker, question approvalPrompt,
	reader outputReader, repeatedFlag funcFlag, running runningAction, sink stdoutWriter, stdout stdoutWriter,
	stdout.first stdoutWriter.firstErr, switchFlag boolFlag, system.errTerminal system.stderrTerminal,
	system.inTerminal system.stdinTerminal, system.outNull system.stdoutDiscarded, system.outTerminal system.stdoutTerminal,
	system.unseen system.readHidden, toggle boolFlag, unwritten writeError,
	versionDocument.Terraform versionDocument.VersionForTerraformTools, watch progressReporter, world system
internal/account:
	KindQuery.Multi KindQuery.ListMultiBucketKeys, KindQuery.Named KindQuery.UndeclaredReferences, More ReadMoreChildren, Need KindQuery,
	Read ReadSnapshot, ReadMore ReadMoreChildren, Want Query, Wanted QueryFor, childQuery.asked childQueryResult.lookedForIdentities,
	childQuery.list childQueryResult.found, kindQuery.multi kindQueryBuilder.supportsMultiBucket,
	kindQuery.part kindQueryBuilder.isChild, needed kindQueryBuilder,
	part childQueryResult, reader.raw reader.rawByKind, wanting queryBuilder
internal/adopt:
	Accept AcceptDrift, Acceptance ConfigEdits, Acceptance.Accepted ConfigEdits.AcceptedAttrs, Content.Path ContentToDownload.LocalPath,
	Content.Version ContentToDownload.FileVersionID, Count WrittenCount, Count.N WrittenCount.ObjectsWritten, Left UndeclarableObject,
	ManualEdit UnacceptedDrift, Request.Contents Request.ContentPaths, Request.Fold Request.FoldFamilies,
	Request.Left Request.Undeclarable, Result.Counts Result.WrittenCounts, Result.Left Result.Undeclarable
internal/agefile:
	Canonical RecipientWithoutComment, Check CheckRecipient, Seal Encrypt
internal/audit:
	Columns SortColumns, Coverage ManagedCount, Coverage.Total ManagedCount.TotalWithoutIgnored, Credential.Owned Credential.InState,
	Look Run, Options.Soon Request.ExpiresWithin, Report.Account Report.OwnCredentialFindings,
	Report.CountWithFindings Report.CountCredentialsWithFindings, Report.Found Report.CountCredentialsWithFindings, looker auditor
internal/b2:
	versionRemoval purgeRun,
	Client.Ahead Client.ProvenServiceClockAhead, Client.As Client.WithCredentials, Client.others Client.derivedClientsLimiter,
	Options.Log Options.OnAttempt, Options.Wait Options.Sleep, Stats.RoundTrips Stats.SequentialRoundTrips, WithCheck WithAttemptCheck,
	adaptiveLimit.epoch adaptiveLimit.timesLowered, adaptiveLimit.most adaptiveLimit.max, adaptiveLimit.resume adaptiveLimit.pausedUntil,
	authorizeReply.Expires authorizeReply.KeyExpires, blazerResult blazerCall, blazerResultKey blazerCallKey,
	checkContextKey attemptCheckKey, checkKey attemptCheckKey, clock serviceClock, counters.chain counters.sequentialRoundTrips,
	emptying purgeRun, flight pendingAuthorization, hiddenString hiddenStringFunc, pace adaptiveLimit, record blazerCall,
	recordKey blazerCallKey, request.accept request.checkNonJSONReply, request.extra request.extraTimeout, sealed hiddenStringFunc,
	seam blazerTransport, sessions sessionCache, sessions.flight sessionCache.authorization, slowBodyReader.got minSpeedReader.bytesRead,
	target uploadTarget, transportProblem explanation, trouble explanation, uploads uploadURLPool, watched minSpeedReader
internal/bench:
	measured measurement, ran runResult, scale.busy scale.withRefusals, service.chain service.longestChain
internal/durable:
	Dir SyncDir
internal/forge:
	Repository.Request Repository.PullRequestNumber
internal/forge/imitation:
	Host.JobUser Host.IsJobToken, Host.Page Host.PageSize, Post.Pull Post.IsPullRequest
internal/notify:
	sort messageFormat
internal/planfile:
	ContentsDescription DestroyedContents,
	File.Context File.PlanContextJSON, document.Context document.PlanContextJSON
internal/prove:
	Access.End Access.DeleteKey, Access.New Access.IsNewKey, Bucket.Locked Bucket.HasObjectLock, Bucket.NoUpload Bucket.NoUploadReason,
	Key.Bucket Key.SampleAllowedBucket, Key.Differs Key.DifferingAttrs, Key.NoAccess Key.NoAccessReason,
	Key.Other Key.SampleForbiddenBucket,
	Options.Calls Options.MaxCallsByClass, Options.FileName Options.FileNameSuffix, Promise.Classes Promise.CallClasses,
	Promise.Skip Promise.SkipReason, Subject.Differ Subject.DifferenceText, brokenError brokenPromiseError, troubleError inconclusiveError
internal/report:
	Check.Said Check.Messages, Done.NotBegun ApplyResult.Unfinished, Drift.Sort Drift.Type, DriftSort DriftType, Key.Ends Key.Expiry,
	Key.May Key.Capabilities, Key.Reaches Key.BucketsAndPrefix, Notice.Drift Notice.DriftCount, ReadLines ReadJSONLines,
	Run.Coverage Run.ManagedCountTexts, Run.Outputs Run.OutputsDiff, Variable PipelineVariable, Variables PipelineVariables,
	line.Format jsonLine.FormatVersion
internal/scrub:
	Spellings RemoveSecretKeepParts, Text RemoveSecretOrWithholdText
internal/secret:
	Destinations PreparedDelivery, Env DeliveryOptions, Error.Dead Error.InvalidatedDestinations, KeyInfo.Endpoint KeyInfo.S3Endpoint,
	KeyInfo.Region KeyInfo.S3Region, Leftovers TempFileJournal, Leftovers.Exist TempFileJournal.HasLeftovers,
	Leftovers.Sweep TempFileJournal.RemoveLeftovers, Leftovers.open TempFileJournal.pending, NewLeftovers NewTempFileJournal,
	Options DeliveryOptions, Options.Check DeliveryOptions.CheckBeforeEachEffect, Options.Environ DeliveryOptions.ProgramEnv,
	Options.Grace DeliveryOptions.StopGrace, Options.Leftovers DeliveryOptions.TempFiles, Options.Live DeliveryOptions.LiveLookup,
	Options.Place DeliveryOptions.FilePath, Options.Preface DeliveryOptions.StdoutPreface, Options.Pretend DeliveryOptions.SkipPrograms,
	Options.Protected DeliveryOptions.ProtectedPaths, PreparedDelivery.slots PreparedDelivery.destinations, Self KeyInfo,
	Slots PreparedDelivery, dispatch deliveryRun, program deliveryProgram, program.env deliveryProgram.options,
	programError.how programError.summary, programError.more programError.detail, queued lockedWriter, reserved tempFile,
	slot destination, tail tailBuffer, tempFile.list tempFile.tempFileList, tempFile.named tempFile.tempPath
internal/state:
	Database PostgresBackend, NewDatabase NewPostgresBackend, replayedJournal parsedJournal,
	Applied AppliedDigests, Applied.Files AppliedDigests.ConfigFilesDigest, Applied.Variables AppliedDigests.NonsensitiveVariablesDigest,
	Backend.Break Backend.BreakLock, Backend.Holder Backend.LockHolder, Database.Name PostgresBackend.StateName,
	Database.Patience PostgresBackend.ReconnectTimeout, HTTPServer HTTPBackend, HTTPServer.RetryMost HTTPBackend.MaxRetryWait,
	HTTPServer.RetryWait HTTPBackend.FirstRetryWait, HTTPServer.Version HTTPBackend.ProgramVersion, Intent CreateIntent,
	Intent.At CreateIntent.AnnouncedAt, Intent.Known CreateIntent.KnownIDs, Intent.Made CreateIntent.LaterAttemptObjectID, Local LocalFile,
	Local.Files LocalFile.FilePaths, LockedError.ID LockedError.HTTPLockID, LockedError.Info LockedError.InfoText, Moved EntryMove,
	Options.Wait Options.LockTimeout, Options.Waiting Options.OnWait, Options.Who Options.LockOwner, Remote.Time Remote.ServiceTime,
	Shared BucketBackend, Shared.Init BucketBackend.CreateBucket, State.Find State.FindEntry, State.Open State.OpenIntents,
	Store.Announce Store.AnnounceCreates, Store.Begin Store.AnnounceCreates, Store.Bind Store.BindAccount, Store.Call Store.CallInTurn,
	Store.Check Store.CheckLocked, Store.Drop Store.DropIntents, Store.Forget Store.ForgetEntries, Store.Move Store.MoveEntry,
	Store.Put Store.PutEntriesCloseIntents, Store.PutInDoubt Store.PutKeepingIntent, Store.Revise Store.MoveAndPut,
		Store.Strike Store.RemoveRetiree,
	Store.keeper Store.storage, Store.unwritten Store.unwrittenLines, addr fastDecodedAddr, binding accountBinding, bucket bucketStorage,
	bucketStorage.chunk bucketStorage.lastPartContent, bucketStorage.end bucketStorage.cancel, bucketStorage.home bucketStorage.bucketID,
	bucketStorage.id bucketStorage.runID, bucketStorage.lost lockStatus.lostErr, bucketStorage.made bucketStorage.objectsMade,
	bucketStorage.old bucketStorage.journalParts, bucketStorage.ours bucketStorage.onlyOursSinceRevision,
	bucketStorage.renewed lockStatus.confirmedAt, bucketStorage.seen bucketStorage.lastView, checksummed checksummedLine,
	checksummed.Do checksummedLine.Record, checksummed.Sum checksummedLine.CRC32, claim leaseClaim, counter writeCounter,
	decoder.at decoder.offset, fence lockStatus, file journalFile, fileStorage.file fileStorage.journal,
	fileStorage.head fileStorage.pendingFirstLine, fileStorage.open fileStorage.openJournalFile, fileStorage.size fileStorage.journalSize,
	fileStorage.torn fileStorage.journalTorn, files fileStorage, group groupCommit, httpLock httpLockInfo, journal parsedJournal,
	journal.size parsedJournal.validSize, keeper storage, leaseClaim.known leaseClaim.knownVersions, object fileVersion,
	pointer statePointer, record journalRecord, record.After journalRecord.PreviousChunk, record.Begin journalRecord.Announce,
	sealed checksummedLine, stored knownFiles, version stateAndJournalVersion, view bucketView
internal/terraform:
	Result.Backend Result.KeepsStateInBucket, Result.Changed Result.ChangedMeaning, Result.Left Result.NotCarriedOver,
	Result.Outputs Result.HasOutputs, Result.Removals Result.StateRemovals, Result.Unset Result.HasUnsetVariables,
	standIn substituteVariable, use expressionUse
internal/testrun:
	Postgres SharedPostgres, Sample SampleUnlessExhaustive,
	Checks CaseCount, HasPostgres UsesPostgres, InMemory UseMemoryTempDir, Program BuildProgram, Whole Exhaustive
internal/trace:
	PhaseTotal.Time PhaseTotal.OwnTime, Span.Status Span.HTTPStatus, otlpSpan.End otlpSpan.EndUnixNano,
	otlpSpan.Start otlpSpan.StartUnixNano, spanIDs spanEncoder
internal/view:
	Audit AuditDocument, AuditedKey.Values AuditedKey.AttrValues, CheckResult.Said CheckResult.FailureMessages, DiffLine OutputDiffLine,
	DriftList.Coverage DriftList.ManagedCounts, GraphOf ResourceGraph, GraphOfSteps StepGraph, JSON JSONUI,
	JSON.Start JSONUI.WriteVersion, Language.Resource LanguageDocument.ResourceMeta, LanguageAttr.Capability LanguageAttr.ReadCapability,
	LanguageAttr.Change LanguageAttr.ChangeEffect, LanguageAttr.LeftAlone LanguageAttr.KeepLive,
	LanguageAttr.Needs LanguageAttr.WriteCapabilities, LanguageAttr.Provider LanguageAttr.TerraformName,
	LanguageAttr.References LanguageAttr.RefKind, LanguageKind.Delivers LanguageKind.AllowsDeliver,
	LanguageKind.Destroys LanguageKind.DeleteCapability, LanguageKind.ID LanguageKind.IDAttr,
	LanguageKind.Identity LanguageKind.IdentityAttr, LanguageKind.Meta LanguageKind.MetaArguments,
	LanguageKind.Provider LanguageKind.TerraformType, LanguageKind.Reads LanguageKind.ReadCapabilities,
	LanguageKind.Within LanguageKind.ParentAttr, LanguageKind.Writes LanguageKind.WriteCapability,
	Limit.Example LanguageConstraint.Counterexample, Limit.Says LanguageConstraint.Rule, Literal FormatHCLHidingSensitive, Mode PlanPurpose,
	Mode.Verb PlanPurpose.ApplyingCommandName, NewAudit NewAuditDocument, Output.Missing Output.MissingText, Output.Typed Output.ShowTypes,
	OutsideText OutsideChangeText, PlanContext.Capabilities PlanContext.RequiredCapabilities,
	PlanContext.Declared PlanContext.DeclaredValuesOfDrifted, PlanContext.Outputs PlanContext.UnchangedOutputs,
	PlanDocument.Version PlanDocument.ProgramVersion, Reference KindPage, Row TwoColumnRow, Rows TwoColumnTable, Secret NewKey,
	Secret.Delivered NewKey.DeliveredTo, Text TextUI, Text.Hints TextUI.ShowHints, body changeRenderer, changeView changeRenderer,
	edge.last edge.deferred, fields jsonFields, fold similarCreates, group diagGroup, group.more diagGroup.similar,
	ink sgr, line lineTree, line.text lineTree.value, literal literalFormatter, literalWriter literalFormatter,
	printer linePrinter, resourceIdentity resourceAddressJSON, row tableRow, verbs actionWords
internal/visible:
	Cut EscapeTruncated, HCL EscapeInvisibleInHCL, HoldsCommand HasCICommand,
	JSON EscapeInvisibleInJSON, LineStart EscapeTextAtLineStart, Lines EscapeLines,
	Masked ReplaceInvisibleKeepingOffsets, Start EscapeTextAtLineStart, Text EscapeLine, Truncate EscapeTruncated
internal/words:
	A WithArticle, Capital CapitalizeUnlessName, List JoinAnd, Reason ErrorWithoutPath, Some JoinAtMost, Span ApproximateDuration
plan:
	Announced AnnouncedCreate, AnnouncedCreate.Known AnnouncedCreate.IDsBeforeCreate, AnnouncedCreate.Made AnnouncedCreate.LaterAttemptID,
	AnnouncedCreate.RecordedID AnnouncedCreate.LaterAttemptID, Change.Deliver Change.DeliverTo, Change.Family Change.ImportedSiblings,
	Change.Force Change.ForceDestroy, Change.IsMove Change.IsMoveOnly, Change.NameOf Change.DeletedName,
	Change.SetContents Change.DescribeContents, CheckDenied CheckDenyRules, CheckDeniedAccount CheckAccountDenyRules,
	Denied CheckDenyRules, DeniedCredentials CheckAccountDenyRules, Moved EntryMove, Named NamedObject, Plan.Announced Plan.MovedIntents,
	Plan.Hazards Plan.HazardKinds, Plan.Lacking Plan.MissingCapabilities, Plan.Lost Plan.Undelivered,
	Plan.Requirements Plan.RequiredCapabilities, Request.Here Request.LocalClockTime, Request.Rotations Request.RotationsOnly,
	Requirement RequiredCapability, Requirement.Addrs RequiredCapability.NeededBy, Rotation.Made RotatingObject.MadeAt,
	SavedChange.Delivery SavedChange.DeliveryDigest, Step.Target Step.RemoteID, WarnUnusable WarnUnusableCredentials,
	comparison comparisonResult, differ.more differ.refResults, digestInput SavedChange,
	digestInput.Names SavedChange.ReferencedNamesWithIDs, digestible SavedChange, graph stepGraph, holding match, links linkPlanner,
	lookup addrLookup, match.family match.importedSiblingIDs, match.lagging match.hasUnknownSuccessors, match.reason match.mismatchReason,
	owned objectID, planner.rotations planner.rotationChanges, reference identityKey, sides comparedValues,
	stepGraph.fields stepGraph.fieldsBuf, stepGraph.of stepGraph.stepsByChange, stepGraph.sent stepGraph.lastCreateFields,
	stepsOf changeStepIndices, strength needStrength, tarjan.from tarjan.firstNeed, tarjan.of tarjan.component,
	writtenPair digestTextCache, writtenValue cachedDigestText
schema:
	ConfigDirFiles.Config ConfigDirFiles.ConfigFiles, ConfigDirFiles.Misnamed ConfigDirFiles.MisnamedValueFiles,
	ConfigDirFiles.OtherValues ConfigDirFiles.OtherValueFiles, ConfigDirFiles.Terraform ConfigDirFiles.TerraformFiles,
	ConfigDirFiles.Values ConfigDirFiles.AutoValueFiles, ConfigFiles ListConfigDirFiles, Files ConfigDirFiles,
	Files.Missed ConfigDirFiles.MisnamedValueFiles, Files.Other ConfigDirFiles.OtherValueFiles, FunctionDoc functions.Doc,
	FunctionDocs functions.Docs, Functions functions.All, ImpureFunctions functions.ImpureNames,
	Options.AllowNoConfig Options.AccountDataIfNoConfig, Options.Bare Options.AccountDataIfNoConfig,
	Options.MaxEvaluation Options.MaxEvaluationSteps, Options.Root Options.FilesRoot, Question VariableQuestion,
	Sources ListConfigDirFiles, VarValue VariableValue, block.after metaArgs.dependsOnRefs, block.delivers metaArgs.jsonDeliverBlocks,
	block.part block.attrsWithoutDeferredLinks, block.repeats block.repetitions, block.written block.writtenArgs, call moduleCall,
	caller.loader caller.module, caller.needs caller.needMarks, concern affectedInstances, conformer converter, contexts reusedContext,
	conversionError.name conversionError.nameIsWrong, dataForm.args dataForm.lookupArgNames, dataForm.within dataForm.listsChildren,
	evaluation.b instanceEvaluation.block, evaluation.done instanceEvaluation.completer,
	evaluation.hidden instanceEvaluation.sensitiveAttrs, evaluation.l instanceEvaluation.module,
	evaluation.names instanceEvaluation.internedLinkLists, evaluation.prevent instanceEvaluation.preventDestroy,
	evaluation.single instanceEvaluation.needsByOrigin, evaluation.unsound instanceEvaluation.unknownByError,
	evaluation.written instanceEvaluation.writtenArgs, fault conversionError, folder folder.Folder, frame bracketFrame,
	frame.words bracketFrame.inside, given givenValue, identity config.objectIdentity, item bodyItem, loader sharedLoad,
	module.module module.addressPrefix, module.root module.baseContext, module.static module.staticScope,
	moduleCall.after moduleCall.dependsOnRefs, nameCache linkListKey, nameKey linkListKey, names linkListKey,
	node.after node.dependsOnNodes,
	openMark unknownYetMark, part attrFilter, refs.dead refs.invalidRoots, repetition repetitionData,
	repetition.at repetitionData.instanceKey, reusedContext.dead reusedContext.invalidRoots, reusedContext.said reusedContext.diagCount,
	said diagnosticKey, saidKey diagnosticKey, scope.calls scope.callContexts, scope.early scope.deferredLinksUnknown, scope.l scope.module,
	scope.secret scope.sawLiveSecret, scope.within scope.byModule, secretNames.own secretNames.secretPaths, shared sharedLoad,
	sharedLoad.file sharedLoad.fileSchema, sharedLoad.lateNeeds sharedLoad.hasNeedsBesideArgs, sharedLoad.loaders sharedLoad.modules,
	sharedLoad.meta sharedLoad.metaSchema, sharedLoad.pending sharedLoad.hasPendingData, sharedLoad.top sharedLoad.rootOptions,
	source moduleFolder, unknownValue unknownValueExtra, use allowedRefs, validation.of validation.variable,
	variable.fallback variable.defaultValue, visit visitState, want wantedRefs, wantedRefs.only wantedRefs.onlyKeys, written bodyArgs
schema/addr:
	Addr.Block Addr.WithoutKey, AddrOf TargetFromTraversal, Entry StateEntry, Instance InstanceKey, NumberKey CountIndex, ParseAddr Parse,
	Retiree RetiringObject, Retiree.Kept RetiringObject.KeptUntilRenewal, RetiringObject.Until RetiringObject.KeepUntil,
	StateEntry.Delivery StateEntry.DeliveryDigest, StateEntry.Sensitive StateEntry.SensitiveAttrs, TextKey ForEachKey
schema/bucket:
	CORSType CORSRulesType, corsPreset.says corsPreset.notePrefix
schema/config:
	Block BlockRanges, Block.Attrs BlockRanges.ArgRange, BlockRanges.At BlockRanges.RangeAt, BlockRanges.Range BlockRanges.HeaderRange,
	Config.Data Config.DataQueries, Config.Names Config.ValidReferences, Config.OwnFiles Config.FilesWithoutPolicyDirs,
	Config.ReferenceNames Config.ValidReferences, Config.Variables Config.NonsensitiveVariables, DataQuery.Listing DataQuery.Children,
	Delivery.Content Delivery.RenderContent, Delivery.Discreet Delivery.HasOtherSensitive,
	Delivery.Environment Delivery.RenderEnvironment, Delivery.Sensitive Delivery.HasOtherSensitive, Delivery.Shown Delivery.DisplayName,
	Distinct UserMessageExtra, IdentityIndex.Reference IdentityIndex.IdentityOrAddress, IdentityIndex.Sharing IdentityIndex.AllWithIdentity,
	Import.Names Import.Matches, Index IdentityIndex, Live LiveLookup, Move.Moved Move.Apply, NewIndex NewIdentityIndex,
	OwnWords UserMessageExtra, Query DataQuery, Removal.Force Removal.ForceDestroy, Resource.Deliver Resource.Deliveries,
	Resource.Later Resource.DeferredNeeds, Resource.Sensitive Resource.SensitiveAttrs, Settings.MaxDestroyed Settings.Limits,
	Settings.MostDestroyed Settings.Limits, UserMessage UserMessageExtra
schema/file:
	fileVersion.ID fileVersion.BucketIDAndName, version fileVersion
schema/folder:
	Folder.GlobFiles Folder.GlobPermittedFiles,
	Boundary.Seal Boundary.EndLoading, Folder.Module Folder.ModuleDir, Folder.Payload Folder.ReadPayload,
	Folder.ReadFound Folder.ReadConfigFile, ignores gitIgnores, refusal forbiddenPath
schema/functions:
	Impure ImpureNames, argument callArgument
schema/key:
	application clientProgram
schema/kind:
	BlockSign BlockAddrPrefix, memoDecoder objectDecoder,
	API wire.API, Account wire.Account, Addr addr.Addr, AddrOf addr.TargetFromTraversal, AllowedBucket wire.AllowedBucket,
	Attr.Absent Encoding.ClearWith, Attr.Account Attr.FromAccount, Attr.Fits Link.CheckTarget, Attr.Fixed Attr.Immutable,
	Attr.Foreign Link.IsRemoteID, Attr.Guard Attr.ReadCapability, Attr.Guide Attr.GuidePage, Attr.Hazard Attr.Hazards,
	Attr.Instead Encoding.LiveText, Attr.Keep Attr.KeepLive, Attr.Knots Attr.IsDeferredLink, Attr.Later Attr.Deferred,
	Attr.LiveText Encoding.LiveText, Attr.MapRefs Attr.MapPossibleIDs, Attr.Mentions Attr.References, Attr.Normal Compare.Normalize,
	Attr.Ours Compare.StripB2formData, Attr.Pairs Encoding.AsMap, Attr.Provider Attr.TerraformName, Attr.Read Encoding.ReadPath,
	Attr.ReadOne Encoding.SingleValueReadPath, Attr.Ref Link.RefKind, Attr.Refers Attr.HasRefs, Attr.Renamed Attr.MapPossibleIDs,
	Attr.Same Compare.Equal, Attr.Send Encoding.Encode, Attr.Wire Attr.WirePath, Attrs AttrReader, Backend config.Backend,
	Block config.BlockRanges, Call VerbInput, Check config.Check, CheckPrefix CheckNamePrefix,
	ChildListQuery.Parent ChildListQuery.ParentIdentity, Compare.StripOwn Compare.StripB2formData, Completer ConfigCompleter,
	Completer.filled ConfigCompleter.lastFilled, Completer.judged ConfigCompleter.lastChecked,
	Completer.referred ConfigCompleter.checkedReferences, ComputedIn ComputedMarksIn, Config config.Config,
	ConfigCompleter.Complete ConfigCompleter.CompleteAndCheck, Content ContentAttrs, Content.Beyond ContentAttrs.TooLargeAdvice,
	Content.Most ContentAttrs.MaxSize, Content.SHA1 ContentAttrs.SHA1Attr, Content.Source ContentAttrs.SourceAttr,
	Content.Text ContentAttrs.TextAttr, Content.TooLarge ContentAttrs.TooLargeAdvice, ContentAttrs.VersionAttr ContentAttrs.VersionIDAttr,
	Credential CredentialKind, Credential.ExpiresAt CredentialKind.ExpiryAttr,
	CredentialKind.ShortenAttrs CredentialKind.ReplaceDerivedByShorthand, DefaultPrefix config.DefaultPrefix, Deleted IsDeletedRef,
	Delivery config.Delivery, Deniable DeniableRules, Destroy DestroyBehavior, Destroy.Force DestroyBehavior.ForceAttr,
	DestroyBehavior.Count DestroyBehavior.CountContents, DestroyBehavior.Leaves DestroyBehavior.LeftBehindText, Digest wire.SizeAndSHA1,
	Discreet wire.WithoutMessage, Distinct config.UserMessageExtra, Emptier wire.BucketEmptier,
	Encoding.Announced Encoding.ShowsKnownAfterApply, Encoding.ReadSingle Encoding.SingleValueReadPath, Entry addr.StateEntry,
	Error wire.Error, Explained wire.ExplainedError, Files wire.FileStore, FoldInfo NormalizeInfo, Found childListing,
	HazardKind.NeedsConsent HazardKind.NeedsAllow, Hidden SensitiveText, IDLookup idLookup, Import config.Import,
	InMemory wire.TextPayload, Instance addr.InstanceKey, IsNone IsNullOrEmptyCollection, JSON wire.RawJSON,
	Kind.Browse Parent.ListChildren, Kind.Complete Kind.DeriveAttrs, Kind.Completed ConfigCompleter.CompleteAndCheck,
	Kind.Delivers Kind.Credential,
	Kind.Expires CredentialKind.ExpiryAttr, Kind.Fold Kind.NormalizeIdentity, Kind.Gone DestroyBehavior.Hazards,
	Kind.Granted CredentialKind.DiffGrant, Kind.Holder Kind.ParentIdentity, Kind.HolderID Kind.ParentIdentity, Kind.ID Kind.IDAttr,
	Kind.Identifies Kind.IsIdentityAttr, Kind.Identity Kind.IdentityAttr, Kind.Knots Kind.DeferredLinkIndices, Kind.Leased Kind.Volatile,
	Kind.Limits Kind.Constraints, Kind.Links Kind.DeferredLinkIndices, Kind.Lint CredentialKind.Lint, Kind.Made CredentialKind.CreatedAt,
	Kind.Namesake Kind.NamesRepeat, Kind.ParentID Kind.ParentIdentity, Kind.PartID Kind.ChildID, Kind.PartOf Kind.ParentKind,
	Kind.Pasted Terraform.Hints, Kind.Provider Terraform.Type, Kind.Reads Kind.ReadCapabilities, Kind.Refuse Kind.CheckChange,
	Kind.Renews Kind.Replaceable, Kind.Report Kind.CheckLive, Kind.Rotation CredentialKind.Rotation,
	Kind.Spares DestroyBehavior.LeftBehindText, Kind.Whole Verbs.FullUpdate, Kind.WithDefaults ConfigCompleter.CompleteAndCheck,
	Kind.CompletedConfig ConfigCompleter.CompleteAndCheck,
	Kind.Within Parent.Attr, Limit Constraint, Limit.Breaks Constraint.Counterexample, Limit.Says Constraint.Rule, Link.Ref Link.RefKind,
	Listing ChildListQuery, Listing.Holder ChildListQuery.ParentIdentity, Listing.Most ChildListQuery.Limit, Live config.LiveLookup,
	Lower LowerCase, Mention Reference, MostInfo maxInfoPairs, Move config.Move, NameLookup nameLookup, Names nameLookup,
	Nearest words.FindSimilar, NearestName words.FindSimilar, NoSuchBucket wire.IsNoSuchBucket, NumberKey addr.CountIndex,
	Object.Members Object.JSONMembers, Object.from Object.decoder, Ours B2formSource, Output config.Output, OwnSource B2formSource,
	Pair Comparison, Parent.List Parent.ListChildren, ParseAddr addr.Parse, Pasted TerraformArgHint, Payload wire.Payload,
	Problem.Whole Problem.CrossAttribute, Problems.At Problems.PrefixPaths, Query config.DataQuery, Removal config.Removal,
	ReservedInfo wire.ReservedInfoPrefix, Resolver idLookup, Resource config.Resource, Retiree addr.RetiringObject, Rule LintRuleName,
	Scope ListFilter, Settings config.Settings, Snapshot.AddFound Snapshot.AddListing, Snapshot.AddParts Snapshot.AddLookedForChildren,
	Snapshot.Asked Snapshot.CanTellIfExists, Snapshot.Computed Snapshot.ComputedWithoutSecrets, Snapshot.Found Snapshot.FindChildListing,
	Snapshot.IDs Snapshot.IDsOf, Snapshot.Name Snapshot.NameUnlessNamesRepeat, Snapshot.Object Snapshot.NewObject, Source DocSource,
	StampLength timestampLength, Stamped TimestampedName, Strings StringValues, TerraformHint TerraformArgHint, TextKey addr.ForEachKey,
	TextOf EmptyIfNull, Texts StringsIfWhollyKnown, TimestampLength timestampLength, Unstamped ParseTimestampedName,
	Upload wire.Upload, Values.At Values.PointerAt,
	Values.Put Values.SetAt, Verbs.NameTaken Verbs.NameTakenCode, attrSource.one attrSource.singleMemberIndex, decoder valueDecoder,
	jsonText attrJSON, jsonText.one attrJSON.wrapInList, liveDecoder objectDecoder, liveDecoder.account objectDecoder.expectedAccountID,
	liveDecoder.attrs objectDecoder.attrSources, liveDecoder.known objectDecoder.decodedByText,
	liveDecoder.parts objectDecoder.memberValues,
	memo.with memo.problems, objects kindObjects, objects.from kindObjects.decoder, reading objectDecoder, source attrSource, step memo,
	text attrJSON
schema/parse:
	IsPlainWord IsASCIIName, PerInstance StepsPerInstance, Variable MaxEvaluationEnvVar, plainParser subsetParser,
	Budget.Charge Budget.SpendInstances, Budget.Exceeded Budget.NewExceededError, Budget.Grant Budget.GrantEvaluation,
	Budget.Look Budget.MustSpendReading, Budget.Spent Budget.IsExceeded, Budget.Weigh Budget.MustSpendValue, counted countedExpr,
	exceeded exceededPanic, nesting nestingScanner
schema/syntax:
	NamePrefix DataNamePrefix,
	Argument.Sees ArgumentSpec.MayReferTo, Argument.Terraform ArgumentSpec.TerraformNote, ArgumentType.Words ArgumentType.Description,
	Block.About BlockSpec.CommonDoc, Block.Form BlockSpec.FormLabel, Block.Header BlockSpec.HeaderText, Block.Min BlockSpec.MinCount,
	Block.Names BlockSpec.AllowedNames, Block.Nested BlockSpec.NestedForms, Block.Official BlockSpec.OwnNameByTerraformName,
	Block.Once BlockSpec.AtMostOnce, Block.Rest BlockSpec.OtherArgumentsDoc, Block.Root BlockSpec.RootOnlyReason,
	Block.Terraform BlockSpec.TerraformNote, Blocks FixedTopLevelBlocks, Data DataBlocks, File ExampleFile, Files ExampleFiles,
	Find FindFixedBlock, Foreign TerraformBlockHints, Formats DeliverFormats, Headers HeaderSchemas, Hint.Says Hint.Advice,
	Meta MetaArgumentNames, MetaArguments MetaArgumentNames, RefScope.Words RefScope.Description, Resource ResourceBlock, Sees RefScope,
	TerraformBlocks TerraformBlockHints, Top NonResourceBlocks, Type ArgumentType, Visible RefScope
schema/wire:
	Account.Can Account.HasCapability, Account.RecommendedPart Account.RecommendedPartSize, Account.SmallestPart Account.SmallestPartSize,
	Contents ContentsCount, ContentsCount.Unseen ContentsCount.ListingDenied, Digest SizeAndSHA1, Discreet WithoutMessage,
	Emptier BucketEmptier, Error.Restriction Error.CredentialScope, Error.Unknown Error.OutcomeUnknown, Explained ExplainedError,
	FileAPI FileStore, Files FileStore, InMemory TextPayload, JSON RawJSON, Misshapen MisshapenReply, NoSuchBucket IsNoSuchBucket,
	Paging PagingGuard, PagingGuard.markers PagingGuard.seenMarkers, PagingGuard.objects PagingGuard.seenIDs,
	PagingGuard.stale PagingGuard.stalePages, Payload.From Payload.SourcePath, Payload.Verify Payload.VerifyUnchanged,
	ReservedInfo ReservedInfoPrefix, TooDeep FindTooDeep
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
