package conform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// checkReplyFormat checks what holds for every reply of the native API: headers whose
// spelling depends on success, and JSON with sorted members and an indentation
// of two spaces, which a newline ends only if the request succeeded.
func checkReplyFormat(response *http.Response, body []byte) error {
	h := response.Header
	success := response.StatusCode < 300
	contentType, ending := "application/json;charset=utf-8", ""
	if success {
		contentType, ending = "application/json;charset=UTF-8", "\n"
	}
	if got := h.Get("Content-Type"); got != contentType {
		return fmt.Errorf("Content-Type is %q, want %q", got, contentType)
	}
	if got := h.Get("Cache-Control"); got != "max-age=0, no-cache, no-store" {
		return fmt.Errorf("Cache-Control is %q", got)
	}
	if _, err := http.ParseTime(h.Get("Date")); err != nil {
		return fmt.Errorf("Date: %w", err)
	}
	if response.Close != (response.StatusCode == 400) {
		return fmt.Errorf("connection closes: %v", response.Close)
	}
	canonical, err := canonicalJSON(body)
	if err != nil {
		return err
	}
	if want := canonical + ending; string(body) != want {
		return fmt.Errorf("the layout is not\n%s", want)
	}
	if success {
		return nil
	}
	return checkErrorBody(response.StatusCode, body)
}

// canonicalJSON gives a document the service's form.
func canonicalJSON(body []byte) (string, error) {
	var document any
	if err := decode(body, &document); err != nil {
		return "", err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(document)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func checkErrorBody(status int, body []byte) error {
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	_, hasMessage := members["message"].(string)
	if code, _ := members["code"].(string); code == "" || !hasMessage || members["status"] != float64(status) || len(members) != 3 {
		return errors.New("an error has a code, a message and the status")
	}
	return nil
}
