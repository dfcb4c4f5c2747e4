package prove

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"b2form/schema/wire"
)

// stranger is an origin that no rule names. The name is reserved, so it is nobody's (RFC 6761).
const stranger = "https://b2form-prove.invalid"

// bucketPromises are what a bucket gives to those without a key, what it lets pages of other origins
// ask for, and that Object Lock refuses a deletion.
func (o *Options) bucketPromises(b *Bucket) []Promise {
	at := file{b, o.FileNameSuffix}
	noUpload := cmp.Or(o.noUploadReason(), b.NoUploadReason)
	open := Promise{Text: "gives no file to those without a key", CallClasses: "B"}
	if b.Public {
		open.Text = "gives its files to everybody"
	}
	if noUpload == "" {
		open.CallClasses += "AAC"
	}
	open.try = func(ctx context.Context, t *prover) error {
		if noUpload == "" {
			if err := t.ensureUploaded(ctx, at); err != nil {
				return err
			}
		}
		return t.checkAccessWithoutKey(ctx, at)
	}
	out := append([]Promise{open}, o.corsPromises(at)...)
	if b.HasObjectLock {
		lock := Promise{Text: "keeps a file under legal hold", SkipReason: noUpload, CallClasses: "AAAAAC",
			try: func(ctx context.Context, t *prover) error { return t.tryDeleteUnderLegalHold(ctx, at) }}
		if lock.SkipReason == "" && !o.Account.HasCapability("writeFileLegalHolds") {
			lock.SkipReason = "the credentials in use lack writeFileLegalHolds"
		}
		out = append(out, lock)
	}
	return out
}

func (t *prover) checkAccessWithoutKey(ctx context.Context, at file) error {
	resp, err := t.requestWithoutKey(ctx, http.MethodGet, t.downloadURL(at), nil)
	if err != nil {
		return err
	}
	refused := resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
	// Where nothing could be uploaded, "not there" is what those are told who might have had it.
	absent := resp.StatusCode == http.StatusNotFound && t.versionID(at) == ""
	given := resp.StatusCode == http.StatusOK || absent
	switch {
	case absent && !at.bucket.Public:
		return &inconclusiveError{reason: "B2 says that there is no such file, and not that it takes a key"}
	case given && !at.bucket.Public:
		return brokenPromiseError("It gives them to everybody.")
	case refused && at.bucket.Public:
		return brokenPromiseError("It refuses those without a key.")
	case !given && !refused:
		return &wire.Error{Method: "b2_download_file_by_name", Status: resp.StatusCode}
	}
	return nil
}

func (t *prover) downloadURL(at file) string {
	return strings.TrimRight(t.Account.DownloadURL, "/") + "/file/" + at.bucket.Name + "/" + percentEncode(at.name, true)
}

// requestWithoutKey sends what a browser sends, follows nothing, and does not read the reply's content.
func (t *prover) requestWithoutKey(ctx context.Context, method, target string, header map[string]string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return nil, &wire.Error{Method: method, Message: "the service names a URL that is none"}
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := t.NonNativeTransport.RoundTrip(r)
	if err != nil {
		return nil, &wire.Error{Method: method, Message: "no reply came back", Cause: err}
	}
	_ = resp.Body.Close() // its status and header count
	return resp, nil
}

// corsPromises take the first origin and the first operation of each rule that a browser can ask for before
// it has anything of B2, and a page that no rule names.
func (o *Options) corsPromises(at file) (out []Promise) {
	named := false
	for _, rule := range at.bucket.CORS {
		for _, origin := range rule.Origins {
			named = named || origin == "*" || origin == "https"
		}
		for _, operation := range rule.Operations {
			method, native := browserMethodIfAny(operation)
			if method == "" || len(rule.Origins) == 0 || !native && o.Account.S3URL == "" {
				continue
			}
			origin := originMatching(rule.Origins[0])
			header := map[string]string{}
			if len(rule.Headers) > 0 {
				header["Access-Control-Request-Headers"] = strings.ToLower(strings.ReplaceAll(rule.Headers[0], "*", "x-b2form"))
			}
			out = append(out, preflightPromise(at, origin, method, native, header, true))
			break
		}
	}
	if len(at.bucket.CORS) > 0 && !named {
		out = append(out, preflightPromise(at, stranger, http.MethodGet, true, nil, false))
	}
	return out
}

// browserMethodIfAny is what an operation of a CORS rule is asked for with; "": it takes more than a name.
func browserMethodIfAny(operation string) (method string, native bool) {
	if operation == "b2_download_file_by_name" {
		return http.MethodGet, true
	}
	verb, ok := strings.CutPrefix(operation, "s3_")
	if !ok {
		return "", false
	}
	return strings.ToUpper(verb), false
}

// originMatching is an origin that a pattern of a rule means.
func originMatching(pattern string) string {
	switch {
	case pattern == "*":
		return stranger
	case !strings.Contains(pattern, ":"):
		return pattern + strings.TrimPrefix(stranger, "https")
	}
	return strings.Replace(pattern, "*", "b2form", 1)
}

func preflightPromise(at file, origin, method string, native bool, header map[string]string, allowed bool) Promise {
	text := "answers a page of "
	if !allowed {
		text = "answers no page of "
	}
	return Promise{Text: text + quoted(origin) + " that asks for " + method, CallClasses: "B",
		try: func(ctx context.Context, t *prover) error {
			target := t.downloadURL(at)
			if !native {
				target = strings.TrimRight(t.Account.S3URL, "/") + "/" + at.bucket.Name + "/" + percentEncode(at.name, true)
			}
			asked := map[string]string{"Origin": origin, "Access-Control-Request-Method": method}
			for name, value := range header {
				asked[name] = value
			}
			resp, err := t.requestWithoutKey(ctx, http.MethodOptions, target, asked)
			if err != nil {
				return err
			}
			answer := resp.Header.Get("Access-Control-Allow-Origin")
			given := resp.StatusCode/100 == 2 && (answer == "*" || strings.EqualFold(answer, origin))
			switch {
			case allowed && !given:
				return brokenPromiseError(fmt.Sprintf("B2 does not allow it (status %d).", resp.StatusCode))
			case !allowed && given:
				return brokenPromiseError("B2 allows it.")
			}
			return nil
		}}
}

// tryDeleteUnderLegalHold puts a file under legal hold, tries to delete it, and lifts the hold again, whatever happens.
func (t *prover) tryDeleteUnderLegalHold(ctx context.Context, at file) (err error) {
	if err := t.ensureUploaded(ctx, at); err != nil {
		return err
	}
	set := func(ctx context.Context, value string) error {
		return t.Admin.Call(ctx, "b2_update_file_legal_hold",
			map[string]any{"fileName": at.name, "fileId": t.versionID(at), "legalHold": value}, nil)
	}
	err = set(ctx, "on")
	if err == nil {
		err = t.expect(false, deleteVersion(ctx, t.Admin, at, t.versionID(at)))
		if _, broken := err.(brokenPromiseError); broken {
			t.forgetVersion(at)
			return brokenPromiseError("B2 deletes it.")
		}
	}
	if lifted := set(context.WithoutCancel(ctx), "off"); lifted != nil {
		return &inconclusiveError{fmt.Sprintf("The legal hold of %s in bucket %s may still be there; lift it and delete the file",
			quoted(at.name), quoted(at.bucket.Name)), lifted}
	}
	return err
}
