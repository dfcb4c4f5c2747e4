// Package prove tries from outside whether live keys and buckets do what their
// configuration says: what a key may do and must not do, natively and through the
// S3-compatible API, who gets files without a key, what pages of other origins may
// ask for, and that Object Lock refuses a deletion. What it makes for that it removes.
package prove

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"b2form/schema/wire"
)

// A Client speaks the native API as somebody.
type Client interface {
	wire.API
	wire.FileStore
	// Authorize says what B2 says of the credentials.
	Authorize(ctx context.Context) (*wire.Account, error)
	// Download gives the content of a file version of so many bytes.
	Download(ctx context.Context, fileID string, size int64) ([]byte, error)
}

// A Bucket is a live bucket.
type Bucket struct {
	ID, Name      string
	Public        bool // its files can be had without a key
	HasObjectLock bool // it has Object Lock
	CORS          []CORSRule
	HasS3         bool
	// NoUploadReason says why a file that is uploaded here could not be removed again without a trace; "": it
	// can be.
	NoUploadReason string
}

// A CORSRule says which pages may ask for what.
type CORSRule struct{ Origins, Operations, Headers []string }

// A Key is a live key.
type Key struct {
	Capabilities          []string
	NamePrefix            string
	HasS3                 bool
	SampleAllowedBucket   *Bucket // one that it reaches; nil: there is none to try it in
	SampleForbiddenBucket *Bucket // one that it must not reach; nil: there is none
	// DifferingAttrs names what B2 says otherwise of the key than it was made with.
	DifferingAttrs func(*wire.Account) []string
	// Open gives the means to act as the key; NoAccessReason says why there are none.
	Open           func(ctx context.Context) (*Access, error)
	NoAccessReason string
}

// Access is how to act as a key.
type Access struct {
	Client        Client
	KeyID, Secret func() string // functions, so that no printing finds them
	IsNewKey      bool          // it was made just now, and B2 may not know it everywhere
	DeleteKey     func() error  // deletes what was made for it
}

// A Subject is one address with what is live under it.
type Subject struct {
	ResourceAddr   string
	DifferenceText string // in what it is not as declared, in words; "": it is
	// Key and Bucket: one is set, or with Differ none.
	Key    *Key
	Bucket *Bucket
}

// IsLive reports whether something is there that can be tried.
func (s Subject) IsLive() bool { return s.Key != nil || s.Bucket != nil }

// A Promise is one thing that can be tried.
type Promise struct {
	Text        string // "B2: may not delete files"
	SkipReason  string // why it cannot be tried; "": it can
	CallClasses string // of the calls that it takes at most, as in B2's price list: "AAC"
	try         func(ctx context.Context, t *prover) error
}

// A Status is what came of a promise.
type Status string

// The statuses. Unknown is a promise of which a trial told nothing, since something else went
// wrong.
const (
	Kept    Status = "pass"
	Broken  Status = "fail"
	Unknown Status = "error"
	Skipped Status = "skip"
)

// A Result is what came of one promise.
type Result struct {
	ResourceAddr string
	PromiseText  string
	Status       Status
	Detail       string // what is wrong, or why it was not tried
	Took         time.Duration
}

// AnyBrokenOrUnknown reports whether a promise is not known to be kept that was tried.
func AnyBrokenOrUnknown(results []Result) bool {
	for _, r := range results {
		if r.Status == Broken || r.Status == Unknown {
			return true
		}
	}
	return false
}

// Options are what trials need from outside.
type Options struct {
	Admin              Client            // the credentials in use: they make what a key may not make, and remove everything
	Account            *wire.Account     // of Admin
	NonNativeTransport http.RoundTripper // for what is not native
	Now                func() time.Time  // by B2's clock
	Sleep              func(ctx context.Context, d time.Duration) error
	Explain            func(error) string // says for people what is wrong
	FileNameSuffix     string             // the end of the name of every file that is uploaded
	ReadOnly           bool               // upload nothing
	ParallelSubjects   int                // subjects at once
}

