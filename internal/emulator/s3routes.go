package emulator

import (
	"net/http"
	"slices"
)

// An s3Route leads requests to an operation: by what they are about, their verb
// and a parameter of the query or a header.
type s3Route struct {
	targetLetter byte // 's' the service, 'b' a bucket, 'o' an object
	verb         string
	parameter    string // "" for any
	header       string // "" for any
	op           s3Operation
}

// s3Routes are the operations that exist, with what "S3-Compatible App Keys"
// says of capabilities; of routes that fit, the first counts.
var s3Routes = []s3Route{
	{'s', "GET", "", "", s3Operation{"ListBuckets", 'C', listsAllBuckets, 0, nil, s3ListBuckets}},

	{'b', "GET", "location", "", s3Operation{"GetBucketLocation", 'C', readsBuckets, 0, nil, s3GetLocation}},
	{'b', "GET", "versioning", "", s3Operation{"GetBucketVersioning", 'C', readsBuckets, 0, nil, s3GetVersioning}},
	{'b', "PUT", "versioning", "", s3Operation{"PutBucketVersioning", 'C', writesBuckets, s3TakesXML, nil, s3PutVersioning}},
	{'b', "GET", "acl", "", s3Operation{"GetBucketAcl", 'C', readsBuckets, 0, nil, s3GetBucketACL}},
	{'b', "PUT", "acl", "", s3Operation{"PutBucketAcl", 'C', writesBuckets, s3WritesDocument, nil, s3PutBucketACL}},
	{'b', "GET", "cors", "", s3Operation{"GetBucketCors", 'C', readsBuckets, 0, nil, s3GetCORS}},
	{'b', "PUT", "cors", "", s3Operation{"PutBucketCors", 'C', writesBuckets, s3WritesDocument, nil, s3PutCORS}},
	{'b', "DELETE", "cors", "", s3Operation{"DeleteBucketCors", 'C', writesBuckets, s3Writes, nil, s3DeleteCORS}},
	{'b', "GET", "lifecycle", "", s3Operation{"GetBucketLifecycleConfiguration", 'C', readsLifecycle, 0, nil, s3GetLifecycle}},
	{'b', "PUT", "lifecycle", "", s3Operation{"PutBucketLifecycleConfiguration", 'C', anyLifecycleCapability, s3WritesDocument, nil,
		s3PutLifecycle}},
	{'b', "DELETE", "lifecycle", "", s3Operation{"DeleteBucketLifecycle", 'C', anyLifecycleCapability, s3Writes, nil, s3DeleteLifecycle}},
	{'b', "GET", "encryption", "", s3Operation{"GetBucketEncryption", 'C', readsEncryption, 0, nil, s3GetEncryption}},
	{'b', "PUT", "encryption", "", s3Operation{"PutBucketEncryption", 'C', writesEncryption, s3WritesDocument, nil, s3PutEncryption}},
	{'b', "DELETE", "encryption", "", s3Operation{"DeleteBucketEncryption", 'C', writesEncryption, s3Writes, nil, s3DeleteEncryption}},
	{'b', "GET", "object-lock", "", s3Operation{"GetObjectLockConfiguration", 'C', readsLock, 0, nil, s3GetLockConfiguration}},
	{'b', "PUT", "object-lock", "", s3Operation{"PutObjectLockConfiguration", 'C', writesLock, s3WritesDocument, nil,
		s3PutLockConfiguration}},
	{'b', "GET", "logging", "", s3Operation{"GetBucketLogging", 'C', readsLogging, 0, nil, s3GetLogging}},
	{'b', "PUT", "logging", "", s3Operation{"PutBucketLogging", 'C', writesLogging, s3TakesXML, nil, s3PutLogging}},
	{'b', "GET", "versions", "", s3Operation{"ListObjectVersions", 'C', listsFiles, 0, nil, s3ListVersions}},
	{'b', "GET", "uploads", "", s3Operation{"ListMultipartUploads", 'C', listsFiles, 0, nil, s3ListUploads}},
	{'b', "POST", "delete", "", s3Operation{"DeleteObjects", 'A', nil, s3WritesDocument, nil, s3DeleteObjects}},
	{'b', "GET", "list-type", "", s3Operation{"ListObjectsV2", 'C', listsFiles, 0, nil, s3ListObjectsV2}},
	{'b', "GET", "", "", s3Operation{"ListObjects", 'C', listsFiles, 0, nil, s3ListObjects}},
	{'b', "HEAD", "", "", s3Operation{"HeadBucket", 'C', listsBuckets, 0, nil, s3HeadBucket}},
	{'b', "PUT", "", "", s3Operation{"CreateBucket", 'C', writesBuckets, s3WritesDocument, nil, s3CreateBucket}},
	{'b', "DELETE", "", "", s3Operation{"DeleteBucket", 'A', deletesBuckets, s3Writes, nil, s3DeleteBucket}},

	{'o', "GET", "acl", "", s3Operation{"GetObjectAcl", 'B', readsACL, 0, nil, s3GetObjectACL}},
	{'o', "PUT", "acl", "", s3Operation{"PutObjectAcl", 'A', writesACL, s3TakesXML, nil, s3PutObjectACL}},
	{'o', "GET", "tagging", "", s3Operation{"GetObjectTagging", 'B', readsFiles, 0, nil, s3GetTagging}},
	{'o', "GET", "retention", "", s3Operation{"GetObjectRetention", 'B', readsRetention, 0, nil, s3GetRetention}},
	{'o', "PUT", "retention", "", s3Operation{"PutObjectRetention", 'A', writesRetention, s3WritesDocument, nil, s3PutRetention}},
	{'o', "GET", "legal-hold", "", s3Operation{"GetObjectLegalHold", 'B', readsHolds, 0, nil, s3GetHold}},
	{'o', "PUT", "legal-hold", "", s3Operation{"PutObjectLegalHold", 'A', writesHolds, s3WritesDocument, nil, s3PutHold}},
	{'o', "GET", "uploadId", "", s3Operation{"ListParts", 'C', writesFiles, 0, nil, s3ListParts}},
	{'o', "PUT", "uploadId", copySource, s3Operation{"UploadPartCopy", 'C', writesFiles, s3Writes, s3BeginPartCopy, s3KeepPartCopy}},
	{'o', "PUT", "uploadId", "", s3Operation{"UploadPart", 'A', writesFiles, s3Writes, s3BeginPart, s3KeepPart}},
	{'o', "POST", "uploads", "", s3Operation{"CreateMultipartUpload", 'A', writesFiles, s3Writes, nil, s3CreateUpload}},
	{'o', "POST", "uploadId", "", s3Operation{"CompleteMultipartUpload", 'A', writesFiles, s3WritesDocument | s3HasWholeObjectChecksums,
		nil,
		s3CompleteUpload}},
	{'o', "DELETE", "uploadId", "", s3Operation{"AbortMultipartUpload", 'A', writesFiles, s3Writes, nil, s3AbortUpload}},
	{'o', "GET", "", "", s3Operation{"GetObject", 'B', readsFiles, s3AllowsAnonymous, nil, s3GetOrHeadObject}},
	{'o', "HEAD", "", "", s3Operation{"HeadObject", 'B', readsFiles, s3AllowsAnonymous, nil, s3GetOrHeadObject}},
	{'o', "PUT", "", copySource, s3Operation{"CopyObject", 'C', writesFiles, s3Writes, s3BeginCopy, s3KeepCopy}},
	{'o', "PUT", "", "", s3Operation{"PutObject", 'A', writesFiles, s3Writes, s3BeginPut, s3KeepPut}},
	{'o', "DELETE", "", "", s3Operation{"DeleteObject", 'A', nil, s3Writes, nil, s3DeleteObject}},
}

