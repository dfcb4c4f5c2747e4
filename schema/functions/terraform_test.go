package functions_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/crypto/ssh"

	"b2form/schema/folder"
	"b2form/schema/functions"
	"b2form/schema/kind"
	"b2form/schema/parse"
)

// asTerraform is what testdata/terraform.txt says: by the name of a function,
// expressions and what they come to.
func asTerraform(t *testing.T) map[string][][2]string {
	text, err := os.ReadFile(filepath.Join("testdata", "terraform.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][][2]string{}
	for line := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(parts) == 3 {
			out[parts[0]] = append(out[parts[0]], [2]string{parts[1], parts[2]})
		} else if !strings.HasPrefix(line, "#") {
			t.Errorf("%q: three columns are needed", line)
		}
	}
	return out
}

func terraformFolder(t *testing.T) string {
	dir := folderOf(t, map[string]string{"note.txt": "hello", "bytes": "\xff", "value.tpl": "${x}", "name.tpl": "${name}-logs",
		"one.tpl": "x\n${name}", "syntax.tpl": "x\n${", "loop.tpl": `${templatefile("loop.tpl", {})}`})
	sub := filepath.Join(dir, "sub")
	if err := errors.Join(os.Mkdir(sub, 0o755), os.WriteFile(filepath.Join(sub, "a.txt"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// asLibrary are the functions that Terraform takes from the same libraries, and those
// that it does not have.
const asLibrary = `abs all_capabilities base64encode can ceil chomp chunklist coalesce coalescelist compact concat contains ` +
	`cors_for_browser_uploads
	cors_for_downloads csvdecode distinct element flatten floor format formatdate formatlist join jsonencode keep_all_versions
	keep_only_last_version keep_prior_versions keys lower max min parseint range regex regexall reverse setintersection setproduct
	setsubtract setunion signum slice sort split strrev substr title tobool tolist tomap tonumber toset tostring trim trimprefix
	trimspace trimsuffix try upper urlencode uuidv5 values yamldecode yamlencode zipmap`

// Every function that is not taken from a library as it is answers as Terraform's.
func TestAsTerraform(t *testing.T) {
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{
		"unknown": cty.UnknownVal(cty.Bool), "secret": cty.StringVal("x").Mark(kind.Sensitive)}}
	dir := terraformFolder(t)
	all := asTerraform(t)
	for _, d := range functions.Docs() {
		if _, compared := all[d.Name]; compared == slices.Contains(strings.Fields(asLibrary), d.Name) {
			t.Errorf("%s: compare it with Terraform's, or say that it comes from the same library", d.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[name] {
			e, diags := hclsyntax.ParseExpression([]byte(c[0]), "", hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(c[0], diags)
			}
			budget := parse.NewBudget(0) // of its own: another case may go over it
			ctx.Functions = functions.All(folder.Folder{Dir: dir, ModuleDir: dir}, budget)
			got, diags := budget.Evaluate(e, ctx)
			if why, refused := strings.CutPrefix(c[1], "error:"); refused {
				text := diags.Error()
				if !diags.HasErrors() || !strings.Contains(text, strings.TrimSpace(why)) || strings.HasSuffix(text, "..") {
					t.Errorf("%s = %#v, %v; want an error with %q", c[0], got, diags, why)
				}
				continue
			}
			want := evaluate(t, ctx, c[1])
			if converted, err := convert.Convert(want, got.Type()); err == nil && got.Type() != cty.String {
				want = converted // a list and a tuple are written alike
			}
			if diags.HasErrors() || !got.RawEquals(want) {
				t.Errorf("%s = %#v, %v; want %s", c[0], got, diags, c[1])
			}
		}
	}
}

// No argument makes a function panic: what users read then is how Go works.
func TestFunctionsDoNotPanic(t *testing.T) {
	pool := []cty.Value{
		cty.NullVal(cty.DynamicPseudoType), cty.StringVal(""), cty.StringVal("/(/"), cty.StringVal("a"), cty.Zero, cty.NumberIntVal(-1),
		cty.NumberFloatVal(0.5), cty.PositiveInfinity, cty.NegativeInfinity, cty.True, cty.EmptyTupleVal, cty.EmptyObjectVal,
		cty.TupleVal([]cty.Value{cty.NullVal(cty.String), cty.StringVal("a")}), cty.ListValEmpty(cty.String),
		cty.SetVal([]cty.Value{cty.UnknownVal(cty.String)}), cty.SetVal([]cty.Value{cty.StringVal("a")}), cty.DynamicVal,
		cty.TupleVal([]cty.Value{cty.PositiveInfinity, cty.NegativeInfinity}), cty.UnknownVal(cty.List(cty.String)),
		cty.MapVal(map[string]cty.Value{"a": cty.NullVal(cty.String)}), cty.StringVal("x").Mark(kind.Sensitive),
		cty.ListVal([]cty.Value{cty.ListVal([]cty.Value{cty.StringVal("a").Mark(kind.Sensitive)})}),
	}
	all := unbounded(terraformFolder(t))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, "core::") || name == "try" || name == "can" { // those take no values
			continue
		}
		f := all[name]
		most := len(f.Params())
		if f.VarParam() != nil {
			most = min(most+2, 3)
		}
		for n := len(f.Params()); n <= most; n++ {
			everyArguments(f, pool, make([]cty.Value, n), 0, func(args []cty.Value) {
				_, err := f.Call(args)
				var panicked function.PanicError
				if errors.As(err, &panicked) {
					t.Errorf("%s(%#v): %v", name, args, panicked.Value)
				}
			})
		}
	}
}

// everyArguments fills the arguments from i on in all ways, as HCL would convert them.
func everyArguments(f function.Function, pool, args []cty.Value, i int, do func([]cty.Value)) {
	if i == len(args) {
		do(args)
		return
	}
	p := f.VarParam()
	if i < len(f.Params()) {
		p = &f.Params()[i]
	}
	for _, v := range pool {
		if c, err := convert.Convert(v, p.Type); err == nil {
			args[i] = c
			everyArguments(f, pool, args, i+1, do)
		}
	}
}

// Every form in which RSA keys are kept is read.
func TestRSADecrypt(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	open, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	seal := func(text string) cty.Value {
		//lint:ignore SA1019 it is what the function decrypts
		sealed, err := rsa.EncryptPKCS1v15(rand.Reader, &key.PublicKey, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return cty.StringVal(base64.StdEncoding.EncodeToString(sealed))
	}
	decrypt := library(t.TempDir())["rsadecrypt"]
	pkcs1 := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	for _, block := range []*pem.Block{pkcs1, {Type: "PRIVATE KEY", Bytes: pkcs8}, open} {
		v, err := decrypt.Call([]cty.Value{seal("hello"), cty.StringVal(string(pem.EncodeToMemory(block)))})
		if err != nil || v.AsString() != "hello" {
			t.Errorf("%s: %#v, %v", block.Type, v, err)
		}
	}
	for text, c := range map[string]struct {
		sealed cty.Value
		key    *pem.Block
	}{
		"password":      {seal("hello"), locked},
		"not encrypted": {cty.StringVal("aGVsbG8="), pkcs1},
		"UTF-8":         {seal("\xff"), pkcs1},
	} {
		if v, err := decrypt.Call([]cty.Value{c.sealed, cty.StringVal(string(pem.EncodeToMemory(c.key)))}); err == nil ||
			!strings.Contains(err.Error(), text) {
			t.Errorf("%s: %#v, %v", text, v, err)
		}
	}
}
