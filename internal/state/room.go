package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"b2form/internal/visible"
	"b2form/schema/wire"
)

// noRoomError says what has the bucket's info pairs: the pairs of states are not anybody's to remove.
func (k *bucketStorage) noRoomError() *Error {
	var states, others []string
	for _, key := range slices.Sorted(maps.Keys(k.lastView.Info)) {
		if !strings.HasPrefix(key, wire.ReservedInfoPrefix) {
			others = append(others, visible.EscapeTruncated(key, maxQuoted))
			continue
		}
		other := BucketBackend{BucketName: k.BucketName}
		p, err := parsePointer(k.String(), k.lastView.Info[key])
		if i := p.prefixLength(); err == nil && i >= 0 {
			other.Prefix = p.objectName()[:i]
			states = append(states, visible.EscapeTruncated(other.String(), maxQuoted))
		} else {
			states = append(states, "one of an unknown prefix")
		}
	}
	slices.Sort(states)
	detail := fmt.Sprintf("A bucket holds at most %d info pairs, and each state in it needs one.", maxPairs)
	if len(states) > 0 {
		detail += fmt.Sprintf(" %s has those of these states: %s. Never remove such a pair by hand: what its state owns would be "+
			"nobody's. `b2form destroy` frees the pair of a state whose objects are not needed any more.",
			k.BucketName, strings.Join(states, ", "))
	}
	if len(others) > 0 {
		detail += fmt.Sprintf(" Pairs of something else: %s.", strings.Join(others, ", "))
	}
	return newError(k.String(), "The bucket has no room for the state's pointer", detail+" Or keep this state in another bucket.")
}

// objectName is the name of an object that the pointer says is the state, or a part of its journal; "": there is none yet.
func (p statePointer) objectName() string {
	if p.State.Name != "" {
		return p.State.Name
	}
	return p.LastJournalPart.Name
}

// prefixLength is how much of that name is the prefix: what stands before the time, the run and the number; -1: it cannot be told.
func (p statePointer) prefixLength() int {
	name := p.objectName()
	run := strings.LastIndexByte(name, '-')
	if run >= 0 {
		run = strings.LastIndexByte(name[:run], '-')
	}
	return run - len(objectTimeFormat)
}