// The capabilities of which an operation needs one. readBuckets is for the S3
// face what listBuckets is natively; keys from before it existed have the other.
var (
	readsBuckets           = []string{"readBuckets", "listBuckets"}
	anyLifecycleCapability = []string{"writeBucketLifecycleRules", "writeBuckets"}
	deletesBuckets         = []string{"deleteBuckets"}
	listsAllBuckets        = []string{"listAllBucketNames"}
	listsBuckets           = []string{"listBuckets"}
	listsFiles             = []string{"listFiles"}
	readsACL               = []string{"readFiles", "readBuckets"}
	readsEncryption        = []string{"readBucketEncryption"}
	readsFiles             = []string{"readFiles"}
	readsHolds             = []string{"readFileLegalHolds"}
	readsLifecycle         = []string{"readBucketLifecycleRules", "listBuckets", "readBuckets"}
	readsLock              = []string{"readBucketRetentions"}
	readsLogging           = []string{"readBucketLogging"}
	readsRetention         = []string{"readFileRetentions"}
	writesACL              = []string{"writeFiles", "writeBuckets"}
	writesBuckets          = []string{"writeBuckets"}
	writesEncryption       = []string{"writeBucketEncryption"}
	writesFiles            = []string{"writeFiles"}
	writesHolds            = []string{"writeFileLegalHolds"}
	writesLock             = []string{"writeBucketRetentions"}
	writesLogging          = []string{"writeBucketLogging"}
	writesRetention        = []string{"writeFileRetentions"}
)

// s3WritesDocument is what settings are changed by.
const s3WritesDocument = s3Writes | s3TakesXML

const copySource = "X-Amz-Copy-Source"

// unsupportedS3Params are parameters of operations that Amazon has and Backblaze has not.
var unsupportedS3Params = []string{
	"accelerate", "analytics", "attributes", "intelligent-tiering", "inventory", "metadataTable", "metrics", "notification",
	"ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject", "replication", "requestPayment",
	"restore", "select", "session", "tagging", "torrent", "website",
}

var (
	s3UnknownOperation = s3Operation{name: "Unknown", run: func(*s3Call) error { return s3NotImplemented("") }}
	s3WrongMethodOp    = s3Operation{name: "Unknown", run: func(c *s3Call) error {
		return newS3Error(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.",
			textElement{"Method", c.http.Method})
	}}
)

// operationOrRefusingOne finds the operation that the request asks for.
func (c *s3Call) operationOrRefusingOne() *s3Operation {
	about := byte('s')
	switch {
	case c.objectKey != "":
		about = 'o'
	case c.requestBucketName != "":
		about = 'b'
	}
	missing := slices.ContainsFunc(unsupportedS3Params, c.query.Has)
	for i := range s3Routes {
		r := &s3Routes[i]
		fits := r.targetLetter == about && r.verb == c.http.Method && (r.header == "" || c.http.Header.Get(r.header) != "")
		if fits && (r.parameter == "" && !missing || r.parameter != "" && c.query.Has(r.parameter)) {
			return &r.op
		}
	}
	if missing || about == 'b' && c.http.Method == http.MethodPost {
		return &s3UnknownOperation
	}
	return &s3WrongMethodOp
}

func isS3Operation(name string) bool {
	return slices.ContainsFunc(s3Routes, func(r s3Route) bool { return r.op.name == name })
}
