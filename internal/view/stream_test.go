package view_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/apply"
	"b2form/internal/secret"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A face is what both faces offer; see cmd/b2form.
type face interface {
	Note(string)
	Plan(*plan.Plan, view.PlanPurpose)
	Event(apply.Event)
	Still(apply.Event)
	Done(*apply.Result, view.PlanPurpose)
	ShowSecret(view.NewKey) error
	Deliveries([]view.NewKey)
	Outputs([]view.Output, bool)
}

// tell drives a face through a whole run.
func tell(f face) {
	f.Note("A remark.")
	bucket, key := kindNamed("bucket"), kindNamed("key")
	edge, reader := address(`bucket.logs["edge"]`), address("key.reader")
	f.Plan(plans()["create"], view.Planning)
	for _, e := range []apply.Event{
		{Addr: edge, Kind: bucket, Action: plan.Create, Stage: apply.Started},
		{Addr: edge, Kind: bucket, Action: plan.Create, Stage: apply.Done, RemoteID: "b2", Elapsed: 1200 * time.Millisecond},
		{Addr: reader, Kind: key, Action: plan.Create, Stage: apply.Delivered, RemoteID: "k1", Destination: "reader.env"},
		{Addr: address("bucket.old[0]"), Kind: bucket, Action: plan.Delete, Stage: apply.Started, RemoteID: "b1"},
		{Addr: address("bucket.old[0]"), Kind: bucket, Action: plan.Delete, Stage: apply.Emptying, RemoteID: "b1", FilesRemoved: 1000},
		{Addr: address("bucket.old[0]"), Kind: bucket, Action: plan.Delete, Stage: apply.Failed, RemoteID: "b1", Elapsed: 61 * time.Second},
		{Addr: address("bucket.new"), Kind: bucket, Action: plan.Update, Stage: apply.Started, RemoteID: "b3"},
		{Addr: address("bucket.new"), Kind: bucket, Action: plan.Update, Stage: apply.Done, RemoteID: "b3"},
	} {
		f.Event(e)
	}
	if err := f.ShowSecret(view.NewKey{Addr: reader, KeyID: "0040000000000000000000001",
		Key: secret.New("K0040000000000000000000000000000")}); err != nil {
		panic(err)
	}
	f.Still(apply.Event{Addr: edge, Kind: bucket, Action: plan.Create, Elapsed: 10 * time.Second})
	f.Done(&apply.Result{Counts: plan.Counts{Import: 1, Add: 2, Change: 1, Destroy: 3, Forget: 1}}, view.Planning)
	f.Done(&apply.Result{Counts: plan.Counts{Destroy: 3}}, view.Destroying)
	f.Done(&apply.Result{Counts: plan.Counts{Add: 1}, Skipped: []addr.Addr{edge, reader}}, view.Planning)
	f.Deliveries([]view.NewKey{{Addr: edge, KeyID: "0040000000000000000000002", DeliveredTo: []string{"edge.env", "standard output"}},
		{Addr: reader, KeyID: "0040000000000000000000001"}})
	f.Outputs(outputs(), false)
}

func outputs() []view.Output {
	unknown := cty.UnknownVal(cty.String)
	return []view.Output{
		{Name: "empty", Value: cty.EmptyObjectVal},
		{Name: "endpoint", Value: str("https://s3.us-west-004.backblazeb2.com")},
		{Name: "hidden", Sensitive: true, Value: str("hush")},
		{Name: "list", Value: strs("one that is long enough", "two that is long enough", "three that is long")},
		{Name: "null", Value: cty.NullVal(cty.String)},
		{Name: "partly", Value: cty.ObjectVal(attrs{"S3 access key": str("004…"), "S3 secret key": unknown, "n": cty.NumberFloatVal(1.5),
			"in": cty.ObjectVal(attrs{"a": cty.True})}), MissingText: func(cty.Value) string {
			return "(delivered to reader.env; not stored)"
		}},
		{Name: "tainted", Value: cty.TupleVal([]cty.Value{str("hush").Mark(kind.Sensitive), str("shown")})},
	}
}

func TestTextRun(t *testing.T) {
	var both bytes.Buffer
	tell(view.TextUI{Out: &both, Err: &both})
	golden(t, "run.txt", both.String())
}

func TestJSONRun(t *testing.T) {
	var out bytes.Buffer
	j := view.JSONUI{Out: &out, ProgramVersion: "1.2.3", Now: func() time.Time { return time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC) }}
	j.WriteVersion()
	j.Diagnostics(diagnostics()[:1], sources())
	tell(j)
	golden(t, "run.jsonl", out.String())
	if bytes.Contains(out.Bytes(), []byte("hush")) {
		t.Error("a sensitive output is in the stream")
	}
}

func TestOutputForms(t *testing.T) {
	var text string
	for _, o := range outputs() {
		raw, err := o.Raw()
		if err != nil {
			raw = "error: " + err.Error()
		}
		v, err := o.JSON()
		if err != nil {
			t.Fatal(err)
		}
		text += o.Name + "\n  hcl:  " + o.Text(true) + "\n  raw:  " + raw + "\n  type: " + string(v.Type) + "\n  json: " + string(v.Value) +
			"\n"
	}
	golden(t, "outputs.txt", text)
}
