package main

import (
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMigrations carries configurations with states over, each to a plan without
// changes. "b2 terraform FILE" makes what a state of Terraform says, and writes the IDs into
// the state in place of names after "@".
func TestMigrations(t *testing.T) {
	scripts, err := filepath.Abs("testdata/migrate")
	if err != nil {
		t.Fatal(err)
	}
	inProcess := newHost(t, scripts)
	testscript.Run(t, testscript.Params{
		Dir: scripts, RequireExplicitExec: true, RequireUniqueNames: true, UpdateScripts: *update, Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"b2": behind, "b2form": inProcess.b2form, "exits": inProcess.exits, "fits": readProviderSchema(t).fits},
	})
}

// A seed is one object in a state of Terraform, by the names that the provider uses.
type seed struct {
	typ   string
	attrs map[string]any
}

func (s seed) text(name string) string { text, _ := s.attrs[name].(string); return text }

// blocks are nested blocks, which a state keeps in a list.
func (s seed) blocks(name string) (list []seed) {
	all, _ := s.attrs[name].([]any)
	for _, one := range all {
		list = append(list, seed{"", one.(map[string]any)})
	}
	return list
}

// terraform makes what a state says.
func (a *service) terraform(ts *testscript.TestScript, args []string) error {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var state struct {
		Resources []struct {
			Mode, Type string
			Instances  []struct{ Attributes map[string]any }
		}
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return err
	}
	for _, make := range []struct {
		typ  string
		make func(*testscript.TestScript, seed) error
	}{
		{"b2_bucket", a.seedBucket}, {"b2_application_key", a.seedKey}, {"b2_bucket_notification_rules", a.seedRules},
		{"b2_bucket_file_version", a.seedFile},
	} {
		for _, r := range state.Resources {
			for _, i := range r.Instances {
				if r.Mode == "managed" && r.Type == make.typ {
					if err := make.make(ts, seed{r.Type, i.Attributes}); err != nil {
						return fmt.Errorf("%s: %w", r.Type, err)
					}
				}
			}
		}
	}
	filled, err := a.withIDs(string(text))
	if err != nil {
		return err
	}
	a.ResetCalls()
	return os.WriteFile(path, []byte(filled), 0o600)
}

func (a *service) send(method string, body map[string]any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return a.call(method, string(text))
}

// camel is what B2 calls a member of the provider's.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i := range words[1:] {
		words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
	}
	return strings.Join(words, "")
}

// members are the attributes of a block as B2 takes them, without those that are 0.
func (s seed) members() map[string]any {
	out := map[string]any{}
	for name, v := range s.attrs {
		days := strings.HasPrefix(name, "days_") && v == 0.0
		if _, nested := v.([]any); v != nil && !days && (!nested || !strings.HasSuffix(name, "_configuration")) {
			out[camel(name)] = v
		}
	}
	return out
}

func members(list []seed) []any {
	out := []any{}
	for _, s := range list {
		out = append(out, s.members())
	}
	return out
}

func (a *service) seedBucket(_ *testscript.TestScript, s seed) error {
	body := map[string]any{"bucketName": s.text("bucket_name"), "bucketType": s.text("bucket_type"), "bucketInfo": s.attrs["bucket_info"],
		"lifecycleRules": members(s.blocks("lifecycle_rules")), "corsRules": members(s.blocks("cors_rules"))}
	for _, e := range s.blocks("default_server_side_encryption") {
		if e.text("mode") == "SSE-B2" {
			body["defaultServerSideEncryption"] = e.members()
		}
	}
	locks := s.blocks("file_lock_configuration")
	if len(locks) > 0 {
		body["fileLockEnabled"] = locks[0].attrs["is_file_lock_enabled"]
	}
	reply, err := a.send("b2_create_bucket", body)
	if err != nil || len(locks) == 0 || len(locks[0].blocks("default_retention")) == 0 {
		return err
	}
	var made struct{ BucketID string }
	if err := json.Unmarshal(reply, &made); err != nil {
		return err
	}
	retention := locks[0].blocks("default_retention")[0]
	_, err = a.send("b2_update_bucket", map[string]any{"bucketId": made.BucketID, "defaultRetention": map[string]any{
		"mode": retention.text("mode"), "period": retention.blocks("period")[0].members()}})
	return err
}

func (a *service) seedKey(_ *testscript.TestScript, s seed) error {
	body := map[string]any{"keyName": s.text("key_name"), "capabilities": s.attrs["capabilities"]}
	if ids, _ := s.attrs["bucket_ids"].([]any); len(ids) > 0 {
		body["bucketIds"] = ids
	}
	if p := s.text("name_prefix"); p != "" {
		body["namePrefix"] = p
	}
	if d, _ := s.attrs["valid_duration_in_seconds"].(float64); d > 0 {
		body["validDurationInSeconds"] = d
	}
	_, err := a.send("b2_create_key", body)
	return err
}

func (a *service) seedRules(_ *testscript.TestScript, s seed) error {
	var rules []any
	for _, rule := range s.blocks("notification_rules") {
		body := rule.members()
		body["maxEventsPerBatch"] = 1
		for _, to := range rule.blocks("target_configuration") {
			target := to.members()
			target["customHeaders"] = members(to.blocks("custom_headers"))
			body["targetConfiguration"] = target
		}
		delete(body, "isSuspended")
		delete(body, "suspensionReason")
		rules = append(rules, body)
	}
	_, err := a.send("b2_set_bucket_notification_rules", map[string]any{"bucketId": s.text("bucket_id"), "eventNotificationRules": rules})
	return err
}

func (a *service) seedFile(ts *testscript.TestScript, s seed) error {
	content, err := os.ReadFile(ts.MkAbs(s.text("source")))
	if err != nil {
		return err
	}
	reply, err := a.send("b2_get_upload_url", map[string]any{"bucketId": s.text("bucket_id")})
	var to struct{ UploadURL, AuthorizationToken string }
	if err = errors.Join(err, json.Unmarshal(reply, &to)); err != nil {
		return err
	}
	_, err = fetch(http.MethodPost, to.UploadURL, string(content), func(r *http.Request) {
		r.Header.Set("Authorization", to.AuthorizationToken)
		r.Header.Set("X-Bz-File-Name", s.text("file_name"))
		r.Header.Set("Content-Type", s.text("content_type"))
		r.Header.Set("X-Bz-Content-Sha1", fmt.Sprintf("%x", sha1.Sum(content)))
		info, _ := s.attrs["file_info"].(map[string]any)
		for name, v := range info {
			r.Header.Set("X-Bz-Info-"+name, v.(string))
		}
	})
	return err
}