// noUploadReason says why nothing may be uploaded anywhere; "": it may.
func (o *Options) noUploadReason() string {
	if o.ReadOnly {
		return "nothing is to be written"
	}
	for _, c := range []string{"deleteFiles", "listFiles", "readBucketReplications", "readBucketRetentions", "writeFiles"} {
		if !o.Account.HasCapability(c) {
			return "the credentials in use lack " + c + ", so that an upload could not be removed for certain"
		}
	}
	return ""
}

// promises lists what is tried of a subject, in that order. It asks B2 nothing.
func (o *Options) promises(s *Subject) []Promise {
	declared := Promise{Text: "is as declared", try: func(context.Context, *prover) error {
		if s.DifferenceText != "" {
			return brokenPromiseError(s.DifferenceText)
		}
		return nil
	}}
	switch {
	case s.Key != nil:
		return append([]Promise{declared}, o.keyPromises(s.Key)...)
	case s.Bucket != nil:
		return append([]Promise{declared}, o.bucketPromises(s.Bucket)...)
	}
	return []Promise{declared}
}

// MaxCallsByClass counts the calls of each class that trying the promises takes at most.
func (o *Options) MaxCallsByClass(subjects []Subject) map[byte]int {
	n := map[byte]int{'A': 0, 'B': 0, 'C': 0}
	for i := range subjects {
		for _, p := range o.promises(&subjects[i]) {
			for j := range p.CallClasses {
				if p.SkipReason == "" {
					n[p.CallClasses[j]]++
				}
			}
		}
	}
	return n
}

// Run tries all promises of the subjects, and removes what that made, also when ctx ends. The
// results are in the order of the subjects.
func (o *Options) Run(ctx context.Context, subjects []Subject) []Result {
	results := make([][]Result, len(subjects))
	free := make(chan struct{}, o.ParallelSubjects)
	var group sync.WaitGroup
	for i := range subjects {
		free <- struct{}{}
		own := *o // two may work in one bucket
		own.FileNameSuffix = fmt.Sprintf("%s-%d", o.FileNameSuffix, i)
		group.Go(func() {
			results[i] = own.trySubject(ctx, &subjects[i])
			<-free
		})
	}
	group.Wait()
	var all []Result
	for _, list := range results {
		all = append(all, list...)
	}
	return all
}

func (o *Options) trySubject(ctx context.Context, s *Subject) (results []Result) {
	t := &prover{Options: o, key: s.Key, uploads: map[file]*uploads{}}
	for _, p := range o.promises(s) {
		r := Result{ResourceAddr: s.ResourceAddr, PromiseText: p.Text, Status: Skipped, Detail: p.SkipReason}
		switch {
		case ctx.Err() != nil:
			r.Detail = "interrupted"
		case p.SkipReason == "" && t.keyUnusable:
			r.Detail = "the key does not authorize"
		case p.SkipReason == "":
			start := o.Now()
			r.Status, r.Detail = o.statusOfTrial(p.try(ctx, t))
			r.Took = o.Now().Sub(start)
			if r.Status == Unknown && ctx.Err() != nil {
				r.Status, r.Detail = Skipped, "interrupted"
			}
		}
		results = append(results, r)
	}
	for _, left := range t.clean(context.WithoutCancel(ctx)) {
		results = append(results, Result{ResourceAddr: s.ResourceAddr, PromiseText: "leaves nothing behind", Status: Unknown, Detail: left})
	}
	return results
}

// A brokenPromiseError says how a promise is broken.
type brokenPromiseError string

func (e brokenPromiseError) Error() string { return string(e) }

func (o *Options) statusOfTrial(err error) (status Status, detail string) {
	switch e := err.(type) { // wrapped, it would be something else that went wrong
	case nil:
		return Kept, ""
	case brokenPromiseError:
		return Broken, string(e)
	case *inconclusiveError:
		if e.cause == nil {
			return Unknown, e.reason + "."
		}
		return Unknown, e.reason + ". " + o.Explain(e.cause)
	}
	return Unknown, o.Explain(err)
}

// An inconclusiveError says why a trial tells nothing.
type inconclusiveError struct {
	reason string
	cause  error // nil: what says it all
}

func (e *inconclusiveError) Error() string { return e.reason }

// quoted is a name that others may have chosen, or the beginning of a long one.
func quoted(name string) string {
	return wire.QuoteB2Text(fmt.Sprintf("%.200s", strings.ToValidUTF8(name, "\ufffd")))
}
