package emulator

import (
	"errors"
	"net/http"
)

// An s3Error is a refusal of the S3 face; its body is S3's XML document. See
// "Error responses" of Amazon's S3 API reference.
type s3Error struct {
	status        int
	code, message string
	members       []textElement // beside code, message and resource
	header        http.Header   // beside that of all replies
	retryAfter    int
}

// A member is one element of an XML document that has only text.
type textElement struct{ name, value string }

func (e *s3Error) Error() string { return e.code + ": " + e.message }

func newS3Error(status int, code, message string, members ...textElement) *s3Error {
	return &s3Error{status: status, code: code, message: message, members: members}
}

func s3Denied() *s3Error {
	return newS3Error(403, "AccessDenied", "Access Denied")
}

func s3Invalid(message string) *s3Error {
	return newS3Error(400, "InvalidArgument", message)
}

func s3Malformed() *s3Error {
	return newS3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

// s3NotImplemented answers what Backblaze leaves out. The header, if there is
// one, is what asked for it.
func s3NotImplemented(header string) *s3Error {
	if header == "" {
		return newS3Error(501, "NotImplemented", "This API call is not supported.")
	}
	return newS3Error(501, "NotImplemented", "A header you provided implies functionality that is not implemented.",
		textElement{"Header", header})
}

// asS3Error says in S3's words what an error of either face means.
func asS3Error(err error) *s3Error {
	var ours *s3Error
	if errors.As(err, &ours) {
		return ours
	}
	var r *refusal
	if !errors.As(err, &r) {
		return newS3Error(500, "InternalError", err.Error())
	}
	e := &s3Error{status: r.status, code: "InvalidArgument", message: r.message, retryAfter: r.retryAfter}
	switch r.code {
	case "unauthorized", "access_denied":
		return s3Denied()
	case "transaction_cap_exceeded", "storage_cap_exceeded", "email_not_verified", "no_payment_history":
		e.status, e.code = 403, "AccessDenied"
	case "bad_bucket_id":
		return s3NoBucket("")
	case "duplicate_bucket_name":
		return newS3Error(409, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace "+
			"is shared by all users of the system. Please select a different name and try again.")
	case "cannot_delete_non_empty_bucket":
		return newS3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.")
	case "too_many_buckets":
		e.code = "TooManyBuckets"
	case "range_not_satisfiable":
		return newS3Error(416, "InvalidRange", "The requested range is not satisfiable")
	case "bucket_missing_file_lock":
		return newS3Error(400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
	case "retain_until_timestamp_must_be_in_future":
		e.message = "The retain until date must be in the future!"
	case "source_too_large":
		e.code = "InvalidRequest"
	case "conflict":
		e.code = "OperationAborted"
	case "internal_error":
		e.code = "InternalError"
	}
	return e
}

func s3NoBucket(name string) *s3Error {
	return newS3Error(404, "NoSuchBucket", "The specified bucket does not exist: "+name, textElement{"BucketName", name})
}

// s3FaultCode is S3's code for the status of a fault that has none of its own.
func s3FaultCode(status int) string {
	switch status {
	case 400:
		return "InvalidRequest"
	case 401, 403:
		return "AccessDenied"
	case 404:
		return "NoSuchKey"
	case 405:
		return "MethodNotAllowed"
	case 408:
		return "RequestTimeout"
	case 409:
		return "OperationAborted"
	case 416:
		return "InvalidRange"
	case 429:
		return "TooManyRequests"
	case 503:
		return "SlowDown"
	}
	return "InternalError"
}

func (e *s3Error) body(resource, requestID, hostID string) []byte {
	var w xmlPrinter
	w.declare()
	w.begin("Error")
	w.text("Code", e.code)
	w.text("Message", e.message)
	for _, m := range e.members {
		w.text(m.name, m.value)
	}
	w.text("Resource", resource)
	w.text("RequestId", requestID)
	w.text("HostId", hostID)
	w.end("Error")
	return w.out
}
