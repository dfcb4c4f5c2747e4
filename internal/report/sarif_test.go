package report_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"b2form/internal/report"
)

// sarifSchema is the schema that OASIS published with SARIF 2.1.0, errata 01. A library carries it in its source, and keeps
// it for itself.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		return nil, err
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pkg/report/v210/sarif/schema.go"))
	if err != nil {
		return nil, err
	}
	_, text, begun := strings.Cut(string(source), "const schema = `")
	text, _, ended := strings.Cut(text, "`\n")
	if !begun || !ended {
		return nil, errors.New("the library has no schema")
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sarif.json", document); err != nil {
		return nil, err
	}
	return c.Compile("sarif.json")
})

// checkSARIF holds a document to the published schema, and has another program read it.
func checkSARIF(t *testing.T, document []byte) {
	t.Helper()
	schema, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err == nil {
		err = schema.Validate(value)
	}
	if err == nil {
		_, err = sarif.FromBytes(document)
	}
	if err != nil {
		t.Errorf("%v in %s", err, document)
	}
}

func TestSARIF(t *testing.T) {
	for name, r := range runs() {
		got := report.SARIF(r)
		checkSARIF(t, got)
		golden(t, name+".sarif", string(got))
	}
}
