package kind

// A Content names the attributes of a kind that say what a file holds. What it
// holds is in no plan and no state: a Resource has its SHA-1 as an attribute, and
// a Payload beside its attributes.
type Content struct {
	Text   string // the attribute that is the content itself; null in a Resource
	Source string // the attribute that names a local file instead
	SHA1   string // the attribute that follows from them
	Most   int64  // bytes
	Beyond string // what to do about more; whole sentences
}
