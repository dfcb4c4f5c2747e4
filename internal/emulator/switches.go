package emulator

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A SwitchDefinition is one field of Switches as a user writes it.
type SwitchDefinition struct {
	// Name is what Set takes.
	Name string
	// ValuePlaceholder is what stands after an equals sign, "" if the switch takes none.
	ValuePlaceholder string
	// Doc is a phrase that says what the emulator then does.
	Doc string
	set func(*Switches, string) error
}

// AllSwitches lists every switch, by name.
func AllSwitches() []SwitchDefinition {
	on := func(field func(*Switches) *bool) func(*Switches, string) error {
		return func(s *Switches, value string) error {
			if value != "" {
				return errors.New("it takes no value")
			}
			*field(s) = true
			return nil
		}
	}
	return []SwitchDefinition{
		{"console-types", "", "b2_create_bucket also makes the types snapshot, restricted and shared",
			on(func(s *Switches) *bool { return &s.AllowConsoleBucketTypes })},
		{"daily-class-c", "N", "more than N class C transactions a day are refused", (*Switches).setMaxDailyClassC},
		{"destinations-first", "", "a replication source is refused until its destinations list its key",
			on(func(s *Switches) *bool { return &s.DestinationsFirst })},
		{"email-not-verified", "", "the account's email address is not verified: no public buckets",
			on(func(s *Switches) *bool { return &s.EmailNotVerified })},
		{"ignore-unknown-members", "", "a request member that the call does not know is no error",
			on(func(s *Switches) *bool { return &s.IgnoreUnknownMembers })},
		{"invalid-name-code", "CODE", "an illegal bucket name is refused with CODE, not bad_request",
			func(s *Switches, value string) error {
				return setNonEmpty(&s.InvalidBucketNameCode, value)
			}},
		{"markers-need-rules", "", "a hide marker without versions stays where no lifecycle rule applies",
			on(func(s *Switches) *bool { return &s.OnlyRulesRemoveMarkers })},
		{"no-payment-history", "", "the account never paid: no public buckets", on(func(s *Switches) *bool { return &s.NoPaymentHistory })},
		{"plain-by-default", "", "buckets and files are not encrypted unasked, as before September 2026",
			on(func(s *Switches) *bool { return &s.UnencryptedByDefault })},
		{"prefix-needs-bucket", "", "a key with a name prefix must be limited to a bucket",
			on(func(s *Switches) *bool { return &s.KeyPrefixNeedsBucket })},
		{"real-date", "", "the Date header stays real when the clock is moved", on(func(s *Switches) *bool { return &s.RealDateHeader })},
		{"reorder-rules", "", "lifecycle and CORS rules are answered in another order",
			on(func(s *Switches) *bool { return &s.ReorderRules })},
		{"steady-revision", "", "an update that changes nothing leaves the revision alone",
			on(func(s *Switches) *bool { return &s.KeepRevisionIfUnchanged })},
		{"strict-key-listing", "", "version 4 lists and deletes multi-bucket keys only",
			on(func(s *Switches) *bool { return &s.V4ListsOnlyMultiBucketKeys })},
		{"strict-lifecycle-overlap", "", "no lifecycle rule may reach names that another reaches",
			on(func(s *Switches) *bool { return &s.StrictLifecycleOverlap })},
		{"taken-name", "NAME", "the bucket name belongs to somebody else; repeatable", func(s *Switches, value string) error {
			var name string
			err := setNonEmpty(&name, value)
			s.TakenBucketNames = append(s.TakenBucketNames, name)
			return err
		}},
		{"tokens-outlive-keys", "", "a token stays valid when its key is deleted",
			on(func(s *Switches) *bool { return &s.TokensOutliveKeys })},
	}
}

// Set throws the switch that text names, as in "steady-revision" or
// "daily-class-c=100".
func (s *Switches) Set(text string) error {
	name, value, _ := strings.Cut(text, "=")
	for _, sw := range AllSwitches() {
		if sw.Name != name {
			continue
		}
		if err := sw.set(s, value); err != nil {
			return fmt.Errorf("switch %q: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("there is no switch %q", name)
}

func setNonEmpty(to *string, value string) error {
	if value == "" {
		return errors.New("it needs a value, after an equals sign")
	}
	*to = value
	return nil
}

func (s *Switches) setMaxDailyClassC(value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return errors.New("it needs a positive number, after an equals sign")
	}
	s.MaxDailyClassC = n
	return nil
}
