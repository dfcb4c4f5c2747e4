package main

import (
	"time"

	"b2form/schema/addr"
	"b2form/schema/wire"
)

// A stateListDocument is what the state records, for programs: "state list -json". It holds no
// setting, as the state does not.
type stateListDocument struct {
	FormatVersion string          `json:"format_version"`
	Resources     []entryDocument `json:"resources"` // by address
}

// An entryDocument is what is recorded of one object: "state show -json".
type entryDocument struct {
	FormatVersion  string            `json:"format_version"`
	Address        string            `json:"address"`
	Kind           string            `json:"kind"`
	Identity       string            `json:"identity"`
	ID             string            `json:"id"`
	Created        *time.Time        `json:"created,omitempty"`
	Adopted        *time.Time        `json:"adopted,omitempty"`
	Updated        *time.Time        `json:"updated,omitempty"`
	Delivered      bool              `json:"delivered"`
	PreventDestroy bool              `json:"prevent_destroy"`
	ForceDestroy   bool              `json:"force_destroy"`
	Retiring       []retireeDocument `json:"retiring"`
}

// A retireeDocument is an earlier object that has a successor.
type retireeDocument struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Until *time.Time `json:"until,omitempty"` // left out: until its successor is renewed
}

const stateRecordFormat = "1.0"

func newStateListDocument(entries []addr.StateEntry) stateListDocument {
	out := stateListDocument{FormatVersion: stateRecordFormat, Resources: []entryDocument{}}
	for _, e := range entries {
		one := entryDocument{FormatVersion: stateRecordFormat, Address: e.Addr.String(), Kind: e.Addr.Kind,
			Identity: wire.EscapeNonNFC(e.Identity), ID: e.ID, Created: utcTimeIfSet(e.Created), Adopted: utcTimeIfSet(e.Adopted),
			Updated: utcTimeIfSet(e.Updated), Delivered: e.Delivered, PreventDestroy: e.PreventDestroy, ForceDestroy: e.ForceDestroy,
			Retiring: []retireeDocument{}}
		for _, r := range e.Retiring {
			one.Retiring = append(one.Retiring, retireeDocument{ID: r.ID, Name: r.Name, Until: utcTimeIfSet(r.KeepUntil)})
		}
		out.Resources = append(out.Resources, one)
	}
	return out
}

func utcTimeIfSet(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
