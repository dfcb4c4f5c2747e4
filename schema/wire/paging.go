package wire

// mostStale is how many pages in a row may bring nothing new and name a next one.
// B2 may give empty pages in between, but a service that names ever new ones would be
// asked, and paid, for ever.
const mostStale = 10

// A PagingGuard watches over one listing that comes in pages, so that it ends. Its zero
// value is ready.
type PagingGuard struct {
	seenMarkers, seenIDs map[string]bool
	stalePages           int
}

// Advance notes a page that another one follows: where that begins, and the IDs of
// the page's objects. It is an *Error where the listing does not advance.
func (p *PagingGuard) Advance(method, nextMarker string, ids []string) error {
	if p.seenMarkers == nil {
		p.seenMarkers, p.seenIDs = map[string]bool{}, map[string]bool{}
	}
	if p.seenMarkers[nextMarker] {
		return &Error{Method: method, Status: 200, Message: "the listing goes in circles: two of its pages name the same next one"}
	}
	p.seenMarkers[nextMarker] = true
	p.stalePages++
	for _, id := range ids {
		if !p.seenIDs[id] {
			p.seenIDs[id], p.stalePages = true, 0
		}
	}
	if p.stalePages >= mostStale {
		return &Error{Method: method, Status: 200, Message: "the listing does not end: its last ten pages brought nothing new, and each " +
			"names a next one"}
	}
	return nil
}
