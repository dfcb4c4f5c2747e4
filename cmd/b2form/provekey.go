package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/durable"
	"b2form/internal/prove"
	"b2form/internal/secret"
	"b2form/internal/words"
	"b2form/schema/kind"
)

// keyCopyLifetime is how long a copy of a key lives that nobody deletes.
const keyCopyLifetime = 15 * time.Minute

// createKeyCopy makes a key with the same rights.
func (v *prover) createKeyCopy(ctx context.Context, k *kind.Kind, live cty.Value) (*prove.Access, error) {
	want := k.ValuesOf(live)
	for i := range k.Attrs {
		if a := &k.Attrs[i]; a.Computed || a.Name == "rotate" || a.Name == "access" {
			null := cty.NullVal(a.ValueType())
			want.SetAt(i, &null)
		}
	}
	set := func(name string, value cty.Value) { want.Set(name, &value) }
	set("name", cty.StringVal(newKeyName()))
	set("valid_duration", cty.StringVal(fmt.Sprint(int64(keyCopyLifetime/time.Second))))
	made, err := v.createKey(ctx, k, want, keyCopyLifetime)
	if err != nil {
		return nil, err
	}
	return v.newAccess(made.object.ID, made.secret, func() error { return v.deleteMintedKey(made) })
}

// newAccess acts as a key; with end, one that was made for it.
func (v *prover) newAccess(keyID string, key secret.Value, deleteKey func() error) (*prove.Access, error) {
	client, err := v.client.WithCredentials(keyID, key.Reveal())
	if err != nil {
		return nil, err
	}
	return &prove.Access{Client: client, KeyID: func() string { return keyID }, Secret: key.Reveal, IsNewKey: deleteKey != nil,
		DeleteKey: deleteKey}, nil
}

// A deliveredKey is a key that a deliver block wrote.
type deliveredKey struct {
	path   string
	secret secret.Value
}

// maxSecretFile is more than a file with one key has.
const maxSecretFile = 1 << 16

// readSecretFiles reads keys, by their IDs.
func readSecretFiles(paths []string) (byKeyID map[string]deliveredKey, err error) {
	out := map[string]deliveredKey{}
	for _, path := range paths {
		text, err := durable.ReadFile(path, maxSecretFile)
		if err != nil {
			return nil, failf("Secret cannot be read", "%s cannot be read: %s.", path, words.ErrorWithoutPath(err))
		}
		id, key := findDeliveredKey(string(text))
		if id == "" || key == "" {
			return nil, failf("Secret cannot be read", "%s holds no key in a format of deliver. Name what a deliver block with a format "+
				"writes. What the file holds is not shown, since it may be a secret.", path)
		}
		out[id] = deliveredKey{path, secret.New(key)}
	}
	return out, nil
}

// findDeliveredKey finds a key in a text as deliver blocks write it.
func findDeliveredKey(text string) (id, key string) {
	var object struct {
		ID        string `json:"application_key_id"`
		Key       string `json:"application_key"`
		JoplinID  string `json:"sync.8.username"`
		JoplinKey string `json:"sync.8.password"`
		Storage   struct {
			Config struct {
				ID  string `json:"accessKeyID"`
				Key string `json:"secretAccessKey"`
			} `json:"config"`
		} `json:"storage"` // of kopia's token
	}
	if token, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
		text = string(token)
	}
	if json.Unmarshal([]byte(text), &object) == nil {
		kopia := object.Storage.Config
		return cmp.Or(object.ID, object.JoplinID, kopia.ID), cmp.Or(object.Key, object.JoplinKey, kopia.Key)
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, "=")
		value = strings.Trim(strings.TrimSpace(value), "'")
		switch strings.ToUpper(strings.TrimSpace(strings.TrimPrefix(name, "export "))) {
		case "B2_APPLICATION_KEY_ID", "B2_ACCOUNT_ID", "AWS_ACCESS_KEY_ID", "ACCOUNT":
			id = value
		case "B2_APPLICATION_KEY", "B2_ACCOUNT_KEY", "AWS_SECRET_ACCESS_KEY", "KEY":
			key = value
		}
	}
	return id, key
}

func isNullOrUnknown(v cty.Value) bool { return v.IsNull() || !v.IsKnown() }

func isTrue(v cty.Value) bool { return !isNullOrUnknown(v) && v.True() }

func equalsText(v cty.Value, text string) bool { return !isNullOrUnknown(v) && v.AsString() == text }

// stringElements are the elements of a list or set; none where it is null or not known.
func stringElements(v cty.Value) []string {
	if isNullOrUnknown(v) || !v.IsWhollyKnown() {
		return nil
	}
	return kind.StringsIfWhollyKnown(v)
}
