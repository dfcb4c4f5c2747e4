package kind

// ContentAttrs names the attributes of a kind that say what a file holds. What it
// holds is in no plan and no state: a Resource has its SHA-1 as an attribute, and
// a Payload beside its attributes.
type ContentAttrs struct {
	TextAttr       string // the attribute that is the content itself; null in a Resource
	SourceAttr     string // the attribute that names a local file instead
	SHA1Attr       string // the attribute that follows from them
	SizeAttr       string // the computed attribute that tells how many bytes a live object holds
	UploadTimeAttr string // the computed attribute, a time, that tells when that was uploaded
	VersionIDAttr  string // the computed attribute with B2's ID of what it holds now
	MaxSize        int64  // bytes
	TooLargeAdvice string // what to do about more; whole sentences
}
