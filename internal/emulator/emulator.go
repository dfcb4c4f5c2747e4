// Package emulator emulates a Backblaze B2 account: an http.Handler that
// answers the native API, versions 1 to 4, with the wire format, validation,
// limits, error codes and capability checks of the service. A second handler,
// Server.S3, answers the S3-compatible API over the same account.
//
// It imports nothing else of this module, so that it cannot inherit a mistake
// of the client it judges. Everything that would make two runs differ comes
// from outside: the clock, the seed of identifiers and secrets, the faults.
//
// One request walks this way: ServeHTTP (serve.go) reads it and asks the queue
// of faults; the method table (methods.go) says which capability the caller
// needs and whether the request writes; the method itself, in the file of its
// noun (bucket.go, key.go, file.go, ...), runs inside one transaction of the
// store (store.go) and prints its reply (wire.go). A method that returns an
// error leaves no trace in the store.
//
// Where the service's documentation is silent or contradicts what was seen,
// Switches picks the other reading.
package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what kind of account is emulated. Only Now is required.
type Options struct {
	// Now is the clock of the service: expiry, upload times and the Date
	// header come from it.
	Now func() time.Time
	// Seed determines identifiers and secrets: the same seed and the same
	// requests in the same order give the same ones.
	Seed uint64
	// Dir is the folder that keeps the account; "" keeps it in memory.
	Dir string
	// OpenTimeout is how long Open waits for a folder that another process has;
	// 10 seconds if zero.
	OpenTimeout time.Duration
	// Region is the last part of the S3 endpoint; "us-west-004" if empty.
	Region string
	// URL is the base that b2_authorize_account reports for every kind of
	// request. If empty, the reply has the URLs of the real service in Region;
	// whoever embeds the handler then routes all hosts to it.
	URL string
	// S3URL is the base that b2_authorize_account reports for the S3 face, which
	// is a handler of its own; see Server.S3. If empty, it is URL.
	S3URL string
	// KeyID and Key are the master application key. KeyID is the account ID
	// too, 12 hex digits. Both derive from Seed if empty. A folder remembers
	// Seed, Region, KeyID and Key of its first run, and they win.
	KeyID, Key string
	// MaxBuckets is how many buckets the account may hold; 100 if zero.
	MaxBuckets int
	// Latency is added to every request.
	Latency time.Duration
	// Switches pick among readings of doubtful facts.
	Switches Switches
	// BrokenBehaviours lists behaviours to break (1 to 25, see behaviour.go). It exists
	// to show that a test suite notices.
	BrokenBehaviours []int
}

// Switches pick the reading of facts that are undocumented, contradictory or
// in transition at the service. Every zero value is the documented or, failing
// that, the observed behaviour.
type Switches struct {
	// IgnoreUnknownMembers takes no notice of a request member that the method
	// does not know. The service was seen to refuse one (2026).
	IgnoreUnknownMembers bool
	// V4ListsOnlyMultiBucketKeys follows the letter of the b2_list_keys page: version
	// 4 lists and deletes Multi-Bucket Application Keys only. The service was
	// seen to list and delete every key through version 4.
	V4ListsOnlyMultiBucketKeys bool
	// StrictLifecycleOverlap refuses two lifecycle rules of which one prefix
	// starts with the other, as the documentation demanded until 2024.
	StrictLifecycleOverlap bool
	// KeyPrefixNeedsBucket refuses a key with a name prefix and no bucket, as
	// older documentation of b2_create_key demanded.
	KeyPrefixNeedsBucket bool
	// UnencryptedByDefault encrypts nothing unasked, as before 14 September 2026: new
	// buckets report no default encryption, as some old ones still do, and the
	// modes null and "none" of b2_update_bucket clear it.
	UnencryptedByDefault bool
	// KeepRevisionIfUnchanged leaves a bucket's revision alone when an update changes
	// nothing.
	KeepRevisionIfUnchanged bool
	// TokensOutliveKeys keeps authorization tokens valid after their key is
	// deleted, as the service may do for some minutes.
	TokensOutliveKeys bool
	// OnlyRulesRemoveMarkers keeps a hide marker that has become the only version of
	// its name where no lifecycle rule applies. The documentation says that
	// such markers are always removed.
	OnlyRulesRemoveMarkers bool
	// ReorderRules answers with the lifecycle and CORS rules of a bucket in
	// another order. The service promises none.
	ReorderRules bool
	// RealDateHeader leaves the Date header of replies alone when the account's clock
	// is moved: some clients refuse a server whose clock is wrong.
	RealDateHeader bool
	// DestinationsFirst refuses a replication source whose destination bucket does not list the source's key, as the
	// documentation says ("Cloud Replication"). The Python SDK's tests of the service set a source first.
	DestinationsFirst bool
	// AllowConsoleBucketTypes lets b2_create_bucket make the bucket types that only the
	// service itself makes: snapshot, restricted and shared.
	AllowConsoleBucketTypes bool
	// NoPaymentHistory and EmailNotVerified are the two states of an account
	// in which buckets cannot be public.
	NoPaymentHistory, EmailNotVerified bool
	// TakenBucketNames are bucket names that belong to other accounts.
	TakenBucketNames []string
	// InvalidBucketNameCode is the error code for an illegal bucket name;
	// "bad_request" if empty. Clients were written for "invalid_bucket_name"
	// and "bad_json" as well.
	InvalidBucketNameCode string
	// MaxDailyClassC caps the class C transactions of a UTC day; zero is no cap.
	MaxDailyClassC int
}

