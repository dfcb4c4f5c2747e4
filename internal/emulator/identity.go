package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Lengths of the service's identifiers, in characters.
const (
	accountIDLength = 12
	bucketIDLength  = 24
	keyIDLength     = 25
)

// account is what makes this account itself; it never changes.
type account struct {
	Seed   uint64 `json:"seed"`
	ID     string `json:"id"`
	Region string `json:"region"`
	// ChosenMasterKey is the master key's secret if it was chosen, and "" if it derives
	// from Seed.
	ChosenMasterKey string `json:"key,omitempty"`
}

func newAccount(o Options) account {
	a := account{Seed: o.Seed, ID: o.KeyID, Region: o.Region, ChosenMasterKey: o.Key}
	if a.ID == "" {
		a.ID = hex.EncodeToString(a.derive("account"))[:accountIDLength]
	}
	return a
}

// derive gives 32 bytes that look random and depend on the seed and purpose.
func (a account) derive(purpose ...string) []byte {
	h := hmac.New(sha256.New, []byte(strconv.FormatUint(a.Seed, 10)))
	h.Write([]byte(strings.Join(purpose, "\x00")))
	return h.Sum(nil)
}

// clusterDigits is the three digits that identifiers, keys and host names carry.
func (a account) clusterDigits() string { return a.Region[len(a.Region)-3:] }

func (a account) masterKey() string {
	if a.ChosenMasterKey != "" {
		return a.ChosenMasterKey
	}
	return a.derivedSecret(a.ID)
}

// derivedSecret is the application key that belongs to a key ID: 31 characters, as
// likely to hold a slash or a plus sign as the service's own.
func (a account) derivedSecret(keyID string) string {
	return "K" + a.clusterDigits() + base64.StdEncoding.EncodeToString(a.derive("secret", a.ID, keyID))[:27]
}

func (a account) keyID(n uint64) string {
	return fmt.Sprintf("%s%s%010x", a.clusterDigits(), a.ID, n)
}

// bucketID interleaves the account ID with what tells buckets apart, as the
// service does. The n-th bucket has its own ID: mixing is a permutation of the
// eight digits that differ.
func (a account) bucketID(n uint64) string {
	salt := a.derive("bucket")
	mixed := (uint32(n) * 0x9e3779b1) ^ (uint32(salt[0])<<24 | uint32(salt[1])<<16 | uint32(salt[2])<<8 | uint32(salt[3]))
	own := fmt.Sprintf("%08x7c01", mixed)
	id := make([]byte, 0, bucketIDLength)
	for i := range accountIDLength {
		id = append(id, own[i], a.ID[i])
	}
	return string(id)
}

// isForeign reports whether an ID is that of a bucket of another account.
func (a account) isForeign(bucketID string) bool {
	if !isHex(bucketID, bucketIDLength) {
		return false
	}
	for i := range accountIDLength {
		if bucketID[2*i+1] != a.ID[i] {
			return true
		}
	}
	return false
}

// isName reports whether s has so many bytes, all of them letters, digits or
// one of others.
func isName(s string, shortest, longest int, others string) bool {
	odd := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && !strings.ContainsRune(others, r)
	}
	return len(s) >= shortest && len(s) <= longest && !strings.ContainsFunc(s, odd)
}

func isHex(s string, length int) bool {
	return len(s) == length && strings.Trim(s, hexDigits) == ""
}
