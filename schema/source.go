package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/words"
	"b2form/schema/folder"
	"b2form/schema/parse"
)

// Files are the files of a configuration's folder, as paths that begin with it.
type Files struct {
	Config      []string // *.b2.hcl and *.b2.hcl.json, by name
	Values      []string // value files that are always read, in the order in which they are
	OtherValues []string // further value files, *.b2vars.hcl and *.b2vars.hcl.json, by name
	Misnamed    []string // value files that are not read, and were meant to be by their names
	// Terraform is the files of another configuration in the folder, *.tf and *.tf.json.
	Terraform []string
}

// Names of value files that lack an ending, and those of Terraform's, which it
// reads by itself where it has a configuration.
var (
	nearlyValues   = regexp.MustCompile(`^(b2form|.+\.auto)\.b2vars(\.json)?$`)
	providerValues = regexp.MustCompile(`^(terraform|.+\.auto)\.tfvars(\.json)?$`)
)

// IsConfigFile reports whether a file of this name is configuration, or holds values of variables.
func IsConfigFile(path string) bool {
	return slices.ContainsFunc([]string{".b2.hcl", ".b2.hcl.json", ".b2vars.hcl", ".b2vars.hcl.json"},
		func(end string) bool { return strings.HasSuffix(path, end) })
}

// ConfigFiles lists the files of a configuration in a folder. Hidden files do not
// count. The error is that of reading the folder.
func ConfigFiles(dir string) (Files, error) {
	var f Files
	var own []string // value files without another name
	entries, err := os.ReadDir(dir)
	if err != nil {
		return f, err
	}
	terraform := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".tf") })
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		switch {
		case e.IsDir() || strings.HasPrefix(name, ".") || e.Type()&fs.ModeNamedPipe != 0: // reading a pipe waits for its writer
		case strings.HasSuffix(name, ".b2.hcl") || strings.HasSuffix(name, ".b2.hcl.json"):
			f.Config = append(f.Config, path)
		case name == "b2form.b2vars.hcl" || name == "b2form.b2vars.hcl.json":
			own = append(own, path)
		case strings.HasSuffix(name, ".auto.b2vars.hcl") || strings.HasSuffix(name, ".auto.b2vars.hcl.json"):
			f.Values = append(f.Values, path)
		case strings.HasSuffix(name, ".b2vars.hcl") || strings.HasSuffix(name, ".b2vars.hcl.json"):
			f.OtherValues = append(f.OtherValues, path)
		case strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tf.json"):
			f.Terraform = append(f.Terraform, path)
		case nearlyValues.MatchString(name) || providerValues.MatchString(name) && !terraform:
			f.Misnamed = append(f.Misnamed, path)
		}
	}
	f.Values = append(own, f.Values...)
	return f, nil
}

// readFiles parses the files; false: there is nothing that could be loaded. What
// cannot be parsed is not evaluated, since half a file only brings more errors.
func (l *module) readFiles() bool {
	files, err := ConfigFiles(l.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.fail("No configuration files", fmt.Sprintf("The folder %s does not exist. Name the configuration's folder with -chdir.",
			l.folderName()))
		return false
	case err != nil:
		l.fail("Unreadable folder", fmt.Sprintf("The configuration's folder cannot be read: %s. Change its permissions, or run as a "+
			"user who may read it.", words.Reason(err)))
		return false
	case len(files.Config) == 0 && l.Bare:
		l.declareAccount()
		return true
	case len(files.Config) == 0:
		l.fail("No configuration files", fmt.Sprintf("The folder %s holds no file named *.b2.hcl. %s", l.folderName(), l.noConfigAdvice()))
		return false
	}
	for _, path := range files.Config {
		if body := l.parse(l.Dir, path); body != nil {
			l.bodies = append(l.bodies, fileBody{path, body})
		}
	}
	files.Misnamed = slices.DeleteFunc(files.Misnamed, l.isGiven)
	if names := baseNames(files.Terraform); len(names) > 0 {
		l.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Terraform files that are not read",
			Detail: fmt.Sprintf("Not read: %s. b2form reads files whose names end in .b2.hcl or .b2.hcl.json. Rename them if they are "+
				"meant for it, or keep each configuration in a folder of its own.", strings.Join(names, ", "))})
	}
	if names := baseNames(files.Misnamed); len(names) > 0 {
		l.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Value files that are not read",
			Detail: fmt.Sprintf("Not read: %s. Values are read from b2form.b2vars.hcl "+
				"and from files whose names end in .auto.b2vars.hcl, with .json after that for JSON. Rename them, or pass them with "+
				"-var-file.", strings.Join(names, ", "))})
	}
	for _, path := range files.Values {
		src, why := readFound(l.folderOf(l.Dir), path)
		l.valueFiles = append(l.valueFiles, l.readValues(path, src, why))
	}
	return !l.failed
}

