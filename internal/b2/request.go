package b2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"b2form/schema/wire"
)

const apiVersion = "v4"

// A request is one call, ready to be sent any number of times.
type request struct {
	method      string // "b2_create_key", without a version
	path        string // "/b2api/v3/b2_create_key"
	bodyFields  map[string]json.RawMessage
	body        []byte // nil: a GET that carries the application key itself
	changesData bool   // it changes something at B2
	// repeatable says that sending it again after it may have taken effect does
	// no harm.
	repeatable bool
	// extraTimeout is granted to an attempt beside what all have.
	extraTimeout time.Duration
	// downloadSizeIfKnown is the size that the content has which is asked for, in bytes; 0: not known.
	downloadSizeIfKnown int64
	// buildHTTP makes the HTTP request where it is not a POST of body to path.
	buildHTTP func(context.Context, *session) (*http.Request, error)
	// checkNonJSONReply judges a successful reply that is not a JSON object.
	checkNonJSONReply func(*http.Response, []byte) error
}

// newRequest encodes in, which must come out as a JSON object or null, and adds
// the account's ID where the method wants it and in has none.
func newRequest(method string, in any, accountID string) (*request, error) {
	version, name, ok := strings.Cut(method, "/")
	if !ok {
		version, name = apiVersion, method
	}
	r := &request{method: name, path: "/b2api/" + version + "/" + name}
	encoded, err := json.Marshal(in)
	if err == nil {
		err = json.Unmarshal(encoded, &r.bodyFields)
	}
	if err != nil {
		return nil, &wire.Error{Method: name, Message: "the request cannot be written as a JSON object", Cause: err}
	}
	if r.bodyFields == nil {
		r.bodyFields = map[string]json.RawMessage{}
	}
	if wantsAccountID(name) && !r.hasNonNullField("accountId") {
		r.bodyFields["accountId"] = json.RawMessage(fmt.Sprintf("%q", accountID))
	}
	if r.body, err = json.Marshal(r.bodyFields); err != nil {
		return nil, &wire.Error{Method: name, Message: "the request cannot be written as JSON", Cause: err}
	}
	r.changesData = !hasAnyPrefix(name, "b2_list_", "b2_get_")
	r.repeatable = !r.changesData || hasAnyPrefix(name, "b2_delete_", "b2_cancel_") ||
		name == "b2_hide_file" || name == "b2_set_bucket_notification_rules" || // says all that is to be there
		name == "b2_update_bucket" && r.hasNonNullField("ifRevisionIs")
	return r, nil
}

// hasNonNullField reports whether the body gives the member a value. B2 reads null as "not
// given", for every optional member.
func (r *request) hasNonNullField(member string) bool {
	v, ok := r.bodyFields[member]
	return ok && string(v) != "null"
}

// wantsAccountID knows the calls whose documentation lists accountId as a
// required parameter.
func wantsAccountID(method string) bool {
	return slices.Contains([]string{
		"b2_create_bucket", "b2_update_bucket", "b2_delete_bucket", "b2_list_buckets", "b2_create_key", "b2_list_keys",
	}, method)
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// jsonShapeError says which member of a reply could not be read, without quoting
// the reply: it may hold an application key.
func jsonShapeError(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return fmt.Errorf("member %s is of another type", e.Field)
	}
	return errors.New("it is not the JSON that was expected")
}
