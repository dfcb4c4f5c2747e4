package emulator_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// File info goes out in headers that are spelled as its keys are: programs that
// read them off the wire compare the case.
func TestInfoHeadersKeepCase(t *testing.T) {
	w := open(t, emulator.Options{})
	id := w.call(200, "b2_create_bucket", `{"bucketName":"my-bucket","bucketType":"allPrivate"}`)["bucketId"].(string)
	f := w.upload(id, "f", "content")
	w.call(200, "b2_copy_file",
		`{"sourceFileId":%q,"fileName":"g","metadataDirective":"REPLACE","contentType":"a/b","fileInfo":{"Src_Case":"A b","lower":"c"}}`,
		f["fileId"])
	c, err := net.Dial("tcp", w.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	r := w.request("GET", "/file/my-bucket/g", "")
	r.Close = true
	if err := r.Write(c); err != nil {
		t.Fatal(err)
	}
	reply, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := bytes.Cut(reply, []byte("\r\n\r\n"))
	for _, line := range []string{"x-bz-info-Src_Case: A%20b", "x-bz-info-lower: c"} {
		if !strings.Contains(string(header)+"\r\n", "\r\n"+line+"\r\n") {
			t.Errorf("there is no %q in\n%s", line, header)
		}
	}
}
