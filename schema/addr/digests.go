package addr

// DriftDigests stand for what an object was like when the last run ended, made with the state's salt: they
// tell nobody what it was like, and only whether it still is. They are three texts behind each other:
// of which attributes, and with which salt, the others are made; of the live object; and of the
// configuration that it came from, which may be missing. "": nothing is known.
type DriftDigests string

// The lengths of the parts, in characters of base64: 24 and 72 bits.
const (
	AttrsDigestLength     = 4
	ObjectDigestLength    = 12
	lengthWithoutDeclared = AttrsDigestLength + ObjectDigestLength
)

// NewDriftDigests puts digests together; declared may be "".
func NewDriftDigests(attrs, live, declared string) DriftDigests {
	return DriftDigests(attrs + live + declared)
}

// AttrSetDigest is the digest of the attributes that the others are made of.
func (d DriftDigests) AttrSetDigest() string { return d.between(0, AttrsDigestLength) }

// Live is the digest of the live object.
func (d DriftDigests) Live() string { return d.between(AttrsDigestLength, lengthWithoutDeclared) }

// Declared is the digest of the configuration; "": not known.
func (d DriftDigests) Declared() string { return d.between(lengthWithoutDeclared, len(d)) }

func (d DriftDigests) between(from, to int) string {
	if !d.IsWellFormed() || d == "" {
		return ""
	}
	return string(d[from:to])
}

// IsWellFormed reports whether it has the length of digests.
func (d DriftDigests) IsWellFormed() bool {
	return d == "" || len(d) == lengthWithoutDeclared || len(d) == lengthWithoutDeclared+ObjectDigestLength
}
