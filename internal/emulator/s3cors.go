package emulator

import "fmt"

// corsMethods are the operations of CORS rules that the S3 face shows, by the
// verbs that S3 calls them.
var corsMethods = []struct{ verb, operation string }{
	{"DELETE", "s3_delete"}, {"GET", "s3_get"}, {"HEAD", "s3_head"}, {"POST", "s3_post"}, {"PUT", "s3_put"},
}

func s3GetCORS(c *s3Call) error {
	w := &c.replyBody
	w.beginDocument("CORSConfiguration")
	shown := 0
	for _, r := range c.bucket.CORS {
		methods := r.s3Methods()
		if len(methods) == 0 {
			continue
		}
		shown++
		w.begin("CORSRule")
		w.texts("AllowedOrigin", r.Origins)
		w.texts("AllowedMethod", methods)
		w.texts("AllowedHeader", r.Headers)
		w.texts("ExposeHeader", r.Expose)
		w.number("MaxAgeSeconds", r.MaxAge)
		w.end("CORSRule")
	}
	w.end("CORSConfiguration")
	if shown == 0 {
		return newS3Error(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist",
			textElement{"BucketName", c.requestBucketName})
	}
	return nil
}

// corsOperationIfAny is what a CORS rule calls an S3 request of that verb, or "".
func corsOperationIfAny(verb string) string {
	for _, m := range corsMethods {
		if m.verb == verb {
			return m.operation
		}
	}
	return ""
}

func (r corsRule) s3Methods() (verbs []string) {
	for _, op := range r.Operations {
		for _, m := range corsMethods {
			if m.operation == op {
				verbs = append(verbs, m.verb)
			}
		}
	}
	return verbs
}

// s3PutCORS replaces all rules. Natively they have names, which are made up
// here: S3's IDs are not kept.
func s3PutCORS(c *s3Call) error {
	var in struct {
		Rules []struct {
			AllowedOrigin, AllowedMethod, AllowedHeader, ExposeHeader []string
			MaxAgeSeconds                                             int64
		} `xml:"CORSRule"`
	}
	if err := c.parseDocument("CORSConfiguration", &in); err != nil {
		return err
	}
	if len(in.Rules) == 0 || len(in.Rules) > maxCORSRules {
		return s3Malformed()
	}
	c.bucket.CORS = nil
	for i, rule := range in.Rules {
		r := corsRule{
			Name: fmt.Sprintf("s3-rule-%d", i+1), Origins: rule.AllowedOrigin, Headers: rule.AllowedHeader,
			Expose: rule.ExposeHeader, MaxAge: rule.MaxAgeSeconds,
		}
		if len(rule.AllowedMethod) == 0 || len(rule.AllowedOrigin) == 0 {
			return s3Malformed()
		}
		for _, verb := range rule.AllowedMethod {
			op := corsOperationIfAny(verb)
			if op == "" {
				return newS3Error(400, "InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is "+verb)
			}
			r.Operations = append(r.Operations, op)
		}
		if err := r.check(); err != nil {
			return err
		}
		c.bucket.CORS = append(c.bucket.CORS, r)
	}
	return c.saveNextRevision()
}

func s3DeleteCORS(c *s3Call) error {
	c.status = 204
	c.bucket.CORS = nil
	return c.saveNextRevision()
}
