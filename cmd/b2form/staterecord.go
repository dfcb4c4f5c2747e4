package main

import (
	"time"

	"b2form/schema/addr"
)

// A stateRecord is what the state records, for programs: "state list -json". It holds no
// setting, as the state does not.
type stateRecord struct {
	FormatVersion string        `json:"format_version"`
	Resources     []entryRecord `json:"resources"` // by address
}

// An entryRecord is what is recorded of one object: "state show -json".
type entryRecord struct {
	FormatVersion  string          `json:"format_version"`
	Address        string          `json:"address"`
	Kind           string          `json:"kind"`
	Identity       string          `json:"identity"`
	ID             string          `json:"id"`
	Created        *time.Time      `json:"created,omitempty"`
	Adopted        *time.Time      `json:"adopted,omitempty"`
	Delivered      bool            `json:"delivered"`
	PreventDestroy bool            `json:"prevent_destroy"`
	ForceDestroy   bool            `json:"force_destroy"`
	Retiring       []retireeRecord `json:"retiring"`
}

// A retireeRecord is an earlier object that has a successor.
type retireeRecord struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Until *time.Time `json:"until,omitempty"` // left out: until its successor is renewed
}

const stateRecordFormat = "1.0"

func newStateRecord(entries []addr.StateEntry) stateRecord {
	out := stateRecord{FormatVersion: stateRecordFormat, Resources: []entryRecord{}}
	for _, e := range entries {
		one := entryRecord{FormatVersion: stateRecordFormat, Address: e.Addr.String(), Kind: e.Addr.Kind, Identity: e.Identity, ID: e.ID,
			Created: timeOrNone(e.Created), Adopted: timeOrNone(e.Adopted), Delivered: e.Delivered, PreventDestroy: e.PreventDestroy,
			ForceDestroy: e.ForceDestroy, Retiring: []retireeRecord{}}
		for _, r := range e.Retiring {
			one.Retiring = append(one.Retiring, retireeRecord{ID: r.ID, Name: r.Name, Until: timeOrNone(r.KeepUntil)})
		}
		out.Resources = append(out.Resources, one)
	}
	return out
}

func timeOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
