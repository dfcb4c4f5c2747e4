package b2

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// The real limit is too large to be met in a test.
func TestReadBounded(t *testing.T) {
	for _, size := range []int64{-1, 6, 3} {
		resp := &http.Response{Body: io.NopCloser(strings.NewReader("sixsix")), ContentLength: size}
		if got, err := readBounded(resp, 3); err != nil || string(got) != "sixs" {
			t.Errorf("announced %d: got %q, %v; want one byte more than the limit", size, got, err)
		}
	}
}
