package emulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A key is an application key. Its secret is not stored: it derives from the
// ID.
type key struct {
	ID            string
	Name          string
	Capabilities  []string
	BucketIDs     []string // nil: all
	IsMultiBucket bool     // made with bucketIds, in version 4
	Prefix        string
	ExpiresMillis int64 // milliseconds; 0: never
	// Deleted keys are remembered only where their tokens outlive them.
	Deleted bool
}

// Keys come in hundreds of thousands and are listed ten thousand at a time, so
// their records are lists of strings, which take a tenth of JSON's time.

// record is what the store has of a key.
func (k key) record() []byte {
	return pack(k.ID, k.Name, k.Prefix, strconv.FormatInt(k.ExpiresMillis, 10),
		strconv.FormatBool(k.IsMultiBucket), strconv.FormatBool(k.Deleted),
		strings.Join(k.Capabilities, ","), strings.Join(k.BucketIDs, ","))
}

func readKey(at string, record []byte) (key, error) {
	fields, ok := unpack(record)
	if !ok || len(fields) != 8 {
		return key{}, fmt.Errorf("the record %q is damaged", at)
	}
	expires, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return key{}, fmt.Errorf("the record %q is damaged: %w", at, err)
	}
	k := key{
		ID: fields[0], Name: fields[1], Prefix: fields[2], ExpiresMillis: expires,
		IsMultiBucket: fields[4] == "true", Deleted: fields[5] == "true",
		Capabilities: strings.Split(fields[6], ","),
	}
	if fields[7] != "" {
		k.BucketIDs = strings.Split(fields[7], ",")
	}
	return k, nil
}

// loadKeyEvenIfDeleted gives the key with the ID, expired or not, and whether there is one.
func loadKeyEvenIfDeleted(t tx, id string) (_ key, found bool, err error) {
	record := t.get("k" + id)
	if record == nil {
		return key{}, false, nil
	}
	k, err := readKey("k"+id, record)
	return k, err == nil, err
}

func (k key) expired(now time.Time) bool {
	return k.ExpiresMillis != 0 && now.UnixMilli() >= k.ExpiresMillis
}

// Limits of b2_create_key and b2_list_keys.
const (
	maxKeyDuration    = 1000 * 24 * 60 * 60 // seconds, exclusive
	defaultKeyPage    = 100
	maxKeyPage        = 10_000
	maxKeyName        = 100
	brokenKeyPageSize = 1000 // what a broken keyPagesDefaultTo100 uses
)

// accountWideCapabilities reach beyond any bucket, so a key that is limited to one
// cannot have them.
var accountWideCapabilities = []string{"deleteBuckets", "deleteKeys", "listKeys", "writeKeys"}

func createKey(c *call) error {
	accountID := c.in.requiredText("accountId")
	k := key{Name: c.in.requiredText("keyName"), Prefix: c.in.text("namePrefix")}
	c.in.require("capabilities")
	k.Capabilities, _ = c.in.texts("capabilities")
	seconds, expires := c.in.integer("validDurationInSeconds")
	others := "bucketIds"
	if c.version >= 4 {
		k.BucketIDs, k.IsMultiBucket = c.in.texts("bucketIds")
		others = "bucketId"
	} else if id := c.in.text("bucketId"); id != "" {
		k.BucketIDs = []string{id}
	}
	if c.in.values[others] != nil {
		// To ignore how another version names buckets would make a key for all.
		return badRequest("unknown field %s", others)
	}
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if err := c.checkAccount(accountID); err != nil {
		return err
	}
	if expires {
		if seconds < 1 || seconds >= maxKeyDuration {
			return badRequest("validDurationInSeconds must be positive and less than 1000 days: %d", seconds)
		}
		k.ExpiresMillis = c.now.UnixMilli() + seconds*1000
	}
	if err := c.checkNewKey(k); err != nil {
		return err
	}
	k.ID = c.server.account.keyID(nextNumber(c.tx, "key"))
	c.tx.put("k"+k.ID, k.record())
	c.out.key(c, k, c.server.account.derivedSecret(k.ID))
	return nil
}

