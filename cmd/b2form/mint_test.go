package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// An altering answers in the place of the service, of whose reply it is told. With the status 0
// the connection breaks. Several requests may ask it at once.
type altering func(reply string) (status int, body string)

func (a *service) alter(methods map[string]altering) {
	a.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := methods[path.Base(r.URL.Path)]
		if answer == nil {
			a.ServeHTTP(w, r)
			return
		}
		reply := httptest.NewRecorder()
		a.ServeHTTP(reply, r)
		status, body := answer(reply.Body.String())
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "3600") // nobody waits that long
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

// with sets members of an object of JSON.
func with(members string) altering {
	return func(reply string) (int, string) {
		var all map[string]any
		if json.Unmarshal([]byte(reply), &all) != nil || json.Unmarshal([]byte(members), &all) != nil {
			return http.StatusTeapot, ""
		}
		body, _ := json.Marshal(all) // was JSON
		return http.StatusOK, string(body)
	}
}

func failing(status int, code, message string) altering {
	return func(string) (int, string) {
		return status, fmt.Sprintf(`{"status":%d,"code":%q,"message":%q}`, status, code, message)
	}
}

// lostSightOfDeletedKeys refuses the deletion of keys, and every listing from then on: the ones before show the keys.
func lostSightOfDeletedKeys() map[string]altering {
	trouble := failing(503, "service_unavailable", "later")
	var tried atomic.Bool
	return map[string]altering{"b2_delete_key": func(reply string) (int, string) {
		tried.Store(true)
		return trouble(reply)
	}, "b2_list_keys": func(reply string) (int, string) {
		if tried.Load() {
			return trouble(reply)
		}
		return http.StatusOK, reply
	}}
}

// aKey finds the secret of a key.
var aKey = regexp.MustCompile(`K00[0-9][0-9A-Za-z+/]{10}`)

// TestMintHostile makes keys of which the reply is lost, or is about another key. None is left, or it is
// said that one may be, and until when.
func TestMintHostile(t *testing.T) {
	const again, left = "was deleted again", "may work until"
	broken := func(string) (int, string) { return 0, "" }
	for name, test := range map[string]struct {
		create altering
		says   []string
	}{
		"no ID":          {with(`{"applicationKeyId":""}`), []string{"could not be understood", again}},
		"an ID of lines": {with(`{"applicationKeyId":"004\n::error::x"}`), []string{"could not be understood", again}},
		"another name":   {with(`{"keyName":"other"}`), []string{"could not be understood", again}},
		"NUL in the secret": {with(`{"applicationKey":"K004\u0000aaaaaaaaaaaaaaaaaaaaaaaaaa"}`),
			[]string{"could not be understood", again}},
		"no JSON": {func(string) (int, string) { return 200, "<html>" }, []string{"other than B2's API answered", again}},
		"cut":     {broken, []string{"connection", again}},
		"trouble": {failing(503, "service_unavailable", "later"), []string{"trouble of its own", again}},
		"more capabilities": {with(`{"capabilities":["listBuckets","deleteFiles"]}`),
			[]string{"another key than was asked for", "capabilities", again}},
		"another prefix": {with(`{"namePrefix":"x/"}`), []string{"another key than was asked for", "name_prefix", again}},
		"no prefix":      {with(`{"namePrefix":null}`), []string{"another key than was asked for", "name_prefix", again}},
		"every bucket":   {with(`{"bucketId":null}`), []string{"another key than was asked for", "buckets", again}},
		"no end":         {with(`{"expirationTimestamp":null}`), []string{"another key than was asked for", "valid_duration", again}},
		"a late end": {with(`{"expirationTimestamp":4102444800000}`),
			[]string{"another key than was asked for", "expiration_timestamp", again}},
		"a refusal with a key": {failing(400, "bad_request", "no: K004MintedCanaryMintedCanary/+1!"), []string{"no: (sensitive value)!"}},
	} {
		for _, listed := range []bool{true, false} {
			t.Run(fmt.Sprint(name, listed), func(t *testing.T) {
				b := newBench(t, "")
				if _, err := b.call("b2_create_bucket", `{"bucketName":"acme-photos","bucketType":"allPrivate"}`); err != nil {
					t.Fatal(err)
				}
				methods := map[string]altering{"b2_create_key": test.create}
				refused := test.says[len(test.says)-1] != again
				says := test.says
				if !listed {
					methods["b2_list_keys"] = failing(503, "service_unavailable", "later")
				}
				if !listed && !refused {
					says = append(says[:len(says)-1:len(says)-1], "b2form-mint-", left, " UTC,")
				}
				b.alter(methods)
				if code := b.run("mint", "-bucket=ACME-photos", "-prefix=a/", "--", "b2form-no-such-program"); code != 1 {
					t.Errorf("exit code %d", code)
				}
				b.wants(t, b.err, says...)
				text := b.err.String()
				if aKey.MatchString(text) || strings.Contains(text, "next run") || strings.Contains(text, "no-such-program") {
					t.Errorf("it says:\n%s", text)
				}
				d, err := b.Dump()
				if err != nil {
					t.Fatal(err)
				}
				if len(d.Keys) != 0 && !refused && listed {
					t.Errorf("left behind: %v", d.Keys)
				}
			})
		}
	}
}

