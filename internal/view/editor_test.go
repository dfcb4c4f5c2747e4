package view_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"b2form/internal/view"
	"b2form/schema"
)

// The schema for editors takes what the loader takes, and points out misspelt
// names and wrong types.
func TestEditorSchema(t *testing.T) {
	text, err := json.Marshal(view.EditorSchema(schema.Kinds()))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("b2form.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("b2form.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, config string
		valid        bool
	}{
		{"whole", `{"$schema": "./b2form.schema.json",
			"variable": {"site": {"default": "acme"}}, "bucket": {"photos": {"//": "private", "name": "${var.site}-photos",
			"lifecycle_rules": "${keep_only_last_version()}",
			"cors_rules": [{"name": "viewer", "allowed_origins": ["*"], "allowed_operations": ["s3_get"], "max_age_seconds": 60}],
			"prevent_destroy": true}},
			"key": {"app": {"name": "app", "access": "read_write", "buckets": ["${bucket.photos}"], "valid_duration": "90d",
			"deliver": {"file": {"path": "app.env"}}}}, "output": {"name": {"value": "${bucket.photos.name}"}}}`, true},
		{"misspelt attribute", `{"bucket": {"photos": {"name": "acme-photos", "tpye": "allPrivate"}}}`, false},
		{"misspelt block", `{"buckets": {"photos": {"name": "acme-photos"}}}`, false},
		{"wrong type", `{"bucket": {"photos": {"name": "acme-photos", "force_destroy": 1}}}`, false},
		{"name missing", `{"bucket": {"photos": {"type": "allPrivate"}}}`, false},
		{"computed", `{"bucket": {"photos": {"name": "acme-photos", "revision": 2}}}`, false},
	} {
		config, err := jsonschema.UnmarshalJSON(strings.NewReader(test.config))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if err := compiled.Validate(config); (err == nil) != test.valid {
			t.Errorf("%s: valid: %v; %v", test.name, err == nil, err)
		}
	}
}
