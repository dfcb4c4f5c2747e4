package b2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"b2form/internal/words"
	"b2form/schema/wire"
)

// Explain turns an error into plain words: the summary says what is wrong, a
// clause without a period; the detail says what to do, in whole sentences. It
// understands *UsageError, *wire.ExplainedError and *wire.Error, wrapped or not; of
// another error it only has the text. Neither part carries a secret, and no code
// of B2 stands alone in either.
func Explain(err error) (summary, detail string) {
	if e, ok := errors.AsType[*InvalidOptionsError](err); ok {
		return e.Summary, e.Detail
	}
	if e, ok := errors.AsType[*wire.ExplainedError](err); ok {
		return e.Summary, e.Detail
	}
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		if errors.Is(err, context.Canceled) {
			a, _ := diagnose(err)
			return words.CapitalizeUnlessName(a.summary), a.detail
		}
		return err.Error(), ""
	}
	a := explainError(e)
	sentences := []string{a.detail}
	if e.Purpose != "" && isDenial(e) {
		sentences = []string{e.Purpose, a.detail}
	}
	if e.OutcomeUnknown {
		sentences = append(sentences, "The change may have been made nevertheless; the next run looks before it tries again.")
	}
	_, known := explainCode(e) // what has a code of its own has another reason
	if e.CredentialScope != "" && (!known || e.Method == methodAuthorize) {
		sentences = append(sentences, "The "+e.CredentialScope+".")
	}
	return words.CapitalizeUnlessName(a.summary), strings.Join(append(sentences, quoteB2Error(e, a.summary)), " ")
}

// quoteB2Error quotes B2, for a search or a support ticket, where the summary does not.
func quoteB2Error(e *wire.Error, summary string) string {
	switch {
	case e.Status == 0:
		return "(" + e.Method + ")"
	case e.Code == "":
		return fmt.Sprintf("(%s: %d)", e.Method, e.Status)
	case e.Message == "" || strings.Contains(summary, e.Message):
		return fmt.Sprintf("(%s: %d %s)", e.Method, e.Status, e.Code)
	}
	return fmt.Sprintf("(%s: %d %s, %q)", e.Method, e.Status, e.Code, e.Message)
}

func explainError(e *wire.Error) explanation {
	known, ok := explainCode(e)
	switch {
	case e.Status == 0:
		return unreachedAdvice(e)
	case e.Code == "":
		return notB2Advice(e)
	case e.Code == "unsupported" && strings.HasSuffix(e.Method, "_bucket_notification_rules"):
		return explanation{"B2 does not offer event notifications here",
			"The feature may be off for this account: ask Backblaze's support to enable it, or leave the notification rules out."}
	case e.Code == "bad_request" && strings.Contains(e.Message, "on API version"),
		e.Code == "unsupported":
		return explanation{"B2 does not support this key on the version of the API that was used",
			"An application key for several buckets works on version 4 only: use a key for one bucket or for all, or a client that " +
				"speaks version 4."}
	case e.Method == methodAuthorize && e.Status == http.StatusUnauthorized:
		return explanation{"B2 does not accept the application key",
			"Check that the application key and its ID belong together and are complete, that the key was not deleted, replaced or " +
				"expired (a new master key ends the old one), and that the endpoint is the right one. A new key can take a few minutes " +
				"to work."}
	case ok:
		return known
	case isDenial(e):
		return unauthorizedAdvice(e)
	case e.Status == http.StatusTooManyRequests:
		return explanation{"B2 limits the rate of requests and did not give in",
			retryTimeSentence(e) + "A lower -parallelism, and fewer programs on the same account, help."}
	case e.Status == http.StatusRequestTimeout || e.Status >= 500:
		return explanation{"B2 has trouble of its own", retryTimeSentence(e) + "If it lasts, see https://status.backblaze.com."}
	}
	message := e.Message
	switch {
	case e.MessageWithheld:
		message = "its reason is not shown, since it may repeat something secret or sensitive that was sent"
	case message == "":
		message = "no reason given"
	}
	return explanation{fmt.Sprintf("B2 refused the request: %s [%s]", message, e.Code),
		"Compare what the request sets with the documentation of " + e.Method + "."}
}

