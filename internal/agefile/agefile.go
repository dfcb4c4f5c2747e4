// Package agefile encrypts for the readers of an age file
// (age-encryption.org/v1).
package agefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
)

// CheckRecipient says what is wrong with a recipient: the public key of who may read, as
// age-keygen prints it ("age1…", "age1pq1…") or from an SSH key pair
// ("ssh-ed25519 …", "ssh-rsa …"). nil: nothing. The error repeats nothing of the
// text, which may be a private key by mistake.
func CheckRecipient(recipient string) error {
	_, err := parseRecipient(recipient)
	return err
}

func parseRecipient(text string) (age.Recipient, error) {
	upper := strings.ToUpper(text)
	switch {
	case strings.HasPrefix(upper, "AGE-SECRET-KEY-"), strings.HasPrefix(upper, "AGE-PLUGIN-"), strings.HasPrefix(upper, "-----BEGIN"):
		return nil, errors.New("this is a private key. Write the public one: `age-keygen -y FILE` prints it, and beside an SSH key lies " +
			"a file that ends in .pub")
	case strings.ContainsAny(text, "\r\n"):
		return nil, errors.New("each recipient is an element of its own; this one has several lines")
	case strings.HasPrefix(text, "age1") && strings.Count(text, "1") > 1 && !strings.HasPrefix(text, "age1pq1"):
		return nil, errors.New("recipients that need a plugin cannot be used: b2form runs none")
	case strings.HasPrefix(text, "age1"):
		list, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil || len(list) != 1 {
			return nil, errors.New("this is no complete age recipient; copy the whole line that begins with age1")
		}
		return list[0], nil
	case strings.HasPrefix(text, "ssh-"):
		r, err := agessh.ParseRecipient(text)
		if err != nil {
			return nil, errors.New("this is no SSH public key that age can encrypt to; use one of type ssh-ed25519, or ssh-rsa with at " +
				"least 2048 bits")
		}
		return r, nil
	}
	return nil, errors.New("a recipient begins with age1, ssh-ed25519 or ssh-rsa")
}

// RecipientWithoutComment is a recipient without what does not matter to who can read: the
// comment behind an SSH key.
func RecipientWithoutComment(recipient string) string {
	fields := strings.Fields(recipient)
	if len(fields) > 2 && strings.HasPrefix(fields[0], "ssh-") {
		fields = fields[:2]
	}
	return strings.Join(fields, " ")
}

// Encrypt encrypts text, armored, for any one of the recipients to read. It fails
// where CheckRecipient refuses a recipient, there is none, or they do not go together.
func Encrypt(text string, recipients []string) (string, error) {
	readers := make([]age.Recipient, len(recipients))
	for i, s := range recipients {
		r, err := parseRecipient(s)
		if err != nil {
			return "", fmt.Errorf("recipient %d: %w", i+1, err)
		}
		readers[i] = r
	}
	if len(readers) == 0 {
		return "", errors.New("there is no recipient")
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, readers...)
	if err != nil {
		// Nothing else is left to fail: a post-quantum file must not be readable
		// by a recipient that is not.
		return "", fmt.Errorf("age does not encrypt to these recipients together: those that begin with age1pq1 cannot be mixed with "+
			"others (%w)", err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return "", err
	}
	if err := errors.Join(w.Close(), a.Close()); err != nil {
		return "", err
	}
	return out.String(), nil
}
