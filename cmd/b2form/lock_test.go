package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2form/internal/tfserver"
)

// Who approved that the lock of one run is broken did not approve that of the next.
func TestLockChangesAtThePrompt(t *testing.T) {
	server := httptest.NewServer(new(tfserver.Server))
	defer server.Close()
	address := server.URL + "/states/web"
	b := newBench(t, fmt.Sprintf("b2form {\n  backend \"http\" {\n    address = %[1]q\n    lock_address = %[1]q\n  }\n}\n", address))
	send := func(method, who string) {
		lock := fmt.Sprintf(`{"ID":%q,"Who":%[1]q,"Created":"2026-10-02T12:00:00+02:00","Operation":"apply",`+
			`"Info":"","Version":"","Path":""}`, who)
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(lock))
		if err != nil {
			t.Fatal(err)
		}
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", method, reply.Status)
		}
	}
	send("LOCK", "ann@build")
	b.stdinTerminal = true
	b.stdin = &answer{text: strings.NewReader("yes\n"), first: func() { send("UNLOCK", "ann@build"); send("LOCK", "bob@build") }}
	if got := b.run("lock", "-break"); got != 1 {
		t.Errorf("exit code %d", got)
	}
	b.wants(t, b.err, "ann@build", "Error: Another run has the lock now", "bob@build has held the lock")
	b.stdin = &answer{text: strings.NewReader("yes\n"), first: func() {}}
	if got := b.run("lock", "-break"); got != 0 {
		t.Errorf("exit code %d", got)
	}
	b.wants(t, b.out, "The lock is broken.", "bob@build")
}
