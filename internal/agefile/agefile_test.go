package agefile_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"b2form/internal/agefile"
)

// readers are one identity of every sort, by its recipient.
func readers(t *testing.T) map[string]age.Identity {
	t.Helper()
	x, err := age.GenerateX25519Identity()
	must(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	edReader, err := agessh.NewEd25519Identity(ed)
	must(t, err)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	rsaReader, err := agessh.NewRSAIdentity(r)
	must(t, err)
	return map[string]age.Identity{
		x.Recipient().String():                 x,
		line(t, ed.Public()) + " me@somewhere": edReader,
		line(t, r.Public()):                    rsaReader,
	}
}

func line(t *testing.T, public any) string {
	t.Helper()
	k, err := ssh.NewPublicKey(public)
	must(t, err)
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every recipient alone can read, and nobody else.
func TestSeal(t *testing.T) {
	const text = "B2_APPLICATION_KEY=K0029r3hpMfUhncpS7uLYuIkg3FCMlo\n"
	known := readers(t)
	var recipients []string
	for r := range known {
		must(t, agefile.CheckRecipient(r))
		recipients = append(recipients, r)
	}
	sealed, err := agefile.Encrypt(text, recipients)
	must(t, err)
	if !strings.HasPrefix(sealed, armor.Header) || strings.Contains(sealed, "K002") {
		t.Fatalf("not an armored file:\n%s", sealed)
	}
	open := func(id age.Identity) (string, error) {
		r, err := age.Decrypt(armor.NewReader(strings.NewReader(sealed)), id)
		if err != nil {
			return "", err
		}
		b, err := io.ReadAll(r)
		return string(b), err
	}
	for name, id := range known {
		if got, err := open(id); err != nil || got != text {
			t.Errorf("%s reads %q, %v", name, got, err)
		}
	}
	stranger, err := age.GenerateX25519Identity()
	must(t, err)
	if got, err := open(stranger); err == nil {
		t.Errorf("a stranger reads %q", got)
	}
}

func TestRefused(t *testing.T) {
	x, err := age.GenerateX25519Identity()
	must(t, err)
	pq, err := age.GenerateHybridIdentity()
	must(t, err)
	public := x.Recipient().String()
	for _, test := range []struct{ recipient, want string }{
		{"", "begins with age1"},
		{"me@example.com", "begins with age1"},
		{public[:40], "copy the whole line"},
		{public + "\n" + public, "several lines"},
		{"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "plugin"},
		{"ssh-ed25519 AAAA", "no SSH public key"},
		{"ecdsa-sha2-nistp256 AAAA", "begins with age1"},
		{x.String(), "private key"},
		{strings.ToLower(pq.String()), "private key"},
		{"-----BEGIN OPENSSH PRIVATE KEY-----", "private key"},
	} {
		err := agefile.CheckRecipient(test.recipient)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.20s…: %v, want %q", test.recipient, err, test.want)
		}
		if len(test.recipient) > 30 && err != nil && strings.Contains(err.Error(), test.recipient[20:]) {
			t.Errorf("%.20s…: the error repeats it", test.recipient)
		}
	}
	must(t, agefile.CheckRecipient(pq.Recipient().String()))
	if _, err := agefile.Encrypt("x", []string{public, pq.Recipient().String()}); err == nil || !strings.Contains(err.Error(), "mixed") {
		t.Errorf("mixing gives %v", err)
	}
	if _, err := agefile.Encrypt("x", nil); err == nil {
		t.Error("sealed for nobody")
	}
}

func TestCanonical(t *testing.T) {
	for given, want := range map[string]string{
		"ssh-ed25519 AAAA me@host": "ssh-ed25519 AAAA",
		"ssh-ed25519 AAAA":         "ssh-ed25519 AAAA",
		" age1xyz ":                "age1xyz",
	} {
		if got := agefile.RecipientWithoutComment(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}
