package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/crypto/scrypt"

	"b2form/schema/kind"
)

// A Digest stands for a plan where it is approved: who knows the digest of a plan that was
// looked at lets only a plan with the same one be carried out.
type Digest struct {
	Basis string // Plan.Basis
	// Salt is what hidden values were hashed with, in hexadecimal digits. "": the plan hides
	// nothing, or the salt is a key that both sides have.
	Salt string
}

// String is the digest as people pass it on: "sha256:" and the basis, then a dot and the salt if
// there is one.
func (d Digest) String() string {
	if d.Salt == "" {
		return "sha256:" + d.Basis
	}
	return "sha256:" + d.Basis + "." + d.Salt
}

// SaltBytes is how long a random Request.DigestSalt is.
const SaltBytes = 16

// ParseDigest reads what String writes.
func ParseDigest(text string) (Digest, error) {
	form := regexp.MustCompile(fmt.Sprintf(`^sha256:([0-9a-f]{64})(?:\.([0-9a-f]{%d}))?$`, 2*SaltBytes))
	m := form.FindStringSubmatch(text)
	if m == nil {
		return Digest{}, fmt.Errorf("a digest of a plan is sha256: and 64 hexadecimal digits, as b2form plan prints it")
	}
	return Digest{Basis: m[1], Salt: m[2]}, nil
}

// hiddenValues are the values of a plan that nobody who looks at it sees.
type hiddenValues struct{ texts []string }

// takeFrom takes the hidden values out of an object of the change and gives back the rest.
func (h *hiddenValues) takeFrom(c *Change, v cty.Value) (cty.Value, error) {
	if v.IsNull() || !hidesAny(c) {
		return v, nil
	}
	var failed error
	take := func(_ *kind.Attr, v cty.Value) cty.Value {
		if v.IsNull() {
			return v
		}
		text, err := canonicalJSON(v)
		if err != nil {
			failed = err
		}
		h.texts = append(h.texts, string(text))
		return cty.NullVal(v.Type())
	}
	members := v.AsValueMap()
	for i := range c.Kind.Attrs {
		a := &c.Kind.Attrs[i]
		switch v, ok := members[a.Name]; {
		case !ok || !hides(c, a):
		case a.Secret || slices.Contains(c.Sensitive, a.Name):
			members[a.Name] = take(a, v)
		default:
			members[a.Name] = a.ReplaceSecrets(v, take)
		}
	}
	return cty.ObjectVal(members), failed
}

// hides reports whether a plan shows nothing, or not all, of an attribute of the change.
func hides(c *Change, a *kind.Attr) bool {
	return a.SendsSecret() || slices.Contains(c.Sensitive, a.Name)
}

func hidesAny(c *Change) bool {
	for i := range c.Kind.Attrs {
		if hides(c, &c.Kind.Attrs[i]) {
			return true
		}
	}
	return false
}

// hash is of all values. With a salt it is expensive to try values one after the other: about 0.1 s
// and 32 MB each.
func (h *hiddenValues) hash(salt []byte) (string, error) {
	text, err := json.Marshal(h.texts)
	if err != nil {
		return "", err
	}
	if len(salt) == 0 {
		sum := sha256.Sum256(text)
		return hex.EncodeToString(sum[:]), nil
	}
	sum, err := scrypt.Key(text, salt, 1<<15, 8, 1, 32)
	return hex.EncodeToString(sum), err
}
