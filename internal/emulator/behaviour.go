package emulator

// A behaviour is something the service does that simple imitations get wrong.
// Each can be broken on purpose by its number in Options.BrokenBehaviours.
type behaviour int

const (
	revisionStartsAtTwo    behaviour = 1  // and deleting a bucket counts it up once more
	nullLeavesAlone        behaviour = 2  // in b2_update_bucket
	emptyClears            behaviour = 3  // [] and {} in b2_update_bucket
	staleRevisionConflicts behaviour = 4  // ifRevisionIs
	encryptedByDefault     behaviour = 5  // buckets are SSE-B2 unasked and cannot be otherwise
	unsetIsWrappedNull     behaviour = 6  // never left out
	wrappersHideValues     behaviour = 7  // isClientAuthorizedToRead
	retentionNeedsFileLock behaviour = 8  // retention needs it, create takes none, nothing turns it off
	bucketsMustBeEmpty     behaviour = 9  // of hide markers and unfinished large files too
	notFoundIsBadRequest   behaviour = 10 // 400, not 404
	filtersDecideListing   behaviour = 11 // no match is an empty list; restricted keys must filter
	namesAreGlobal         behaviour = 12 // and compare without case
	lifecycleRulesNeedDays behaviour = 13
	lifecycleRunsDaily     behaviour = 14
	echoIsNormalised       behaviour = 15 // lower-case info keys, sorted operations, no third day count
	authorizeShapesDiffer  behaviour = 16 // between versions
	multiBucketNeedsV4     behaviour = 17 // to authorize
	tokensCrossVersions    behaviour = 18
	keyShapesDiffer        behaviour = 19 // between versions, and versions 1 to 3 see no multi-bucket key
	expiredKeysVanish      behaviour = 20
	keyPagesDefaultTo100   behaviour = 21 // by default, inclusive start, null at the end
	writeKeysIsFullAccess  behaviour = 22
	authCodesHaveMeaning   behaviour = 23
	wireIsPrettyJSON       behaviour = 24 // and GET works like POST
	fieldsNeedCapabilities behaviour = 25
	behaviourCount                   = 25
)

// keeps reports whether the behaviour is intact.
func (s *Server) keeps(b behaviour) bool { return !s.broken[b] }
