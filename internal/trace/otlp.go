package trace

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
)

// The members below are those of OpenTelemetry's protocol in JSON: IDs in hexadecimal, 64-bit
// numbers as strings (opentelemetry.io, "OTLP Specification", JSON Protobuf Encoding), one
// document per line ("OpenTelemetry Protocol File Exporter"). Names of attributes are those of
// its semantic conventions for HTTP and RPC.

type otlpDocument struct {
	ResourceSpans [1]otlpResourceSpans `json:"resourceSpans"`
}

type otlpResourceSpans struct {
	Resource   otlpResource      `json:"resource"`
	ScopeSpans [1]otlpScopeSpans `json:"scopeSpans"`
}

type otlpResource struct {
	Attributes []otlpAttribute `json:"attributes"`
}

type otlpScopeSpans struct {
	Scope otlpScope  `json:"scope"`
	Spans []otlpSpan `json:"spans"`
}

type otlpScope struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type otlpSpan struct {
	TraceID       string          `json:"traceId"`
	SpanID        string          `json:"spanId"`
	ParentSpanID  string          `json:"parentSpanId,omitempty"`
	Name          string          `json:"name"`
	Kind          int             `json:"kind"`
	StartUnixNano string          `json:"startTimeUnixNano"`
	EndUnixNano   string          `json:"endTimeUnixNano"`
	Attributes    []otlpAttribute `json:"attributes,omitempty"`
	Status        *otlpStatus     `json:"status,omitempty"`
}

type otlpStatus struct {
	Code int `json:"code"` // 2: error
}

type otlpAttribute struct {
	Key   string    `json:"key"`
	Value otlpValue `json:"value"`
}

type otlpValue struct {
	String string `json:"stringValue,omitempty"`
	Int    string `json:"intValue,omitempty"`
}

func textAttribute(key, value string) otlpAttribute {
	return otlpAttribute{key, otlpValue{String: value}}
}

func intAttribute(key string, value int) otlpAttribute {
	return otlpAttribute{key, otlpValue{Int: strconv.Itoa(value)}}
}

// WriteOTLP writes the ended spans as one line of OTLP JSON, below a span of the whole run that is
// called name. Spans beyond a bound are counted in the resource. The error is w's.
func (r *Recorder) WriteOTLP(w io.Writer, runName, programVersion, errorCode string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	traceID := make([]byte, 16)
	_, _ = rand.Read(traceID) // never fails: crypto/rand
	ids := spanEncoder{traceID: hex.EncodeToString(traceID)}
	root := Span{Name: runName, Start: r.startedAt, End: r.now(), ErrorCode: errorCode, id: rootID}
	spans := []otlpSpan{ids.encode(root)}
	for _, s := range r.ended {
		if s.parentID == 0 {
			s.parentID = rootID
		}
		spans = append(spans, ids.encode(s))
	}
	resource := otlpResource{[]otlpAttribute{textAttribute("service.name", "b2form"), textAttribute("service.version", programVersion)}}
	if r.droppedSpanCount > 0 {
		resource.Attributes = append(resource.Attributes, intAttribute("b2form.dropped_spans", r.droppedSpanCount))
	}
	doc := otlpDocument{[1]otlpResourceSpans{{resource, [1]otlpScopeSpans{{otlpScope{"b2form", programVersion}, spans}}}}}
	line, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// rootID is the ID of the span of the whole run, which no other has.
const rootID = ^uint64(0)

// spanEncoder makes IDs of spans, which need to differ within a trace only.
type spanEncoder struct{ traceID string }

func (ids spanEncoder) encode(s Span) otlpSpan {
	out := otlpSpan{TraceID: ids.traceID, SpanID: spanID(s.id), Name: s.Name, Kind: 1,
		StartUnixNano: strconv.FormatInt(s.Start.UnixNano(), 10), EndUnixNano: strconv.FormatInt(s.End.UnixNano(), 10)}
	if s.parentID != 0 {
		out.ParentSpanID = spanID(s.parentID)
	}
	if s.Kind == Request {
		out.Kind = 3 // client
		out.Attributes = append(out.Attributes, textAttribute("rpc.method", s.Name))
		if s.HTTPStatus != 0 {
			out.Attributes = append(out.Attributes, intAttribute("http.response.status_code", s.HTTPStatus))
		}
		if s.Attempt > 1 {
			out.Attributes = append(out.Attributes, intAttribute("http.request.resend_count", s.Attempt-1))
		}
	}
	if s.ErrorCode != "" {
		out.Attributes = append(out.Attributes, textAttribute("error.type", s.ErrorCode))
		out.Status = &otlpStatus{Code: 2}
	}
	return out
}

func spanID(n uint64) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, n))
}
