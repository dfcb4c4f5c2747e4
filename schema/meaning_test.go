package schema_test

import (
	"testing"

	"github.com/hashicorp/hcl/v2"

	"b2form/schema"
	"b2form/schema/parse"
)

// meaning is the digest of files, given as names and texts.
func meaning(t *testing.T, namesAndTexts ...string) string {
	t.Helper()
	files := map[string]*hcl.File{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		name, text := namesAndTexts[i], []byte(namesAndTexts[i+1])
		f, diags := parse.Config(text, name, nil)
		if name[len(name)-1] == 'n' {
			f, diags = parse.JSON(text, name)
		}
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		files[name] = f
	}
	return schema.MeaningDigest(files)
}

const said = "bucket \"a\" {\n  name = \"x\"\n  info = { a = \"b\" }\n  cors_rules { name = \"1\" }\n  cors_rules { name = \"2\" }\n}\n"

func TestMeaningDigest(t *testing.T) {
	before := meaning(t, "main.b2.hcl", said+"output \"o\" { value = 1 }\n")
	for name, same := range map[string][]string{
		"another file":  {"other.b2.hcl", said + "output \"o\" { value = 1 }\n"},
		"two files":     {"a.b2.hcl", "output \"o\" { value = 1 }", "b.b2.hcl", said},
		"order, layout": {"a.b2.hcl", "output \"o\" {\n  # why\n  value   =   1\n}\r\n" + said},
		"arguments in another order": {"a.b2.hcl", "output \"o\" { value = 1 }\nbucket \"a\" {\n  info = { a = \"b\" }\n  name = \"x\" " +
			"// x\n" +
			"  cors_rules { name = \"1\" }\n  cors_rules { name = \"2\" }\n}\n"},
	} {
		if meaning(t, same...) != before {
			t.Errorf("%s: the digest differs", name)
		}
	}
	for name, other := range map[string][]string{
		"a value":  {"main.b2.hcl", said + "output \"o\" { value = 2 }\n"},
		"a label":  {"main.b2.hcl", said + "output \"p\" { value = 1 }\n"},
		"a folder": {"sub/main.b2.hcl", said + "output \"o\" { value = 1 }\n"},
		"less":     {"main.b2.hcl", said},
		"order of rules": {"main.b2.hcl", "bucket \"a\" {\n  name = \"x\"\n  info = { a = \"b\" }\n  cors_rules { name = \"2\" }\n" +
			"  cors_rules { name = \"1\" }\n}\noutput \"o\" { value = 1 }\n"},
		"operators": {"main.b2.hcl", said + "output \"o\" { value = -1 }\n"},
	} {
		if meaning(t, other...) == before {
			t.Errorf("%s: the digest does not differ", name)
		}
	}
}

func TestMeaningDigestOfJSON(t *testing.T) {
	before := meaning(t, "main.b2.hcl.json", `{"bucket":{"a":{"name":"x"}},"output":{"o":{"value":1}}}`)
	same := meaning(t, "m.b2.hcl.json", "{\n \"$schema\": \"b2form.schema.json\",\n"+
		" \"//\": \"why\", \"output\": {\"o\": {\"value\": 1, \"//\": [1]}},\n\"bucket\": "+
		"{\"a\":{\"name\":\"\\u0078\"}}}")
	if same != before {
		t.Error("layout, comments and order count")
	}
	for _, other := range []string{
		`{"bucket":{"a":{"name":"y"}},"output":{"o":{"value":1}}}`,
		`{"bucket":{"a":{"name":"x"}},"output":{"o":{"value":"1"}}}`,
		`{"bucket":{"a":{"name":"x","$schema":"x"}},"output":{"o":{"value":1}}}`,
		`{"bucket":{"a":{"name":"y"},"a":{"name":"x"}},"output":{"o":{"value":1}}}`,
	} {
		if meaning(t, "main.b2.hcl.json", other) == before {
			t.Errorf("%s has the same digest", other)
		}
	}
}
