package laws_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"b2form/internal/account"
	"b2form/internal/adopt"
	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/plan"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// Whatever an account holds, what adopt writes for it is a good configuration whose plan
// is imports only, and after one apply there is nothing to do. What it writes of what an
// apply made says the same as what was applied.
func TestAdopt(t *testing.T) {
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.strangers()
		w.configure(drawConfig(t, w.kinds)...)
		a, _, err := w.apply(mode{})
		if a == nil {
			return // refused, as others are
		}
		w.must(err)
		applied := a.config
		before := w.dump()
		w.adoptAll(rapid.Bool().Draw(t, "families"))
		seen++
		a, err = w.plan(mode{})
		w.must(err)
		for _, c := range a.plan.Changes {
			if !c.Import || c.Action != plan.NoOp {
				w.Fatalf("%s: %s %v\n%s", c.Addr, c.Action, c.Fields, w.sources())
			}
		}
		if d := cmp.Diff(adoptable(applied), adoptable(a.config)); d != "" {
			w.Errorf("what was applied (-), what was written of it (+)\n%s\n%s", d, w.sources())
		}
		_, _, err = w.apply(mode{})
		w.must(err)
		w.settled(mode{})
		if d := cmp.Diff(before, w.dump()); d != "" {
			w.Errorf("adopting changed the account:\n%s", d)
		}
	})
	if seen == 0 {
		t.Error("nothing could be adopted")
	}
}

// adoptAll writes the account down in place of the configuration and of the state.
func (w *world) adoptAll(fold bool) {
	w.Helper()
	ctx, c := context.Background(), w.connect()
	a, err := c.Authorize(ctx)
	w.must(err)
	query := account.Query{}
	for _, k := range w.kinds {
		if k.ParentKind() == "" {
			query[k.Name] = account.KindQuery{ListMultiBucketKeys: k.YieldsSecret()}
		}
	}
	snapshot, err := account.ReadSnapshot(ctx, c, a, w.kinds, query, account.RecentEntries{})
	w.must(err)
	var buckets []string
	for _, o := range snapshot.AllRead(w.kinds[0]) {
		buckets = append(buckets, o.Identity)
	}
	_, err = account.ReadMoreChildren(ctx, c, w.kinds, account.Query{"notification_rules": {WantedIdentities: buckets}}, snapshot)
	w.must(err)
	request := adopt.Request{
		Kinds: w.kinds, Snapshot: snapshot, Config: &config.Config{}, FoldFamilies: fold, Layout: adopt.OneFile,
		Wanted:       func(*kind.Kind, string, string) bool { return true },
		NamedExactly: func(string) bool { return true }, Now: w.here(), ContentPaths: map[adopt.ObjectID]string{},
	}
	w.downloadAll(&request, c)
	r, err := adopt.ConfigForLiveObjects(request)
	w.must(err)
	if len(r.Undeclarable) > 0 {
		w.Errorf("not written: %v", r.Undeclarable)
	}
	var texts []string
	for _, f := range r.Files {
		texts = append(texts, f.Text)
		if d := cmp.Diff(string(hclwrite.Format([]byte(f.Text))), f.Text); d != "" {
			w.Errorf("what was written is not in the usual style (-usual +written):\n%s", d)
		}
	}
	w.configure(texts...)
	var values strings.Builder
	for _, h := range r.HiddenValues {
		fmt.Fprintf(&values, "%s = %s\n", h.VariableName, literal(cty.StringVal(h.Reveal())))
		if len(h.Reveal()) > 20 && strings.Contains(w.sources(), h.Reveal()) {
			w.Errorf("a secret is in what was written")
		}
	}
	w.must(os.WriteFile(w.path("b2form.b2vars.hcl"), []byte(values.String()), 0o600))
	w.must(os.RemoveAll(w.statePath()))
}

// downloadAll puts what all files hold beside the configuration.
func (w *world) downloadAll(r *adopt.Request, c *b2.Client) {
	w.Helper()
	ctx, k := context.Background(), w.kinds[slices.IndexFunc(w.kinds, func(k *kind.Kind) bool { return k.Content != nil })]
	for _, bucket := range r.Snapshot.AllRead(w.kinds[0]) {
		list, _, _, err := k.Parent.ListChildren(ctx, c, bucket.ID, kind.ChildListQuery{Limit: 1000})
		w.must(err)
		w.must(r.Snapshot.AddLookedForChildren(k, nil, list))
	}
	contents, left, err := adopt.ContentsToDownload(*r, k, r.Snapshot.AllRead(k))
	w.must(err)
	r.Undeclarable = left
	for _, content := range contents {
		r.ContentPaths[adopt.ObjectID{Kind: k.Name, ID: content.Object.ID}] = content.LocalPath
		var text []byte
		if content.Size > 0 {
			text, err = c.Download(ctx, content.FileVersionID, content.Size)
			w.must(err)
		}
		w.must(os.MkdirAll(filepath.Dir(w.path(content.LocalPath)), 0o755))
		w.must(os.WriteFile(w.path(content.LocalPath), text, 0o644))
	}
}

func (w *world) sources() string {
	var b strings.Builder
	for i := 0; ; i++ {
		text, err := os.ReadFile(w.path(fmt.Sprintf("f%02d.b2.hcl", i)))
		if err != nil {
			return b.String()
		}
		b.Write(text)
	}
}

// adoptable is what adopt can know of what a configuration declares, by kind and name:
// not how long a key lives, nor what b2form alone knows of.
func adoptable(c *config.Config) map[string][]string {
	out := map[string][]string{}
	for _, r := range c.Resources {
		if strings.HasPrefix(r.Identity(), "foreign") {
			continue
		}
		if _, rotates := r.Kind.RotationOf(r.Value); rotates {
			continue
		}
		if _, _, rotated := kind.ParseTimestampedName(r.Identity()); rotated {
			continue
		}
		text := ""
		for _, a := range r.Kind.SettableAttrs() {
			v := r.Value.GetAttr(a.Name)
			if a.WirePath == "" || a.Name == "valid_duration" || a.IsDeferredLink() || a.KeepLive {
				continue // links hold labels
			}
			text += fmt.Sprintf("%s = %#v\n", a.Name, v)
		}
		key := r.Kind.Name + " " + r.Identity()
		out[key] = append(out[key], text)
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}
