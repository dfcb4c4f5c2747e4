package functions

import (
	"bytes"
	"compress/gzip"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/crypto/ssh"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

// encodingFunctions are Terraform's and OpenTofu's functions between texts and
// their encoded forms that no library has, or has with errors that repeat a text.
func encodingFunctions() map[string]function.Function {
	return map[string]function.Function{
		"base64gzip":       whollyKnownFunction(cty.String, gzipToBase64, param("text", cty.String)),
		"base64gunzip":     whollyKnownFunction(cty.String, gunzipBase64, param("text", cty.String)),
		"textencodebase64": whollyKnownFunction(cty.String, textToBase64, param("text", cty.String), param("encoding", cty.String)),
		"textdecodebase64": whollyKnownFunction(cty.String, textDecodeBase64, param("text", cty.String), param("encoding", cty.String)),
		"base64decode":     whollyKnownFunction(cty.String, decodeBase64, param("text", cty.String)),
		"rsadecrypt":       whollyKnownFunction(cty.String, decryptRSA, param("text", cty.String), param("key", cty.String)),
		"urldecode":        whollyKnownFunction(cty.String, decodeURL, param("text", cty.String)),
	}
}

func gzipToBase64(args []cty.Value) (cty.Value, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, args[0].AsString())
	if err == nil {
		err = w.Flush() // Terraform's text has the bytes of it
	}
	if err == nil {
		err = w.Close()
	}
	return cty.StringVal(base64.StdEncoding.EncodeToString(b.Bytes())), err
}

// mostUnzipped is how many bytes a text may have that was compressed: more is a
// mistake, or an attack.
const mostUnzipped = 64 << 20

func gunzipBase64(args []cty.Value) (cty.Value, error) {
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
	}
	return utf8Value(content, "what was compressed")
}

// utf8Value is content that must be UTF-8; what names it.
func utf8Value(content []byte, what string) (cty.Value, error) {
	if !utf8.Valid(content) {
		return cty.NilVal, function.NewArgErrorf(0, "%s is not text in UTF-8", what)
	}
	return cty.StringVal(string(content)), nil
}

func decodeBase64(args []cty.Value) (cty.Value, error) {
	content, err := fromBase64(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	return utf8Value(content, "what was encoded")
}

func decodeURL(args []cty.Value) (cty.Value, error) {
	s, err := url.QueryUnescape(args[0].AsString())
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "the text is not percent-encoded correctly")
	}
	return utf8Value([]byte(s), "what was encoded")
}

func decryptRSA(args []cty.Value) (cty.Value, error) {
	sealed, err := fromBase64(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	raw, err := ssh.ParseRawPrivateKey([]byte(args[1].AsString()))
	var locked *ssh.PassphraseMissingError
	switch key, ok := raw.(*rsa.PrivateKey); {
	case errors.As(err, &locked):
		return cty.NilVal, function.NewArgErrorf(1, "the key is protected by a password; give it without one")
	case err != nil || !ok:
		return cty.NilVal, function.NewArgErrorf(1, "an RSA private key in PEM form is needed")
	default:
		//lint:ignore SA1019 what the function decrypts was encrypted so, by EC2 for one
		content, err := rsa.DecryptPKCS1v15(nil, key, sealed)
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "the text was not encrypted for this key")
		}
		return utf8Value(content, "what was encrypted")
	}
}

func fromBase64(v cty.Value) ([]byte, error) {
	out, err := base64.StdEncoding.DecodeString(v.AsString())
	if err != nil {
		return nil, function.NewArgErrorf(0, "the text is not in base64")
	}
	return out, nil
}

// encodingNamed finds an encoding by its IANA name.
func encodingNamed(v cty.Value) (encoding.Encoding, error) {
	e, err := ianaindex.IANA.Encoding(v.AsString())
	if err != nil || e == nil {
		return nil, function.NewArgErrorf(1, "there is no encoding %q; names are those of IANA, such as UTF-16LE", v.AsString())
	}
	return e, nil
}

func textToBase64(args []cty.Value) (cty.Value, error) {
	e, err := encodingNamed(args[1])
	if err != nil {
		return cty.NilVal, err
	}
	out, err := e.NewEncoder().Bytes([]byte(args[0].AsString()))
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "the text holds characters that %s does not have", args[1].AsString())
	}
	return cty.StringVal(base64.StdEncoding.EncodeToString(out)), nil
}

func textDecodeBase64(args []cty.Value) (cty.Value, error) {
	e, err := encodingNamed(args[1])
	if err != nil {
		return cty.NilVal, err
	}
	in, err := fromBase64(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	out, err := e.NewDecoder().Bytes(in)
	if err != nil || strings.ContainsRune(string(out), utf8.RuneError) {
		return cty.NilVal, function.NewArgErrorf(0, "the text holds bytes that are no characters in %s", args[1].AsString())
	}
	return cty.StringVal(string(out)), nil
}
