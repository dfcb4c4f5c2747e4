package emulator

import "slices"

// encryption is a default or a file's server-side encryption; see "Use
// Server-Side Encryption with the B2 Native API". The zero value is none.
type encryption struct {
	Mode      string `json:"mode,omitempty"`
	Algorithm string `json:"algorithm,omitempty"`
}

// Every upload and bucket is encrypted so since 14 September 2026.
var sseB2 = encryption{"SSE-B2", "AES256"}

func (s *Server) defaultEncryption() encryption {
	if s.encryptsNothingByDefault() {
		return encryption{}
	}
	return sseB2
}

// encryptsNothingByDefault reports whether nothing is encrypted unasked, and a null takes
// encryption back.
func (s *Server) encryptsNothingByDefault() bool {
	return s.options.Switches.UnencryptedByDefault || !s.keeps(encryptedByDefault)
}

// defaultFileEncryption is how a file is encrypted that is put into the bucket and does
// not say how.
func (s *Server) defaultFileEncryption(b bucket) encryption {
	if b.Encryption == (encryption{}) {
		return s.defaultEncryption()
	}
	return b.Encryption
}

func (c *call) readEncryption(b *bucket) error {
	in := c.in.object("defaultServerSideEncryption")
	if in == nil {
		if c.nullClearsMember("defaultServerSideEncryption") {
			b.Encryption = c.server.defaultEncryption()
		}
		return nil
	}
	mode, algorithm, hasMode := in.text("mode"), in.text("algorithm"), in.readIsSet("mode")
	if !c.mayWriteSetting("writeBucketEncryption") {
		return unauthorized()
	}
	switch {
	case !hasMode, mode == "none" && c.server.encryptsNothingByDefault():
		// A reset: encryption cannot be turned off any more.
		b.Encryption = c.server.defaultEncryption()
		return nil
	case mode == "none" || mode == "SSE-C":
		return badRequest("default server-side encryption mode '%s' is not supported", mode)
	case mode != sseB2.Mode:
		return badRequest("expected a FileSseMode but found: '%s'", mode)
	case algorithm != sseB2.Algorithm:
		return badRequest("Invalid default server-side encryption algorithm")
	}
	b.Encryption = sseB2
	return nil
}

// mayWriteSetting reports whether the caller may write a setting that has its own
// capability.
func (c *call) mayWriteSetting(capability string) bool {
	return c.may(capability) || !c.server.keeps(fieldsNeedCapabilities)
}

func (w *jsonPrinter) encryption(name string, e encryption) {
	w.begin(name, '{')
	w.textOrNull("algorithm", e.Algorithm)
	w.textOrNull("mode", e.Mode)
	w.end('}')
}

// defaultRetention is a bucket's default retention; see "Object Lock". The zero value
// is none.
type defaultRetention struct {
	Mode     string `json:"mode,omitempty"`
	Duration int64  `json:"duration,omitempty"`
	Unit     string `json:"unit,omitempty"`
}

const maxRetentionDays = 3000

func (c *call) readFileLockEnabled(b *bucket) error {
	enable, ok := c.in.flag("fileLockEnabled")
	if !ok || enable == b.FileLockEnabled {
		if ok && enable && !c.mayWriteSetting("writeBucketRetentions") {
			return unauthorized()
		}
		return nil
	}
	if !enable {
		if c.server.keeps(retentionNeedsFileLock) {
			return refuse(400, "file_lock_conflict",
				"fileLockEnabled value of false is not allowed when bucket is already file lock enabled.")
		}
		b.FileLockEnabled = false
		return nil
	}
	switch {
	case !c.mayWriteSetting("writeBucketRetentions"):
		return unauthorized()
	case slices.Contains(consoleOnlyBucketTypes, b.Type):
		return refuse(400, "restricted_bucket_conflict", "A %s bucket cannot be file lock enabled.", b.Type)
	case b.Replication != nil && b.Replication.Source != nil && b.ID != "":
		return refuse(400, "source_replication_conflict", "A bucket that is a replication source cannot be file lock enabled.")
	}
	b.FileLockEnabled = true
	return nil
}

func (c *call) readRetention(b *bucket) error {
	in := c.in.object("defaultRetention")
	if in == nil {
		if c.nullClearsMember("defaultRetention") {
			b.Retention = defaultRetention{}
		}
		return nil
	}
	r := defaultRetention{Mode: in.text("mode")}
	if period := in.object("period"); period != nil {
		period.require("duration")
		period.require("unit")
		r.Duration, _ = period.integer("duration")
		r.Unit = period.text("unit")
	}
	if !c.mayWriteSetting("writeBucketRetentions") {
		return unauthorized()
	}
	if !in.readIsSet("mode") {
		b.Retention = defaultRetention{}
		return nil
	}
	if !b.FileLockEnabled && c.server.keeps(retentionNeedsFileLock) {
		return fileLockDisabledError()
	}
	if err := r.check(); err != nil {
		return err
	}
	b.Retention = r
	return nil
}

func (r defaultRetention) check() error {
	days := map[string]int64{"days": r.Duration, "years": 365 * r.Duration}
	n, known := days[r.Unit]
	switch {
	case r.Mode != "governance" && r.Mode != "compliance":
		return badRequest("defaultRetention.mode must be governance or compliance: '%s'", r.Mode)
	case r.Unit == "":
		return badRequest("required field defaultRetention.period is missing")
	case !known:
		return badRequest("defaultRetention.period.unit must be days or years: '%s'", r.Unit)
	case r.Duration < 1 || r.Duration > maxRetentionDays || n > maxRetentionDays:
		return badRequest("defaultRetention.period must be from 1 to %d days: %d %s", maxRetentionDays, r.Duration, r.Unit)
	}
	return nil
}

func (w *jsonPrinter) retention(name string, r defaultRetention) {
	w.begin(name, '{')
	w.textOrNull("mode", r.Mode)
	if r.Mode == "" {
		w.null("period")
	} else {
		w.begin("period", '{')
		w.number("duration", r.Duration)
		w.text("unit", r.Unit)
		w.end('}')
	}
	w.end('}')
}
