package functions

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/netip"
	"unicode/utf8"

	"github.com/hashicorp/go-cty-funcs/crypto"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

// encodingFunctions are Terraform's and OpenTofu's functions between texts and
// their encoded forms that no library has, and those on addresses and keys.
func encodingFunctions() map[string]function.Function {
	return map[string]function.Function{
		"base64gzip":       pure(cty.String, zip, param("text", cty.String)),
		"base64gunzip":     pure(cty.String, unzip, param("text", cty.String)),
		"textencodebase64": pure(cty.String, encodeText, param("text", cty.String), param("encoding", cty.String)),
		"textdecodebase64": pure(cty.String, decodeText, param("text", cty.String), param("encoding", cty.String)),
		"cidrcontains":     pure(cty.Bool, cidrContains, param("network", cty.String), param("part", cty.String)),
		"rsadecrypt":       crypto.RsaDecryptFunc,
	}
}

func zip(args []cty.Value) (cty.Value, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, args[0].AsString())
	if err == nil {
		err = w.Close()
	}
	return cty.StringVal(base64.StdEncoding.EncodeToString(b.Bytes())), err
}

// mostUnzipped is how many bytes a text may have that was compressed: more is a
// mistake, or an attack.
const mostUnzipped = 64 << 20

func unzip(args []cty.Value) (cty.Value, error) {
	packed, err := fromBase64(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "the text is not in gzip's form")
	}
	content, err := io.ReadAll(io.LimitReader(r, mostUnzipped+1))
	switch {
	case err != nil:
		return cty.NilVal, function.NewArgErrorf(0, "the compressed text is damaged")
	case len(content) > mostUnzipped:
		return cty.NilVal, function.NewArgErrorf(0, "the text has more than %d bytes", mostUnzipped)
	case !utf8.Valid(content):
		return cty.NilVal, function.NewArgErrorf(0, "what was compressed is not text in UTF-8")
	}
	return cty.StringVal(string(content)), nil
}

func fromBase64(v cty.Value) ([]byte, error) {
	out, err := base64.StdEncoding.DecodeString(v.AsString())
	if err != nil {
		return nil, function.NewArgErrorf(0, "the text is not in base64")
	}
	return out, nil
}

// charset finds an encoding by its IANA name.
func charset(v cty.Value) (encoding.Encoding, error) {
	e, err := ianaindex.IANA.Encoding(v.AsString())
	if err != nil || e == nil {
		return nil, function.NewArgErrorf(1, "there is no encoding %q; names are those of IANA, such as UTF-16LE", v.AsString())
	}
	return e, nil
}

func encodeText(args []cty.Value) (cty.Value, error) {
	e, err := charset(args[1])
	if err != nil {
		return cty.NilVal, err
	}
	out, err := e.NewEncoder().Bytes([]byte(args[0].AsString()))
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "the text holds characters that %s does not have", args[1].AsString())
	}
	return cty.StringVal(base64.StdEncoding.EncodeToString(out)), nil
}

func decodeText(args []cty.Value) (cty.Value, error) {
	e, err := charset(args[1])
	if err != nil {
		return cty.NilVal, err
	}
	in, err := fromBase64(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	out, err := e.NewDecoder().Bytes(in)
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "the bytes are not valid in %s", args[1].AsString())
	}
	return cty.StringVal(string(out)), nil
}

// cidrContains reports whether an address or a whole network lies in a network.
func cidrContains(args []cty.Value) (cty.Value, error) {
	outer, err := netip.ParsePrefix(args[0].AsString())
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "a network like 10.0.0.0/8 is needed")
	}
	if inner, err := netip.ParsePrefix(args[1].AsString()); err == nil {
		return cty.BoolVal(outer.Overlaps(inner) && outer.Bits() <= inner.Bits()), nil
	}
	addr, err := netip.ParseAddr(args[1].AsString())
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(1, "an address like 10.1.2.3 or a network like 10.1.0.0/16 is needed")
	}
	return cty.BoolVal(outer.Contains(addr)), nil
}