func baseNames(paths []string) []string {
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

type fileBody struct {
	path string
	body hcl.Body
}

// noConfigAdvice says what to do in a folder without configuration.
func (l *module) noConfigAdvice() string {
	for _, pattern := range []string{"*.tf", "*.hcl"} {
		if found, _ := filepath.Glob(filepath.Join(l.Dir, pattern)); len(found) > 0 {
			return fmt.Sprintf("It holds %s: b2form reads only files whose names end in .b2.hcl.", filepath.Base(found[0]))
		}
	}
	return "Write one, or name the configuration's folder with -chdir."
}

// folderOf is where the files of the module in dir are read.
func (l *module) folderOf(dir string) folder.Folder {
	return folder.Folder{Dir: l.shared.rootOptions.Dir, ModuleDir: dir, Within: l.shared.boundary}
}

// parse reads one configuration file of the module in dir. nil: it could not be
// read at all.
func (l *module) parse(dir, path string) hcl.Body {
	src, why := readFound(l.folderOf(dir), path)
	file, diags := l.parseText(path, src, why)
	l.add(diags...)
	if file == nil {
		return nil
	}
	if file.Bytes != nil {
		file.Bytes = WithoutSecrets(src, l.shared.rootOptions.Kinds, !diags.HasErrors())
	}
	l.config.Files[path] = file
	return file.Body
}

// parseValues reads one value file. It may hold secrets, so what is said of it
// repeats none of its text.
func (l *module) parseValues(path string, src []byte, why string) hcl.Body {
	file, diags := l.parseText(path, src, why)
	hideSensitive(diags, valueSyntax)
	l.add(diags...)
	if file == nil || diags.HasErrors() {
		return nil
	}
	return file.Body
}

const valueSyntax = "The syntax of the value file is wrong here. Details are left out, since it may hold secrets."

// parseText parses a file in HCL's native or JSON syntax. nil: it could not be
// read at all, for the reason given. Its body is nil where nothing could be made
// of it.
func (l *module) parseText(path string, src []byte, why string) (*hcl.File, hcl.Diagnostics) {
	if why != "" {
		l.fail("Unreadable file", path+" "+why)
		return nil, nil
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if isJSON(path) {
		file, diags = parse.JSON(src, path)
	} else {
		file, diags = parse.Config(src, path, l.shared.budget)
	}
	clampRanges(diags, len(src))
	if file == nil { // what is nested too deeply is not looked at again
		return &hcl.File{}, diags
	}
	if file.Body == nil {
		file = &hcl.File{Bytes: src}
	}
	return file, diags
}

// readFound reads a file of the module in from that nobody named; why says what
// is wrong with it, as the end of a sentence and what to do.
func readFound(from folder.Folder, path string) (src []byte, why string) {
	src, err := from.ReadConfigFile(filepath.Base(path))
	return textOf(src, err)
}

// readNamed reads a file that whoever runs b2form named, which may be a pipe; why
// is as readFound's.
func readNamed(path string) (src []byte, why string) {
	info, err := os.Stat(path)
	if err == nil && info.Mode()&(fs.ModeDir|fs.ModeSocket|fs.ModeIrregular) != 0 {
		return nil, "is no file. Give the path of a file, or move it away."
	}
	if err == nil {
		src, err = os.ReadFile(path)
	}
	return textOf(src, err)
}

// textOf is what was read, if it is text. Editors on Windows put a byte order mark
// before it, which says nothing.
func textOf(src []byte, err error) (text []byte, why string) {
	switch {
	case errors.Is(err, folder.ErrOutside):
		return nil, "is a symbolic link that leads out of the folder, as every absolute one does. Only files below it are read: copy " +
			"the file, or link to it within the folder."
	case errors.Is(err, folder.ErrIrregular):
		return nil, "is no regular file. Move it away, or give it another name."
	case errors.Is(err, fs.ErrNotExist):
		return nil, "does not exist. Paths are relative to the configuration's folder; a symbolic link may lead nowhere."
	case errors.Is(err, fs.ErrPermission):
		return nil, "cannot be read: permission denied. Change its permissions, or run as a user who may read it."
	case err != nil:
		return nil, fmt.Sprintf("cannot be read: %s. Move it away, or make it readable.", words.Reason(err))
	case !words.IsText(src):
		return nil, "is not text in UTF-8. Save it in that encoding; if it is no configuration at all, give it another name."
	}
	return bytes.TrimPrefix(src, []byte("\ufeff")), ""
}

// clampRanges keeps places within the file: the JSON parser points behind the end of
// one that breaks off.
func clampRanges(diags hcl.Diagnostics, size int) {
	for _, d := range diags {
		for _, r := range []*hcl.Range{d.Subject, d.Context} {
			if r != nil {
				r.Start.Byte, r.End.Byte = min(r.Start.Byte, size), min(r.End.Byte, size)
			}
		}
	}
}

func isJSON(path string) bool { return strings.HasSuffix(path, ".json") }

// oneLabel corrects the number of what the parser says of blocks with one label.
func oneLabel(detail string) string {
	before, after, found := strings.Cut(detail, " 1 labels (")
	if !found {
		return detail
	}
	return before + " 1 label (" + strings.Replace(after, ") are expected for ", ") is expected for ", 1)
}

// isGiven reports whether -var-file names a file.
func (l *module) isGiven(path string) bool {
	return slices.ContainsFunc(l.Vars, func(g VariableValue) bool {
		a, errA := filepath.Abs(g.File)
		b, errB := filepath.Abs(path)
		return g.File != "" && errA == nil && errB == nil && a == b
	})
}

// folderName is the configuration's folder for messages: where it is, since "." says
// little to who reads a log.
func (l *module) folderName() string {
	if abs, err := filepath.Abs(l.Dir); err == nil {
		return abs
	}
	return l.Dir
}
