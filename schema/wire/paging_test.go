package wire_test

import (
	"errors"
	"fmt"
	"testing"

	"b2form/schema/wire"
)

// advance gives pages to one listing, and tells which one is refused, from 1; 0: none.
func advance(t *testing.T, pages int, page func(int) (marker string, ids []string)) int {
	t.Helper()
	var p wire.PagingGuard
	for i := range pages {
		marker, ids := page(i)
		if err := p.Advance("b2_list_keys", marker, ids); err != nil {
			if e, ok := errors.AsType[*wire.Error](err); !ok || e.Method != "b2_list_keys" {
				t.Errorf("%#v", err)
			}
			return i + 1
		}
	}
	return 0
}

func TestPagingEnds(t *testing.T) {
	number := func(i int) string { return fmt.Sprint(i) }
	for _, c := range []struct {
		name    string
		page    func(int) (string, []string)
		refused int
	}{
		{"every page brings something", func(i int) (string, []string) { return number(i), []string{"a", number(i)} }, 0},
		{"the same marker", func(i int) (string, []string) { return "m", []string{number(i)} }, 2},
		{"two markers in turn", func(i int) (string, []string) { return number(i % 2), []string{number(i)} }, 3},
		{"always the same object", func(i int) (string, []string) { return number(i), []string{"a"} }, 11},
		{"nothing at all", func(i int) (string, []string) { return number(i), nil }, 10},
		{"nine empty pages between", func(i int) (string, []string) {
			if i%10 == 0 {
				return number(i), []string{number(i)}
			}
			return number(i), nil
		}, 0},
	} {
		if got := advance(t, 100, c.page); got != c.refused {
			t.Errorf("%s: page %d is refused, want %d", c.name, got, c.refused)
		}
	}
}
