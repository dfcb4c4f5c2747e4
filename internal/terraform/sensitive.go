package terraform

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// isOfUnknownOrigin reports whether nothing tells which members of an object of this type are secret: they are what somebody else
// hands out.
func isOfUnknownOrigin(typ string) bool {
	return slices.Contains([]string{"terraform_remote_state", "tfe_outputs", "external"}, typ)
}

// isWholeOfUnknownOrigin reports whether a variable stands for all that somebody else hands out.
func (s *substituteVariable) isWholeOfUnknownOrigin() bool {
	return len(s.attrPath) == 1 && slices.Contains([]string{"outputs", "values", "result"}, s.attrPath[0]) &&
		isOfUnknownOrigin(s.replacedItem.block.Labels[0])
}

// mayBeSecret reports whether a value of an object that stays must not be written down: its type or names in it sound like
// a secret, the state calls it sensitive or has it as a secret elsewhere, or nobody knows all that is in it.
func (s *stateFile) mayBeSecret(in *substituteVariable, i *stateInstance, v cty.Value, found bool) bool {
	typ := in.replacedItem.block.Labels[0]
	switch {
	case i.mayBeSensitive(typ, in.attrPath):
		return true
	case !found || in.replacedItem.kind != nil:
		return false
	}
	secret := false
	_ = cty.Walk(v, func(p cty.Path, v cty.Value) (bool, error) { // it returns no error
		if t := v.Type(); t.IsObjectType() && len(t.AttributeTypes()) > 0 && isOfUnknownOrigin(typ) && !in.wantsNames {
			secret = true
		}
		for _, step := range p {
			if member, ok := step.(cty.GetAttrStep); ok && soundsSecret("", []string{member.Name}) {
				secret = true
			}
		}
		if t := v.Type(); t == cty.String && v.IsKnown() && !v.IsNull() && s.secretTexts()[v.AsString()] {
			secret = true
		}
		return true, nil
	})
	return secret
}

// mayBeSensitive reports whether an attribute is sensitive: old releases do not say so in the state,
// so the names of its type and its own count, too.
func (i *stateInstance) mayBeSensitive(typ string, attrPath []string) bool {
	return soundsSecret(typ, attrPath) || i.isMarkedSensitive(attrPath[0])
}

// isMarkedSensitive reports whether the state says that an attribute is sensitive, or something in it.
func (i *stateInstance) isMarkedSensitive(attr string) bool {
	return slices.ContainsFunc(i.Sensitive, func(path json.RawMessage) bool { return bytes.Contains(path, []byte(`"`+attr+`"`)) })
}

// soundsSecret reports whether the names of a type and of attributes say that there are secrets.
func soundsSecret(typ string, attrPath []string) bool {
	secretWords := []string{"password", "secret", "token", "private", "credential", "passphrase", "passwd", "connection_string"}
	ownWords := slices.Concat(secretWords, []string{"key", "connection", "auth", "cert", "pem", "dsn", "sas", "webhook", "signature",
		"pwd"})
	containsAny := func(name string, list []string) bool {
		return slices.ContainsFunc(list, func(word string) bool { return strings.Contains(strings.ToLower(name), word) })
	}
	return containsAny(typ, secretWords) || containsAny(strings.Join(attrPath, " "), ownWords)
}

// secretTexts are the texts that the state has as secrets: in sensitive outputs and attributes, and where the provider for B2
// takes one. The same text elsewhere is the same secret.
func (s *stateFile) secretTexts() map[string]bool {
	if s.secrets != nil {
		return s.secrets
	}
	s.secrets = map[string]bool{}
	for _, out := range s.Outputs {
		if out.Sensitive {
			s.addSecretTexts(out.Value)
		}
	}
	for _, r := range s.Resources {
		for _, i := range r.Instances {
			for name, raw := range i.Attributes {
				if i.isMarkedSensitive(name) {
					s.addSecretTexts(raw)
				}
			}
			visitConfiguredSecrets(i, func(_, text string) { s.secrets[text] = true })
		}
	}
	return s.secrets
}

// addSecretTexts notes the texts in JSON.
func (s *stateFile) addSecretTexts(raw json.RawMessage) {
	visitJSON(raw, func(v any) {
		if text, isText := v.(string); isText {
			s.secrets[text] = text != ""
		}
	})
}

// withoutType is a value that is stored with its type beside it, since the provider's schema does not say that, or what is given.
func withoutType(raw json.RawMessage) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || !slices.Equal(slices.Sorted(maps.Keys(object)), []string{"type", "value"}) {
		return raw
	}
	if _, err := ctyjson.UnmarshalType(object["type"]); err != nil {
		return raw
	}
	return object["value"]
}
