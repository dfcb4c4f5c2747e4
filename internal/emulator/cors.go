package emulator

import (
	"slices"
	"strings"
)

// A corsRule lets web pages of other origins in; see "Cross-Origin Resource
// Sharing Rules".
type corsRule struct {
	Name       string   `json:"name"`
	Origins    []string `json:"origins"`
	Operations []string `json:"operations"`
	Headers    []string `json:"headers"` // nil: null
	Expose     []string `json:"expose"`  // nil: null
	MaxAge     int64    `json:"maxAge"`
}

const (
	maxCORSRules  = 100
	maxCORSBytes  = 1000 // exclusive, of all strings of a rule
	maxCORSMaxAge = 86_400
)

// checkRuleName checks what CORS and event notification rules may be called.
func checkRuleName(member, name string) error {
	if !isName(name, 6, 63, "-") || strings.HasPrefix(strings.ToLower(name), "b2-") {
		return badRequest("%s must be 6 to 63 letters, digits and hyphens and not start with 'b2-': '%s'", member, name)
	}
	return nil
}

var corsOperations = []string{
	"b2_download_file_by_id", "b2_download_file_by_name", "b2_upload_file", "b2_upload_part",
	"s3_delete", "s3_get", "s3_head", "s3_post", "s3_put",
}

func (c *call) readCORS(b *bucket) error {
	all, ok := c.in.objects("corsRules")
	if !ok {
		if c.nullClearsMember("corsRules") {
			b.CORS = nil
		}
		return nil
	}
	if len(all) == 0 && !c.server.keeps(emptyClears) {
		return nil
	}
	if len(all) > maxCORSRules {
		return badRequest("a bucket may have no more than %d CORS rules", maxCORSRules)
	}
	b.CORS = nil
	names := map[string]bool{}
	for _, in := range all {
		r := readCORSRule(in)
		if err := r.check(); err != nil {
			return err
		}
		if names[r.Name] {
			return badRequest("two CORS rules are named '%s'", r.Name)
		}
		names[r.Name] = true
		if c.server.keeps(echoIsNormalised) {
			slices.Sort(r.Operations)
		}
		b.CORS = append(b.CORS, r)
	}
	return nil
}

func readCORSRule(in *params) corsRule {
	r := corsRule{Name: in.requiredText("corsRuleName")}
	in.require("allowedOrigins")
	in.require("allowedOperations")
	in.require("maxAgeSeconds")
	r.Origins, _ = in.texts("allowedOrigins")
	r.Operations, _ = in.texts("allowedOperations")
	r.Headers, _ = in.texts("allowedHeaders")
	r.Expose, _ = in.texts("exposeHeaders")
	r.MaxAge, _ = in.integer("maxAgeSeconds")
	return r
}

func (r corsRule) check() error {
	if err := checkRuleName("corsRuleName", r.Name); err != nil {
		return err
	}
	if len(r.Origins) == 0 {
		return badRequest("allowedOrigins must not be empty")
	}
	if slices.Contains(r.Origins, "") {
		return badRequest("illegal empty string in allowedOrigins")
	}
	if len(r.Operations) == 0 {
		return badRequest("allowedOperations must not be empty")
	}
	for _, op := range r.Operations {
		if !slices.Contains(corsOperations, op) {
			return badRequest("unknown operation in allowedOperations: '%s'", op)
		}
	}
	if r.MaxAge < 0 || r.MaxAge > maxCORSMaxAge {
		return badRequest("maxAgeSeconds must be from 0 to %d: %d", maxCORSMaxAge, r.MaxAge)
	}
	size := len(r.Name)
	for _, list := range [][]string{r.Origins, r.Operations, r.Headers, r.Expose} {
		for _, s := range list {
			size += len(s)
		}
	}
	if size >= maxCORSBytes {
		return badRequest("CORS rule '%s' must be shorter than %d bytes", r.Name, maxCORSBytes)
	}
	return nil
}

func (w *jsonPrinter) corsRules(c *call, rules []corsRule) {
	w.begin("corsRules", '[')
	for _, r := range inReplyOrder(c, rules) {
		w.begin("", '{')
		w.textsOrNull("allowedHeaders", r.Headers)
		w.texts("allowedOperations", r.Operations)
		w.texts("allowedOrigins", r.Origins)
		w.text("corsRuleName", r.Name)
		w.textsOrNull("exposeHeaders", r.Expose)
		w.number("maxAgeSeconds", r.MaxAge)
		w.end('}')
	}
	w.end(']')
}
