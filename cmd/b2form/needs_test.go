package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"b2form/internal/view"
	"b2form/schema"
)

// A setting is what a configuration looks like before and after an attribute is set;
// without the latter the attribute matters when all is destroyed.
type setting struct{ before, after string }

// settings set each attribute of each kind that another capability than that of its
// kind guards, and one more of each kind.
func settings() map[string]setting {
	const plain = "bucket \"a\" {\n  name = \"acme-needs\"\n%s}\n"
	bucket := func(line string) setting { return setting{fmt.Sprintf(plain, ""), fmt.Sprintf(plain, line+"\n")} }
	beside := func(block string) setting { return setting{fmt.Sprintf(plain, ""), fmt.Sprintf(plain, "") + block} }
	locked := fmt.Sprintf(plain, "file_lock_enabled = true\n")
	return map[string]setting{
		"bucket.info": bucket(`info = { team = "web" }`),
		"bucket.default_server_side_encryption": beside( // every bucket has it by now: only a create sends it
			"bucket \"b\" {\n name = \"acme-needs-2\"\n default_server_side_encryption {}\n}\n"),
		"bucket.file_lock_enabled": bucket(`file_lock_enabled = true`),
		"bucket.default_retention": {locked, fmt.Sprintf(plain, "file_lock_enabled = true\ndefault_retention {\n mode = \"governance\"\n "+
			"duration = 1\n}\n")},
		"bucket.replication": bucket("replication {\n destination {\n keys {\n source = \"0050123456789ab0000000001\"\n " +
			"destination = \"@writer\"\n }\n }\n}"),
		"bucket.force_destroy": {fmt.Sprintf(plain, "force_destroy = true\n"), ""},
		"key.name":             beside("key \"k\" {\n name = \"k\"\n access = \"read_only\"\n}\n"),
		"file.content":         beside("file \"f\" {\n bucket = bucket.a\n name = \"f\"\n content = \"x\"\n}\n"),
		"file.force_destroy": {fmt.Sprintf(plain, "") + "file \"x\" {\n bucket = bucket.a\n name = \"x\"\n content = \"x\"\n " +
			"force_destroy = true\n}\n", ""},
		"notification_rules.rules": beside("notification_rules \"n\" {\n bucket = bucket.a\n rules {\n name = \"thumbs\"\n event_types = " +
			"[\"b2:ObjectCreated:*\"]\n target_configuration {\n url = \"https://www.example.com/\"\n }\n }\n}\n"),
	}
}

// TestWhatSettingNeeds sets attributes with a key that has the capabilities which
// the reference names and nothing more, and then with one that lacks one of them.
func TestWhatSettingNeeds(t *testing.T) {
	all := settings()
	for _, k := range view.NewLanguageDocument(schema.Kinds()).Kinds {
		for _, a := range k.Attributes {
			name := k.Name + "." + a.Name
			s, ok := all[name]
			if !ok && slices.ContainsFunc(a.WriteCapabilities, func(c string) bool { return c != k.WriteCapability }) {
				t.Errorf("nobody sets %s, which needs %q", name, a.WriteCapabilities)
			}
			if !ok {
				continue
			}
			delete(all, name)
			t.Run(name, func(t *testing.T) { tryNeeds(t, s, a.WriteCapabilities) })
		}
	}
	if len(all) > 0 {
		t.Errorf("there are no such attributes: %v", all)
	}
}

func tryNeeds(t *testing.T, s setting, needs []string) {
	t.Helper()
	for i := -1; i < len(needs); i++ {
		given := []string{"listBuckets", "listKeys", "listFiles", "deleteBuckets", "readBucketEncryption", "readBucketRetentions",
			"readBucketReplications", "readBucketNotifications"}
		for j, c := range needs {
			if j != i {
				given = append(given, c)
			}
		}
		b := newBench(t, "")
		writer, _ := b.newKey(t, "writer", "writeFiles")
		writeConfig(t, strings.ReplaceAll(s.before, "@writer", writer))
		if b.run("apply", "-auto-approve", "-allow=irreversible", "-show-secrets") != 0 {
			t.Fatal(b.err)
		}
		<-b.ticks
		if s.after == "" {
			if err := b.upload(nil, []string{"acme-needs", "x"}); err != nil {
				t.Fatal(err)
			}
		}
		b.env["B2_APPLICATION_KEY_ID"], b.env["B2_APPLICATION_KEY"] = b.newKey(t, "restricted", given...)
		args := []string{"destroy", "-auto-approve", "-allow=deletes-data"}
		if s.after != "" {
			writeConfig(t, strings.ReplaceAll(s.after, "@writer", writer))
			args = []string{"apply", "-auto-approve", "-allow=irreversible", "-show-secrets"}
		}
		b.err.buf.Reset()
		if code := b.run(args...); (code == 0) != (i < 0) {
			t.Errorf("with %q: exit code %d:\n%s%s", given, code, b.out, b.err)
		}
		if i >= 0 && !strings.Contains(b.err.String(), "The credentials lack "+needs[i]) {
			t.Errorf("without %s the plan is not refused:\n%s%s", needs[i], b.out, b.err)
		}
	}
}
