package emulator

import (
	"crypto/md5"
	"encoding/base64"
	"time"
)

// A lockRequest is how a new file is to be locked: by the bucket's default where
// it says nothing.
type lockRequest struct {
	Mode        string
	UntilMillis int64
	Hold        string
}

func fileLockDisabledError() error {
	return refuse(400, "bucket_missing_file_lock", "The bucket is not file lock enabled")
}

// newLock decides the lock of a file that is made now.
func (c *call) newLock(b bucket, wish lockRequest) (fileLock, error) {
	if wish == (lockRequest{}) {
		return c.defaultLock(b), nil
	}
	switch {
	case wish.Mode != "" && !c.may("writeFileRetentions"), wish.Hold != "" && !c.may("writeFileLegalHolds"):
		return fileLock{}, unauthorized()
	case !b.FileLockEnabled:
		return fileLock{}, fileLockDisabledError()
	case wish.Hold != "" && wish.Hold != "on" && wish.Hold != "off":
		return fileLock{}, badRequest("legalHold must be on or off: '%s'", wish.Hold)
	}
	lock := c.defaultLock(b)
	if wish.Mode != "" || wish.UntilMillis != 0 {
		if err := c.checkRetention(wish.Mode, wish.UntilMillis); err != nil {
			return fileLock{}, err
		}
		lock.Mode, lock.UntilMillis = wish.Mode, wish.UntilMillis
	}
	lock.Hold = wish.Hold
	return lock, nil
}

// defaultLock is what the bucket's default retention means for a file of now.
func (c *call) defaultLock(b bucket) fileLock {
	until := c.now.Truncate(time.Second)
	switch b.Retention.Unit {
	case "days":
		until = until.AddDate(0, 0, int(b.Retention.Duration))
	case "years":
		until = until.AddDate(int(b.Retention.Duration), 0, 0)
	default:
		return fileLock{}
	}
	return fileLock{Mode: b.Retention.Mode, UntilMillis: until.UnixMilli()}
}

func (c *call) checkRetention(mode string, untilMillis int64) error {
	switch {
	case mode != "governance" && mode != "compliance":
		return badRequest("fileRetention.mode must be governance or compliance: '%s'", mode)
	case untilMillis <= c.now.UnixMilli():
		return refuse(400, "retain_until_timestamp_must_be_in_future", "The retainUntilTimestamp must be in future")
	}
	return nil
}

// readLockRequest reads the members with which calls that are not uploads ask
// for a lock.
func (c *call) readLockRequest() lockRequest {
	wish := lockRequest{Hold: c.in.text("legalHold")}
	if in := c.in.object("fileRetention"); in != nil {
		wish.Mode = in.text("mode")
		wish.UntilMillis, _ = in.integer("retainUntilTimestamp")
	}
	return wish
}

// checkCustomerEncryption checks a customer's key against its digest and forgets it.
func checkCustomerEncryption(key, digest string) (checked encryption, keyMD5 string, err error) {
	raw, err := base64.StdEncoding.DecodeString(key)
	sum := md5.Sum(raw)
	if err != nil || len(raw) != 32 || base64.StdEncoding.EncodeToString(sum[:]) != digest {
		return encryption{}, "", badRequest("Invalid customer key or customerKeyMd5")
	}
	return encryption{"SSE-C", "AES256"}, digest, nil
}

// checkCustomerKeyMD5 checks that a request has the key of a file that its customer
// encrypted: the digest of a key, or "" if it brought none.
func (f file) checkCustomerKeyMD5(customerKeyMD5 string) error {
	switch {
	case f.CustomerKeyMD5 == customerKeyMD5 || f.CustomerKeyMD5 == "":
		return nil
	case customerKeyMD5 == "":
		return badRequest("The object was stored using a form of Server Side Encryption. " +
			"The correct parameters must be provided to retrieve the object.")
	}
	return accessDenied()
}

// readFileEncryption reads a member that asks for a file's encryption.
func (c *call) readFileEncryption(name string, byDefault encryption) (e encryption, customerKeyMD5 string, err error) {
	in := c.in.object(name)
	if in == nil {
		return byDefault, "", nil
	}
	mode, algorithm := in.text("mode"), in.text("algorithm")
	key, digest := in.text("customerKey"), in.text("customerKeyMd5")
	switch {
	case mode == "", mode == "none" && c.server.encryptsNothingByDefault():
		return byDefault, "", nil
	case algorithm != "AES256":
		return e, "", badRequest("Invalid server-side encryption algorithm")
	case mode == "SSE-C":
		return checkCustomerEncryption(key, digest)
	case mode == "SSE-B2":
		return sseB2, "", nil
	}
	return e, "", badRequest("expected a FileSseMode but found: '%s'", mode)
}