// withoutPauses has the program wait for nothing.
func withoutPauses(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// noKeys is a listing that lags behind.
func noKeys(string) (int, string) { return http.StatusOK, `{"keys":[],"nextApplicationKeyId":null}` }

// TestForeignKeyInReply has the reply to the creation of a key name one that somebody else uses, with or without its secret: mint
// and prove leave it alone, and delete what was made where B2 lists it.
func TestForeignKeyInReply(t *testing.T) {
	for name, args := range map[string][]string{"mint": {"mint", "-all-buckets", "--", "b2form-no-such-program"}, "prove": {"prove"}} {
		for _, listed := range []bool{true, false} {
			for _, withSecret := range []bool{true, false} {
				t.Run(fmt.Sprint(name, listed, withSecret), func(t *testing.T) {
					b := newBench(t, provenConfig)
					b.sleep = withoutPauses
					b.shown(t, 0, "apply", "-auto-approve")
					id, key := b.newKey(t, "theirs", "listFiles")
					foreign := fmt.Sprintf(`{"applicationKeyId":%q}`, id)
					if withSecret {
						foreign = fmt.Sprintf(`{"applicationKeyId":%q,"applicationKey":%q}`, id, key)
					}
					var reads atomic.Int32 // listings of two API versions go side by side
					b.alter(map[string]altering{"b2_create_key": with(foreign), "b2_list_keys": func(reply string) (int, string) {
						if n := reads.Add(1); !listed && (name == "mint" || n > 1) {
							return noKeys(reply)
						}
						return http.StatusOK, reply
					}})
					if code := b.run(args...); code == 0 {
						t.Errorf("it succeeded:\n%s", b.out)
					}
					says := []string{"B2 answered with another key", "was deleted again"}
					if !listed {
						says = []string{"not listed yet", id, "may work until"}
					}
					text := b.out.String() + b.err.String()
					for _, want := range says {
						if !strings.Contains(text, want) {
							t.Errorf("%q is missing in:\n%s", want, text)
						}
					}
					if strings.Contains(text, "no-such-program") {
						t.Errorf("the key was used:\n%s", text)
					}
					b.alter(nil)
					left := b.liveKeys(t)
					if left["theirs"] != id || listed && len(left) != 2 {
						t.Errorf("in the end there are the keys %v", left)
					}
				})
			}
		}
	}
}

// newUnlistedKeys is a bench on which B2 refuses the first authorizations with a new key, and lists it after so many listings.
func newUnlistedKeys(t *testing.T, refused, unlisted int32) *bench {
	t.Helper()
	b := newBench(t, "")
	b.sleep = withoutPauses
	if _, err := b.call("b2_create_bucket", `{"bucketName":"acme-photos","bucketType":"allPrivate"}`); err != nil {
		t.Fatal(err)
	}
	var authorized, listings atomic.Int32
	b.alter(map[string]altering{"b2_list_keys": func(reply string) (int, string) {
		if listings.Add(1) <= unlisted {
			return noKeys(reply)
		}
		return http.StatusOK, reply
	}, "b2_authorize_account": func(reply string) (int, string) {
		if n := authorized.Add(1); n > 1 && n <= 1+refused { // the first one is not of the new key
			return failing(401, "bad_auth_token", "")(reply)
		}
		return http.StatusOK, reply
	}})
	return b
}

// TestMintUnlisted has B2 list a new key late, or never.
func TestMintUnlisted(t *testing.T) {
	mint := []string{"mint", "-bucket=ACME-photos", "-prefix=a/", "--", "b2form-no-such-program"}
	const never = 1 << 30
	for name, b := range map[string]func(*testing.T) *bench{
		"accepted":       func(t *testing.T) *bench { return newUnlistedKeys(t, 0, never) },
		"accepted later": func(t *testing.T) *bench { return newUnlistedKeys(t, 6, never) },
		"listed later":   func(t *testing.T) *bench { return newUnlistedKeys(t, never, 12) },
	} {
		t.Run(name, func(t *testing.T) {
			b := b(t)
			b.run(mint...)
			b.wants(t, b.err, "Command cannot start") // it was tried
			if left := b.liveKeys(t); len(left) > 0 {
				t.Errorf("it leaves the keys %v", left)
			}
		})
	}
	wantLeft := func(t *testing.T, b *bench) {
		t.Helper()
		left := b.liveKeys(t)
		if len(left) != 1 {
			t.Errorf("there are the keys %v", left)
		}
		for name, id := range left {
			b.wants(t, b.err, "The new key is not listed yet", "the key "+name, id, "may work until", "expires by itself")
		}
		if text := b.err.String(); strings.Contains(text, "another key") || strings.Contains(text, "cannot start") {
			t.Errorf("it says:\n%s", text)
		}
	}
	t.Run("never", func(t *testing.T) {
		b := newUnlistedKeys(t, never, never)
		b.run(mint...)
		wantLeft(t, b)
	})
	t.Run("interrupted", func(t *testing.T) {
		b := newUnlistedKeys(t, never, never)
		waits := 0
		b.sleep = func(ctx context.Context, d time.Duration) error {
			waits++
			if waits > 1 {
				return withoutPauses(ctx, d)
			}
			b.signals <- os.Interrupt
			<-ctx.Done()
			return ctx.Err()
		}
		b.run(mint...)
		wantLeft(t, b)
		if waits > 5 {
			t.Errorf("after an interrupt it waits %d times", waits-1)
		}
	})
	t.Run("deletion without a reply", func(t *testing.T) {
		b := newBench(t, "")
		b.alter(map[string]altering{"b2_list_keys": noKeys, "b2_delete_key": failing(503, "service_unavailable", "later")})
		b.run("mint", "-all-buckets", "--", "b2form-no-such-program")
		b.wants(t, b.err, "Command cannot start", "The key was not deleted", "may still work")
	})
}

// TestMintDeleteFails looks what became of a key whose deletion met trouble.
func TestMintDeleteFails(t *testing.T) {
	b := newBench(t, "")
	trouble := failing(503, "service_unavailable", "later")
	b.alter(map[string]altering{"b2_delete_key": trouble})
	b.run("mint", "-all-buckets", "--", "b2form-no-such-program")
	if text := b.err.String(); strings.Contains(text, "not deleted") || !strings.Contains(text, "cannot start") {
		t.Errorf("of a key that is gone it says:\n%s", text)
	}
	b = newBench(t, "")
	b.alter(lostSightOfDeletedKeys())
	b.run("mint", "-all-buckets", "--", "b2form-no-such-program")
	b.wants(t, b.err, "The key was not deleted", "may still work", "expires by itself at 20", "b2form-mint-")
	if text := b.err.String(); strings.Contains(text, "next run") {
		t.Errorf("it says:\n%s", text)
	}
}

// TestApplyHostileKey is told of keys that cannot be used, and of one in a refusal.
func TestApplyHostileKey(t *testing.T) {
	for name, test := range map[string]struct {
		create altering
		says   string
	}{
		"an ID of lines":       {with(`{"applicationKeyId":"004\n::error::x"}`), "no application_key_id that can be used"},
		"other capabilities":   {with(`{"capabilities":["deleteFiles"]}`), "The new key was deleted again."},
		"a refusal with a key": {failing(400, "bad_request", "no: K004MintedCanaryMintedCanary/+1!"), "no: (sensitive value)!"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, bucketAndKey)
			b.alter(map[string]altering{"b2_create_key": test.create})
			if code := b.run("apply", "-auto-approve"); code != 1 {
				t.Errorf("exit code %d", code)
			}
			b.wants(t, b.err, test.says)
			if d, err := b.Dump(); name == "other capabilities" && (err != nil || len(d.Keys) != 0 ||
				strings.Contains(b.err.String(), "b2form plan")) {
				t.Errorf("there are the keys %v (%v), and it says:\n%s", d.Keys, err, b.err)
			}
			if text := b.out.String() + b.err.String(); aKey.MatchString(text) || strings.Contains(text, "\n::error") {
				t.Errorf("it says:\n%s", text)
			}
			if name == "an ID of lines" { // it was announced, so the next run finds it
				b.alter(nil)
				b.shown(t, 0, "apply", "-auto-approve")
				if d, err := b.Dump(); err != nil || len(d.Keys) != 1 {
					t.Errorf("in the end there are the keys %v (%v)", d.Keys, err)
				}
			}
		})
	}
}