// explainCode explains a code that tells the reason.
func explainCode(e *wire.Error) (explained explanation, known bool) {
	if e.Code == accessDenied && e.Method == "b2_delete_file_version" {
		return lockedFile, true
	}
	explained, known = byCode[e.Code]
	return explained, known
}

// isDenial reports whether B2 says that the credentials may not do this, and not why.
func isDenial(e *wire.Error) bool {
	return e.Code == "unauthorized" || e.Code == accessDenied && e.Method != "b2_delete_file_version"
}

// saysNothing reports whether a denial has no words of B2 but those that its code has.
func saysNothing(e *wire.Error) bool { return e.Message == "" || e.Message == "Access Denied" }

func retryTimeSentence(e *wire.Error) string {
	if e.RetryAfter > 0 { // rounded up: earlier would be too early
		unit := time.Second
		if e.RetryAfter > time.Minute {
			unit = time.Minute
		}
		return fmt.Sprintf("Run again in %s, as B2 asks. ", words.ExactDuration((e.RetryAfter + unit - 1).Truncate(unit)))
	}
	return "Run again in a few minutes. "
}

// unreachedAdvice explains an attempt that brought no reply.
func unreachedAdvice(e *wire.Error) explanation {
	if e.Cause == nil {
		return explanation{e.Message, checkNetwork}
	}
	a, _ := diagnose(e.Cause)
	return a
}

// notB2Advice explains a reply that does not come from B2's API.
func notB2Advice(e *wire.Error) explanation {
	switch {
	case e.Status/100 == 2 && strings.HasPrefix(e.Message, "the listing"):
		return explanation{e.Message,
			"Something other than B2 answers (B2_ENDPOINT, HTTPS_PROXY), or B2 has trouble of its own: run again " +
				"later, and report it if it lasts."}
	case e.Status/100 == 2 && strings.HasPrefix(e.Message, beginningOfWrongDate):
		return explanation{e.Message,
			"Keys expire and rotate by B2's clock, so nothing was done. Set the clock of this machine; if it is right, something other " +
				"than B2 answers (B2_ENDPOINT), or a proxy changes its replies (HTTPS_PROXY)."}
	case e.Status/100 == 2 && strings.Contains(e.Message, "shape"):
		return explanation{"B2's reply could not be understood",
			"The endpoint may be another service than B2 (B2_ENDPOINT), or this release is older than a change of the API."}
	case e.Status/100 == 3:
		return explanation{"something between here and B2 redirects the request",
			"Often it is the login page of a network or a proxy: open a web page in a browser, or check HTTPS_PROXY and the endpoint " +
				"(B2_ENDPOINT)."}
	case e.Status == http.StatusTooManyRequests || e.Status >= 500:
		return explanation{fmt.Sprintf("a gateway before B2 answered %d %s", e.Status, http.StatusText(e.Status)),
			retryTimeSentence(e) + "If it lasts, check HTTPS_PROXY and https://status.backblaze.com."}
	}
	return explanation{"something other than B2's API answered",
		"A proxy, a firewall or the login page of a network, or an endpoint (B2_ENDPOINT) that is not B2's native API."}
}

func unauthorizedAdvice(e *wire.Error) explanation {
	detail := "Use an application key that may; the web console makes one under \"Application Keys\". Some permissions only fit a key " +
		"for all buckets."
	if !saysNothing(e) {
		return explanation{e.Message, detail}
	}
	if capability, ok := capabilityOf[e.Method]; ok {
		return explanation{"the application key may not do this: it takes the capability " + capability + ", for the bucket in question",
			detail}
	}
	return explanation{"the application key may not do this", detail}
}
