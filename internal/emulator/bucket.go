package emulator

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// A bucket is one bucket's settings, as b2_update_bucket knows them.
type bucket struct {
	ID              string            `json:"id"`
	Name            string            `json:"name"`
	Type            string            `json:"type"`
	Info            map[string]string `json:"info,omitempty"`
	CORS            []corsRule        `json:"cors,omitempty"`
	Lifecycle       []lifecycleRule   `json:"lifecycle,omitempty"`
	Encryption      encryption        `json:"encryption"`
	FileLockEnabled bool              `json:"locked,omitempty"`
	Retention       defaultRetention  `json:"retention"`
	Replication     *replication      `json:"replication,omitempty"`
	Revision        int64             `json:"revision"`
	CreatedMillis   int64             `json:"created,omitempty"` // milliseconds
}

// Limits of b2_create_bucket.
const (
	maxBucketInfo     = 10
	maxInfoKey        = 50     // bytes
	maxInfoValueBytes = 10_000 // bytes, together
	infoKeyOthers     = "-_.`~!#$%^&*'|+"
)

var (
	s3Option               = []string{"s3"}
	settableBucketTypes    = []string{"allPrivate", "allPublic"}
	consoleOnlyBucketTypes = []string{"restricted", "shared", "snapshot"}

	bucketNameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]|\.[A-Za-z0-9-])*$`)
)

// loadBucket gives the bucket with the ID.
func (c *call) loadBucket(id string) (bucket, error) {
	var b bucket
	found, err := load(c.tx, "b"+id, &b)
	if err == nil && !found {
		status := 400
		if !c.server.keeps(notFoundIsBadRequest) {
			status = 404
		}
		err = refuse(status, "bad_bucket_id", "Bucket %s does not exist", id)
	}
	return b, err
}

// allowedBucket gives a bucket that the caller's key leaves.
func (c *call) allowedBucket(id string) (bucket, error) {
	if !c.mayUseBucket(id) {
		return bucket{}, unauthorized()
	}
	return c.loadBucket(id)
}

// bucketNameIfAny gives a bucket's name, or "" if it is gone.
func (c *call) bucketNameIfAny(id string) (string, error) {
	var b bucket
	_, err := load(c.tx, "b"+id, &b)
	return b.Name, err
}

// bucketNameStoreKey is where the store has the bucket of that name.
func (c *call) bucketNameStoreKey(name string) string {
	if !c.server.keeps(namesAreGlobal) {
		return "N" + name
	}
	return "N" + strings.ToLower(name)
}

func createBucket(c *call) error {
	accountID := c.in.requiredText("accountId")
	b := bucket{Name: c.in.requiredText("bucketName"), Encryption: c.server.defaultEncryption()}
	c.in.require("bucketType")
	unread := c.readSettings(&b, true)
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if err := c.checkAccount(accountID); err != nil {
		return err
	}
	if c.caller.BucketIDs != nil {
		return unauthorized()
	}
	if unread != nil {
		return unread
	}
	if err := c.checkNewBucketName(b.Name); err != nil {
		return err
	}
	if err := c.checkBucketCount(); err != nil {
		return err
	}
	c.insertBucket(&b)
	c.out.bucket(c, b)
	return nil
}

// insertBucket gives a bucket its ID and stores it.
func (c *call) insertBucket(b *bucket) {
	b.ID, b.CreatedMillis = c.server.account.bucketID(nextNumber(c.tx, "bucket")), c.now.UnixMilli()
	if c.server.keeps(revisionStartsAtTwo) {
		b.Revision = 2
	}
	c.tx.put(c.bucketNameStoreKey(b.Name), []byte(b.ID))
	save(c.tx, "b"+b.ID, b)
}

func (c *call) checkNewBucketName(name string) error {
	code := c.server.options.Switches.InvalidBucketNameCode
	if code == "" {
		code = "bad_request"
	}
	_, notAddress := netip.ParseAddr(name)
	longest := 63
	if !c.server.keeps(namesAreGlobal) {
		longest = 50
	}
	switch {
	case len(name) < 6 || len(name) > longest:
		return refuse(400, code, "bucketName must be 6 to 63 characters long: '%s'", name)
	case !bucketNameForm.MatchString(name) || strings.HasSuffix(name, ".") || notAddress == nil:
		return refuse(400, code, "bucketName may hold letters, digits, '-' and single inner '.': '%s'", name)
	case strings.HasPrefix(strings.ToLower(name), "b2-"):
		return refuse(400, code, "bucketName must not start with 'b2-': '%s'", name)
	}
	taken := func(other string) bool { return strings.EqualFold(other, name) }
	if c.tx.get(c.bucketNameStoreKey(name)) != nil || slices.ContainsFunc(c.server.options.Switches.TakenBucketNames, taken) {
		return refuse(400, "duplicate_bucket_name", "Bucket name is already in use.")
	}
	return nil
}

func (c *call) checkBucketCount() error {
	buckets := 0
	for range c.tx.scan("b", "b") {
		if buckets++; buckets >= c.server.options.MaxBuckets {
			return refuse(400, "too_many_buckets", "The account may have no more than %d buckets.", buckets)
		}
	}
	return nil
}

// readSettings reads what create and update share into b: a member that is
// absent or null leaves its setting alone. The error it returns is about what
// the members mean and for whom; what they look like, c.in knows.
func (c *call) readSettings(b *bucket, creating bool) error {
	readers := []func(*bucket) error{
		c.readType, c.readInfo, c.readCORS, c.readLifecycle, c.readEncryption, c.readFileLockEnabled, c.readReplication,
	}
	if !creating || !c.server.keeps(retentionNeedsFileLock) {
		readers = append(readers, c.readRetention)
	}
	var first error
	for _, read := range readers {
		if err := read(b); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (c *call) readType(b *bucket) error {
	t := c.in.text("bucketType")
	if t == "" && !c.in.readIsSet("bucketType") || t == b.Type {
		return nil
	}
	known := slices.Contains(settableBucketTypes, t) ||
		c.server.options.Switches.AllowConsoleBucketTypes && slices.Contains(consoleOnlyBucketTypes, t)
	if !known {
		return badRequest("bucketType must be allPublic or allPrivate: '%s'", t)
	}
	b.Type = t
	if t == "allPublic" {
		return c.checkPublicBucketsAllowed()
	}
	return nil
}

// checkPublicBucketsAllowed refuses public buckets to accounts that cannot have any.
func (c *call) checkPublicBucketsAllowed() error {
	switch sw := c.server.options.Switches; {
	case sw.EmailNotVerified:
		return refuse(401, "email_not_verified", "The account's email address has not been verified.")
	case sw.NoPaymentHistory:
		return refuse(401, "no_payment_history", "The account has no payment history.")
	}
	return nil
}

func (c *call) readInfo(b *bucket) error {
	info, ok := c.in.pairs("bucketInfo")
	if !ok {
		if c.nullClearsMember("bucketInfo") {
			b.Info = nil
		}
		return nil
	}
	if len(info) == 0 && !c.server.keeps(emptyClears) {
		return nil
	}
	b.Info = map[string]string{}
	values := 0
	for _, k := range sortedKeys(info) {
		switch folded := strings.ToLower(k); {
		case !isName(k, 1, maxInfoKey, infoKeyOthers):
			return badRequest("invalid bucketInfo key: '%s'", k)
		case strings.HasPrefix(folded, "b2-"):
			return badRequest("bucketInfo key must not start with 'b2-': '%s'", k)
		case !c.server.keeps(echoIsNormalised):
			b.Info[k] = info[k]
		default:
			b.Info[folded] = info[k]
		}
		values += len(info[k])
	}
	if len(info) > maxBucketInfo {
		return badRequest("bucketInfo may have no more than %d entries", maxBucketInfo)
	}
	if values > maxInfoValueBytes {
		return badRequest("bucketInfo values may be no longer than %d bytes together", maxInfoValueBytes)
	}
	return nil
}

// nullClearsMember reports whether a null clears the member, as it must not.
func (c *call) nullClearsMember(name string) bool {
	return !c.server.keeps(nullLeavesAlone) && c.in.isNull(name)
}

func updateBucket(c *call) error {
	accountID := c.in.requiredText("accountId")
	id := c.in.requiredText("bucketId")
	guard, guarded := c.in.integer("ifRevisionIs")
	before, missing := c.allowedBucket(id)
	b := before
	b.Info = maps.Clone(before.Info)
	unread := c.readSettings(&b, false)
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if err := c.checkAccount(accountID); err != nil {
		return err
	}
	if missing != nil {
		return missing
	}
	if guarded && guard != before.Revision && c.server.keeps(staleRevisionConflicts) {
		return refuse(409, "conflict", "simultaneous updates to bucket")
	}
	if unread != nil {
		return unread
	}
	unchanged := string(encode("b"+id, b)) == string(encode("b"+id, before))
	if !c.server.options.Switches.KeepRevisionIfUnchanged || !unchanged {
		b.Revision++
	}
	save(c.tx, "b"+id, b)
	c.out.bucket(c, b)
	return nil
}

func deleteBucket(c *call) error {
	accountID := c.in.requiredText("accountId")
	id := c.in.requiredText("bucketId")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if err := c.checkAccount(accountID); err != nil {
		return err
	}
	b, err := c.allowedBucket(id)
	if err != nil {
		return err
	}
	if err := c.dropEmptyBucket(&b); err != nil {
		return err
	}
	c.out.bucket(c, b)
	return nil
}

// dropEmptyBucket forgets a bucket, if it is empty.
func (c *call) dropEmptyBucket(b *bucket) error {
	if holdsAny(c.tx, "f"+b.ID+"/") && c.server.keeps(bucketsMustBeEmpty) {
		return refuse(400, "cannot_delete_non_empty_bucket", "Cannot delete non-empty bucket")
	}
	c.tx.remove("b" + b.ID)
	c.tx.remove("r" + b.ID)
	c.tx.remove(c.bucketNameStoreKey(b.Name))
	if c.server.keeps(revisionStartsAtTwo) {
		b.Revision++
	}
	return nil
}

// bucket prints a bucket for the caller, whose capabilities decide what it
// sees.
func (w *jsonPrinter) bucket(c *call, b bucket) {
	w.begin("", '{')
	w.text("accountId", c.server.account.ID)
	w.text("bucketId", b.ID)
	w.pairs("bucketInfo", b.Info)
	w.text("bucketName", b.Name)
	w.text("bucketType", b.Type)
	w.corsRules(c, b.CORS)
	c.printWithReadAuthorization("defaultServerSideEncryption", "readBucketEncryption", b.Encryption == encryption{}, func() {
		w.encryption("value", b.Encryption)
	})
	c.printWithReadAuthorization("fileLockConfiguration", "readBucketRetentions", false, func() {
		w.begin("value", '{')
		if b.Retention != (defaultRetention{}) || c.server.keeps(unsetIsWrappedNull) {
			w.retention("defaultRetention", b.Retention)
		}
		w.flag("isFileLockEnabled", b.FileLockEnabled)
		w.end('}')
	})
	w.lifecycleRules(c, b.Lifecycle)
	w.texts("options", s3Option)
	c.printWithReadAuthorization("replicationConfiguration", "readBucketReplications", b.Replication == nil, func() {
		w.replication("value", b.Replication)
	})
	w.number("revision", b.Revision)
	w.end('}')
}

// printWithReadAuthorization prints a setting that only callers with the capability see.
func (c *call) printWithReadAuthorization(name, capability string, unset bool, value func()) {
	if unset && !c.server.keeps(unsetIsWrappedNull) {
		return
	}
	w := &c.out
	visible := c.may(capability) || !c.server.keeps(wrappersHideValues)
	w.begin(name, '{')
	w.flag("isClientAuthorizedToRead", visible)
	if visible {
		value()
	} else {
		w.null("value")
	}
	w.end('}')
}
