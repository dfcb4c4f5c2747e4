package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"b2form/internal/emulator"
)

// TestMintedKeyIsListedLate makes keys of which the reply is lost, and B2 lists them only at the last look: none is left.
func TestMintedKeyIsListedLate(t *testing.T) {
	b := newBench(t, "")
	b.sleep = withoutPauses
	var mu sync.Mutex
	reads := 0 // of two API versions at each look
	b.alter(map[string]altering{"b2_create_key": func(string) (int, string) { return 0, "" },
		"b2_list_keys": func(reply string) (int, string) {
			mu.Lock()
			defer mu.Unlock()
			if reads++; reads <= 8 {
				return noKeys(reply)
			}
			return http.StatusOK, reply
		}})
	if code := b.run("mint", "-all-buckets", "--", "b2form-no-such-program"); code != 1 {
		t.Errorf("exit code %d", code)
	}
	b.wants(t, b.err, "was deleted again")
	if left := b.liveKeys(t); len(left) > 0 {
		t.Errorf("in the end there are the keys %v", left)
	}
}

// TestDeletedKeyIsListedForAWhile loses the reply to the deletion of a key that ends with a command, and B2 lists it for three
// more looks: it is gone all the same.
func TestDeletedKeyIsListedForAWhile(t *testing.T) {
	for _, args := range [][]string{{"mint", "-all-buckets", "--", "true"}, {"prove", "key.app"}} {
		t.Run(args[0], func(t *testing.T) {
			b := newBench(t, provenConfig)
			b.sleep = withoutPauses
			b.shown(t, 0, "apply", "-auto-approve")
			var mu sync.Mutex
			deletions, late, made := 0, 3, ""
			b.alter(map[string]altering{"b2_create_key": func(reply string) (int, string) {
				var key map[string]any
				_ = json.Unmarshal([]byte(reply), &key) // what is no object is a listing that no client takes
				delete(key, "applicationKey")
				text, _ := json.Marshal(key) // was JSON
				mu.Lock()
				defer mu.Unlock()
				made = string(text)
				return http.StatusOK, reply
			}, "b2_delete_key": func(reply string) (int, string) {
				mu.Lock()
				defer mu.Unlock()
				if deletions++; deletions == 1 {
					return 0, ""
				}
				return http.StatusBadRequest, reply
			}, "b2_list_keys": func(reply string) (int, string) {
				mu.Lock()
				defer mu.Unlock()
				if deletions > 0 && late > 0 {
					late--
					return http.StatusOK, `{"keys":[` + made + `],"nextApplicationKeyId":null}`
				}
				return http.StatusOK, reply
			}})
			b.shown(t, 0, args...)
			if late > 0 || deletions < 2 {
				t.Errorf("%d deletions, and %d late listings that nobody saw", deletions, late)
			}
			if left := b.liveKeys(t); len(left) != 1 {
				t.Errorf("in the end there are the keys %v", left)
			}
		})
	}
}

// TestMintAsksAgain refuses to make a key without saying whether it was made: once it was not, so it is made; and where B2 goes on
// like that, b2form gives up.
func TestMintAsksAgain(t *testing.T) {
	b := newBench(t, "")
	b.sleep = withoutPauses
	unsaid := emulator.Fault{Method: "b2_create_key", Nth: 1, Status: http.StatusServiceUnavailable, Code: "service_unavailable"}
	b.QueueFault(unsaid)
	b.shown(t, 0, "mint", "-all-buckets", "--", "true")
	for n := range 3 {
		unsaid.Nth = n + 1
		b.QueueFault(unsaid)
	}
	b.ResetCalls()
	b.shown(t, 1, "mint", "-all-buckets", "--", "true")
	b.wants(t, b.err, "may have been made")
	made := 0
	for _, c := range b.Calls() {
		if c.Method == "b2_create_key" {
			made++
		}
	}
	if left := b.liveKeys(t); made != 3 || len(left) > 0 {
		t.Errorf("asked for %d keys, and in the end there are %v", made, left)
	}
}
