package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
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
	Basis string // Plan.Basis, together with what was counted of the contents that go with what is destroyed
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
type hiddenValues struct {
	textsToHash    []string
	standInNumbers map[string]int // of the values of the change at hand, by attribute and text
}

func (h *hiddenValues) resetStandInNumbers() { h.standInNumbers = nil }

// encodeAndCollectHidden is an object of the change as JSON, with something else in the place of each hidden
// value. Where one attribute has one value before and after, the same stands for it. unknown says that some of it is not
// known.
func (h *hiddenValues) encodeAndCollectHidden(c *Change, v cty.Value, hasUnknown bool) (json.RawMessage, error) {
	var failed error
	if hasUnknown {
		v, failed = unknownAsNull(v)
	}
	if v.IsNull() || !hidesAnyAttr(c) || failed != nil {
		text, err := canonicalJSON(v)
		return text, errors.Join(failed, err)
	}
	take := func(a *kind.Attr, v cty.Value) cty.Value {
		if kind.IsNullOrEmptyCollection(v) {
			return v
		}
		text, err := canonicalJSON(v)
		failed = errors.Join(failed, err)
		if a.WirePath != "" || slices.Contains(c.Sensitive, a.Name) { // else its SHA-1 stands for it
			h.textsToHash = append(h.textsToHash, string(text))
		}
		return sensitiveStandIn(v.Type(), h.standInNumber(a.Name+" "+string(text)))
	}
	members := v.AsValueMap()
	for i := range c.Kind.Attrs {
		a := &c.Kind.Attrs[i]
		switch v, ok := members[a.Name]; {
		case !ok || !hidesAttr(c, a):
		case a.Secret || slices.Contains(c.Sensitive, a.Name):
			members[a.Name] = take(a, v)
		default:
			members[a.Name] = a.ReplaceNestedSecrets(v, take)
		}
	}
	text, err := canonicalJSON(cty.ObjectVal(members))
	return text, errors.Join(failed, err)
}

// standInNumber is the same for the same value of one attribute of a change.
func (h *hiddenValues) standInNumber(attrAndText string) int {
	n, ok := h.standInNumbers[attrAndText]
	if !ok {
		if h.standInNumbers == nil {
			h.standInNumbers = map[string]int{}
		}
		n = len(h.standInNumbers) + 1
		h.standInNumbers[attrAndText] = n
	}
	return n
}

// sensitiveStandIn is some value of the type that tells nothing but its number.
func sensitiveStandIn(t cty.Type, n int) cty.Value {
	switch {
	case t == cty.String:
		return cty.StringVal(fmt.Sprintf("(sensitive value %d)", n))
	case t == cty.Number:
		return cty.NumberIntVal(int64(n))
	case t == cty.Bool:
		return cty.BoolVal(n%2 == 1)
	case t.IsListType():
		return cty.ListVal([]cty.Value{sensitiveStandIn(t.ElementType(), n)})
	case t.IsSetType():
		return cty.SetVal([]cty.Value{sensitiveStandIn(t.ElementType(), n)})
	case t.IsMapType():
		return cty.MapVal(map[string]cty.Value{kind.SensitiveText: sensitiveStandIn(t.ElementType(), n)})
	case t.IsObjectType():
		members := map[string]cty.Value{}
		for name, of := range t.AttributeTypes() {
			members[name] = sensitiveStandIn(of, n)
		}
		return cty.ObjectVal(members)
	}
	return cty.NullVal(t)
}

// hidesAttr reports whether a plan shows nothing, or not all, of an attribute of the change.
func hidesAttr(c *Change, a *kind.Attr) bool {
	return a.SendsSecret() || a.Secret && !a.Computed || slices.Contains(c.Sensitive, a.Name)
}

func hidesAnyAttr(c *Change) bool {
	for i := range c.Kind.Attrs {
		if hidesAttr(c, &c.Kind.Attrs[i]) {
			return true
		}
	}
	return false
}

// HashSlowlyIfSalted stands for texts that must not be found by trying. With a salt it is expensive to try one
// after the other: about 0.1 s and 32 MB each. Without one it must not be shown.
func HashSlowlyIfSalted(texts []string, salt []byte) (string, error) {
	text, err := json.Marshal(texts)
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