func (c *call) checkNewKey(k key) error {
	if !isName(k.Name, 1, maxKeyName, "-") {
		return badRequest("keyName must be 1 to 100 letters, digits and hyphens: '%s'", k.Name)
	}
	if len(k.Capabilities) == 0 {
		return badRequest("capabilities must not be empty")
	}
	for _, name := range k.Capabilities {
		switch {
		case !slices.Contains(allCapabilities, name):
			return badRequest("unknown capability: '%s'", name)
		case k.BucketIDs != nil && slices.Contains(accountWideCapabilities, name):
			return badRequest("a key limited to a bucket cannot have the capability %s", name)
		case !c.server.keeps(writeKeysIsFullAccess) && !c.may(name):
			return unauthorized()
		}
	}
	if k.IsMultiBucket && len(k.BucketIDs) == 0 {
		return badRequest("bucketIds must not be empty")
	}
	for _, id := range k.BucketIDs {
		if _, err := c.loadBucket(id); err != nil {
			return err
		}
	}
	if k.Prefix != "" && k.BucketIDs == nil && c.server.options.Switches.KeyPrefixNeedsBucket {
		return badRequest("namePrefix needs a bucketId")
	}
	return nil
}

// key prints an application key in the form of the call's version.
func (w *jsonPrinter) key(c *call, k key, secret string) {
	w.begin("", '{')
	w.text("accountId", c.server.account.ID)
	if secret != "" {
		w.text("applicationKey", secret)
	}
	w.text("applicationKeyId", k.ID)
	switch {
	case c.version >= 4 || !c.server.keeps(keyShapesDiffer):
		w.textsOrNull("bucketIds", k.BucketIDs)
	case k.BucketIDs == nil:
		w.null("bucketId")
	default:
		w.text("bucketId", k.BucketIDs[0])
	}
	w.texts("capabilities", k.Capabilities)
	w.numberOrNull("expirationTimestamp", k.ExpiresMillis)
	w.text("keyName", k.Name)
	w.textOrNull("namePrefix", k.Prefix)
	w.texts("options", s3Option)
	w.end('}')
}

// versionIncludesKey reports whether the call's version lists and deletes such a key.
func (c *call) versionIncludesKey(k key) bool {
	switch {
	case !c.server.keeps(keyShapesDiffer):
		return true
	case c.version >= 4:
		return k.IsMultiBucket || !c.server.options.Switches.V4ListsOnlyMultiBucketKeys
	}
	return !k.IsMultiBucket
}

func listKeys(c *call) error {
	accountID := c.in.requiredText("accountId")
	page, _ := c.in.integer("maxKeyCount")
	start := c.in.text("startApplicationKeyId")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if err := c.checkAccount(accountID); err != nil {
		return err
	}
	if page < 0 || page > maxKeyPage {
		return badRequest("maxKeyCount must be from 1 to %d: %d", maxKeyPage, page)
	}
	asKept := c.server.keeps(keyPagesDefaultTo100)
	if page == 0 {
		page = defaultKeyPage
		if !asKept {
			page = brokenKeyPageSize
		}
	}
	next, listed := "", 0
	w := &c.out
	w.begin("", '{')
	w.begin("keys", '[')
	for at, record := range c.tx.scan("k"+start, "k") {
		k, err := readKey(at, record)
		if err != nil {
			return err
		}
		if k.Deleted || k.expired(c.now) && c.server.keeps(expiredKeysVanish) || !c.versionIncludesKey(k) {
			continue
		}
		if listed == int(page) {
			next = k.ID
			break
		}
		w.key(c, k, "")
		listed++
		if !asKept && listed == int(page) {
			next = k.ID
			break
		}
	}
	w.end(']')
	w.textOrNull("nextApplicationKeyId", next)
	w.end('}')
	c.classCTransactionsIfNotOne = transactionsForItems(listed)
	return nil
}

func deleteKey(c *call) error {
	id := c.in.requiredText("applicationKeyId")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	k, found, err := loadKeyEvenIfDeleted(c.tx, id)
	if err != nil {
		return err
	}
	if !found || k.Deleted || k.expired(c.now) {
		status := 400
		if !c.server.keeps(notFoundIsBadRequest) {
			status = 404
		}
		return refuse(status, "bad_request", "application key does not exist: %s", id)
	}
	if !c.versionIncludesKey(k) {
		return c.unsupportedVersionError()
	}
	if c.server.options.Switches.TokensOutliveKeys {
		k.Deleted = true
		c.tx.put("k"+id, k.record())
	} else {
		c.tx.remove("k" + id)
	}
	c.out.key(c, k, "")
	return nil
}