// A Server is one emulated account. It is safe for concurrent use.
type Server struct {
	options         Options
	store           store
	content         contentStore
	account         account
	broken          [behaviourCount + 1]bool
	faults          faults
	log             callLog
	usage           classCUsage
	uploads         uploadTokens
	closed          atomic.Bool
	clockAheadNanos atomic.Int64 // nanoseconds that the clock is ahead of Options.Now
	// lastLifecyclePassDay is the day, from 1970, of the last pass of lifecycle rules that
	// is over; passing is held by whoever makes one.
	lastLifecyclePassDay atomic.Int64
	lifecycleMu          sync.Mutex
	replyBuffers         sync.Pool     // of replies, which run to megabytes
	s3Hosts              []string      // below which buckets have hosts of their own
	s3RequestCount       atomic.Uint64 // of the S3 face, which have IDs
}

// Open makes the account, or finds it again in o.Dir. When another process has
// o.Dir open, it waits for o.OpenTimeout and then fails with an error that says so.
func Open(o Options) (*Server, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	s := &Server{options: o}
	for _, n := range o.BrokenBehaviours {
		if n < 1 || n > behaviourCount {
			return nil, fmt.Errorf("emulator: no behaviour has the number %d", n)
		}
		s.broken[n] = true
	}
	if o.Dir == "" {
		s.store, s.content = newMemoryStore(), newMemoryContent()
	} else {
		st, err := openDatabaseStore(o.Dir, o.OpenTimeout)
		if err != nil {
			return nil, fmt.Errorf("emulator: %w", err)
		}
		s.store, s.content = st, folderContentStore(o.Dir)
	}
	wasOpen, err := s.loadOrCreateAccount()
	if folder, ok := s.content.(folderContentStore); ok && wasOpen && err == nil {
		err = s.removeOrphanedContent(folder)
	}
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", errors.Join(err, s.store.close()))
	}
	s.s3Hosts = s.hostsOfS3()
	return s, nil
}

var regionForm = regexp.MustCompile(`^[a-z]+-[a-z]+-[0-9][0-9][0-9]$`)

func (o *Options) complete() error {
	if o.Now == nil {
		return errors.New("no clock given")
	}
	if o.Region == "" {
		o.Region = "us-west-004"
	}
	if !regionForm.MatchString(o.Region) {
		return fmt.Errorf("region %q does not look like us-west-004", o.Region)
	}
	if o.KeyID != "" && !isHex(o.KeyID, accountIDLength) {
		return fmt.Errorf("master key ID %q is not %d hex digits", o.KeyID, accountIDLength)
	}
	if o.MaxBuckets == 0 {
		o.MaxBuckets = 100
	}
	if o.OpenTimeout == 0 {
		o.OpenTimeout = 10 * time.Second
	}
	o.URL, o.S3URL = strings.TrimRight(o.URL, "/"), strings.TrimRight(o.S3URL, "/")
	return nil
}

// loadOrCreateAccount reads who the account is, or decides it on the first run. wasOpen says
// that the last process which had the account did not close it.
func (s *Server) loadOrCreateAccount() (wasOpen bool, err error) {
	err = s.store.update(func(t tx) error {
		found, err := load(t, metaKey, &s.account)
		if err != nil {
			return err
		}
		if !found {
			s.account = newAccount(s.options)
			save(t, metaKey, s.account)
		}
		wasOpen = t.get(openKey) != nil
		t.put(openKey, []byte("1"))
		return s.loadOrSetLastPassDay(t)
	})
	return wasOpen, err
}

// Close releases the account's folder. Requests that are still running finish
// first; later ones are answered with an internal error.
func (s *Server) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	err := s.store.update(func(t tx) error {
		t.remove(openKey)
		return nil
	})
	if err = errors.Join(err, s.store.close()); err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	return nil
}

// DamageError tells why a folder cannot be served any more, or nil: its account.db
// was torn by something else than this process. All requests fail from then on.
func (s *Server) DamageError() error {
	if f, ok := s.store.(*databaseStore); ok && f.damaged.Load() {
		return fmt.Errorf("emulator: %w", f.damagedError(errTorn.Error()))
	}
	return nil
}

// AccountID is the account's 12 hex digits.
func (s *Server) AccountID() string { return s.account.ID }

// MasterKeyID is the ID of the master application key, which equals the
// account ID.
func (s *Server) MasterKeyID() string { return s.account.ID }

// MasterKey is the secret of the master application key.
func (s *Server) MasterKey() string { return s.account.masterKey() }

var _ http.Handler = (*Server)(nil)
