package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"b2form/internal/words"
	"b2form/schema/addr"
)

// Differences says in words, one line each, in what another plan differs: by address, and by attribute.
// Both are of one account.
func (s *Saved) Differences(now *Saved) []string {
	was, is := byAddress(s.Changes), byAddress(now.Changes)
	all := maps.Clone(was)
	maps.Copy(all, is)
	var out []string
	for _, a := range slices.SortedFunc(maps.Keys(all), addr.Addr.Compare) {
		switch from, to := was[a], is[a]; {
		case from == nil:
			out = append(out, fmt.Sprintf("%s: %s, which the saved plan does not have", a, to.Action))
		case to == nil:
			out = append(out, fmt.Sprintf("%s: nothing to do any more; the saved plan has %s", a, from.Action))
		case from.Action != to.Action:
			out = append(out, fmt.Sprintf("%s: %s, where the saved plan has %s", a, to.Action, from.Action))
		default:
			out = append(out, changeDifferences(from, to)...)
		}
	}
	rest := func(s *Saved) []byte {
		whole := *s
		whole.Changes = nil
		return mustJSON(whole)
	}
	names := differingMembers(rest(s), rest(now))
	if len(out) > 0 { // they follow from the changes
		names = slices.DeleteFunc(names, func(name string) bool { return name == "records" || name == "steps" || name == "hidden_hash" })
	}
	for _, name := range names {
		out = append(out, "other than in the saved plan: "+describeSavedMember(name))
	}
	return out
}

// describeSavedMember says what a member of a saved plan is, other than its changes.
func describeSavedMember(member string) string {
	switch member {
	case "account", "realm":
		return "the account"
	case "steps":
		return "the steps, or their order"
	case "records":
		return "what the state is told first"
	case "moves", "moved_intents":
		return "addresses that move"
	case "undelivered":
		return "keys whose secret goes nowhere"
	case "outputs":
		return "the values of outputs"
	case "exceptions":
		return "exceptions from policies"
	case "left_out":
		return "what is left out"
	}
	return "values that are not shown"
}

func byAddress(list []SavedChange) map[addr.Addr]*SavedChange {
	out := make(map[addr.Addr]*SavedChange, len(list))
	for i := range list {
		out[list[i].Addr] = &list[i]
	}
	return out
}

// changeDifferences are those of two changes of one address and action.
func changeDifferences(was, is *SavedChange) []string {
	var out []string
	say := func(what string, names []string) {
		if len(names) > 0 {
			out = append(out, fmt.Sprintf("%s: %s: %s", was.Addr, what, words.JoinAnd(names)))
		}
	}
	say("live, other than when the plan was made", differingMembers(was.Before, is.Before))
	if slices.Equal(was.FurtherDeletes, is.FurtherDeletes) &&
		!bytes.Equal(mustJSON(was.FurtherDeletesBefore), mustJSON(is.FurtherDeletesBefore)) {
		out = append(out, fmt.Sprintf("%s: what it also deletes is live, other than when the plan was made", was.Addr))
	}
	say("to be set, other than in the saved plan", differingMembers(was.After, is.After))
	rest := func(c SavedChange) []byte {
		c.Before, c.After = nil, nil
		return mustJSON(c)
	}
	if len(out) == 0 {
		say("other than in the saved plan", differingMembers(rest(*was), rest(*is)))
	}
	return out
}

// differingMembers names the members in which two JSON objects differ. Sorted.
func differingMembers(was, is []byte) []string {
	from, to := mustObjectMembers(was), mustObjectMembers(is)
	var names []string
	for name := range from {
		if !bytes.Equal(from[name], to[name]) {
			names = append(names, name)
		}
	}
	for name := range to {
		if from[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// mustObjectMembers are those of a JSON object that was made here, each in one spelling.
func mustObjectMembers(text []byte) map[string]json.RawMessage {
	var out map[string]json.RawMessage
	if err := json.Unmarshal(mustJSON(json.RawMessage(text)), &out); err != nil {
		panic(err)
	}
	return out
}

// mustJSON is of what always has a form in JSON.
func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
