package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/urfave/cli/v3"

	"b2form/internal/planfile"
	"b2form/plan"
	"b2form/schema/wire"
)

func (o *runOptions) expectFlag() cli.Flag {
	return &cli.GenericFlag{Name: "expect", Usage: "do not ask; carry out only a plan that ends with this `DIGEST`",
		Value: funcFlag{func(text string) error {
			d, err := plan.ParseDigest(text)
			o.expectedDigest = &d
			return err
		}}}
}

// choosePlanDigestSalt chooses what hidden values are hashed with in a digest that is shown or expected:
// what the expected digest names, else the key of the environment, else something that nobody
// knows before.
func (s *session) choosePlanDigestSalt() error {
	key := s.getenv("B2FORM_DIGEST_KEY")
	switch {
	case s.savedPlan != nil && s.savedPlan.SaltNotInFile:
		if key == "" {
			return failf("The saved plan needs a key", "It was made with a B2FORM_DIGEST_KEY, and hides values: give the same here.")
		}
		s.planDigestSalt, s.saltFromEnv = []byte(key), true
		return nil
	case s.savedPlan != nil:
		var err error
		s.planDigestSalt, err = hex.DecodeString(s.savedPlan.Salt)
		return err
	case s.runOptions.expectedDigest != nil && s.runOptions.expectedDigest.Salt != "":
		var err error
		s.planDigestSalt, err = hex.DecodeString(s.runOptions.expectedDigest.Salt)
		return err
	case key != "":
		s.planDigestSalt, s.saltFromEnv = []byte(key), true
		return nil
	}
	s.planDigestSalt = make([]byte, plan.SaltBytes)
	_, err := rand.Read(s.planDigestSalt)
	return err
}

// planDigest is what the plan, of which the contents were counted, can be approved by.
func (s *session) planDigest(p *plan.Plan) plan.Digest {
	return s.planDigestWithContents(p, s.destroyed)
}

func (s *session) planDigestWithContents(p *plan.Plan, contents []planfile.DestroyedContents) plan.Digest {
	d := plan.Digest{Basis: basisWithContents(p.Basis, contents)}
	if p.Salted && !s.saltFromEnv {
		d.Salt = hex.EncodeToString(s.planDigestSalt)
	}
	return d
}

// basisWithContents is a basis together with how much goes with what the plan destroys: who approves a plan approves that loss and
// no other.
func basisWithContents(basis string, contents []planfile.DestroyedContents) string {
	if len(contents) == 0 {
		return basis
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", basis)
	for _, c := range contents {
		fmt.Fprintf(h, "%q %q\n", c.Addr, c.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// checkExpectedDigest refuses a plan that is not the one whose digest was given. A saved plan was compared with it already.
func (s *session) checkExpectedDigest(p *plan.Plan) error {
	uncounted := slices.Clone(s.destroyed) // as whoever may not list files sees them, which approves whatever is there
	for i := range uncounted {
		uncounted[i].Text = wire.ContentsCount{ListingDenied: true}.String()
	}
	switch want := s.runOptions.expectedDigest; {
	case want == nil || s.savedPlan != nil || s.planDigest(p) == *want || s.planDigestWithContents(p, uncounted) == *want:
		return nil
	case want.Salt == "" && p.Salted && !s.saltFromEnv:
		return failf("The expected digest needs a key", "The plan hides values, and the digest of -expect was made with a key: give the "+
			"same B2FORM_DIGEST_KEY here as to \"b2form plan\".")
	}
	return failf("The plan is not the expected one",
		"The plan above has the digest %s, and -expect gives %s, so nothing was changed. Something that the plan touches changed since, "+
			"or what is deleted with a bucket or a file, or it was made from another configuration, other values or another version of "+
			"b2form. Have the new plan approved.",
		s.planDigest(p), *s.runOptions.expectedDigest)
}
