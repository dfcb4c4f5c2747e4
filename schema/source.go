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
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"

	"b2form/internal/words"
	"b2form/schema/folder"
	"b2form/schema/parse"
)

// ConfigDirFiles are the files of a configuration's folder, as paths that begin with it.
type ConfigDirFiles struct {
	ConfigFiles        []string // *.b2.hcl and *.b2.hcl.json, by name
	AutoValueFiles     []string // value files that are always read, in the order in which they are
	OtherValueFiles    []string // further value files, *.b2vars.hcl and *.b2vars.hcl.json, by name
	MisnamedValueFiles []string // value files that are not read, and were meant to be by their names
	// TerraformFiles is the files of another configuration in the folder, *.tf and *.tf.json.
	TerraformFiles []string
}

// Names of value files that lack an ending, and those of Terraform's, which it
// reads by itself where it has a configuration.
var (
	misnamedValueFile = regexp.MustCompile(`^(b2form|.+\.auto)\.b2vars(\.json)?$`)
	autoTfvarsFile    = regexp.MustCompile(`^(terraform|.+\.auto)\.tfvars(\.json)?$`)
)

// IsConfigOrValueFile reports whether a file of this name is configuration, or holds values of variables.
func IsConfigOrValueFile(path string) bool {
	return slices.ContainsFunc([]string{".b2.hcl", ".b2.hcl.json", ".b2vars.hcl", ".b2vars.hcl.json"},
		func(end string) bool { return strings.HasSuffix(path, end) })
}

// ListConfigDirFiles lists the files of a configuration in a folder. Hidden files do not
// count. The error is that of reading the folder.
func ListConfigDirFiles(dir string) (ConfigDirFiles, error) {
	var f ConfigDirFiles
	var own []string                                            // value files without another name
	if info, err := os.Stat(dir); err == nil && !info.IsDir() { // opening a pipe waits for its writer
		return f, errors.New("it is no folder")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return f, err
	}
	terraform := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".tf") })
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		switch {
		case e.IsDir() || strings.HasPrefix(name, "."):
		case strings.HasSuffix(name, ".b2.hcl") || strings.HasSuffix(name, ".b2.hcl.json"):
			f.ConfigFiles = append(f.ConfigFiles, path)
		case name == "b2form.b2vars.hcl" || name == "b2form.b2vars.hcl.json":
			own = append(own, path)
		case strings.HasSuffix(name, ".auto.b2vars.hcl") || strings.HasSuffix(name, ".auto.b2vars.hcl.json"):
			f.AutoValueFiles = append(f.AutoValueFiles, path)
		case strings.HasSuffix(name, ".b2vars.hcl") || strings.HasSuffix(name, ".b2vars.hcl.json"):
			f.OtherValueFiles = append(f.OtherValueFiles, path)
		case strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tf.json"):
			f.TerraformFiles = append(f.TerraformFiles, path)
		case misnamedValueFile.MatchString(name) || autoTfvarsFile.MatchString(name) && !terraform:
			f.MisnamedValueFiles = append(f.MisnamedValueFiles, path)
		}
	}
	f.AutoValueFiles = append(own, f.AutoValueFiles...)
	return f, nil
}

// readConfigFiles parses the files; false: there is nothing that could be loaded. What
// cannot be parsed is not evaluated, since half a file only brings more errors.
func (l *module) readConfigFiles() (loadable bool) {
	files, err := ListConfigDirFiles(l.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.errorWithoutPlace("No configuration files", fmt.Sprintf("The folder %s does not exist. Name the configuration's folder with "+
			"-chdir.",
			l.folderForMessages()))
		return false
	case err != nil:
		l.errorWithoutPlace("Unreadable folder", fmt.Sprintf("The configuration's folder cannot be read: %s. Change its permissions, or "+
			"run as a user who may read it.", words.ErrorWithoutPath(err)))
		return false
	case len(files.ConfigFiles) == 0 && l.AccountDataIfNoConfig:
		l.addDefaultDataBlocks()
		return true
	case len(files.ConfigFiles) == 0:
		l.errorWithoutPlace("No configuration files",
			fmt.Sprintf("The folder %s holds no file named *.b2.hcl. %s", l.folderForMessages(), l.noConfigAdvice()))
		return false
	}
	for _, path := range files.ConfigFiles {
		if body := l.parseConfigFile(l.Dir, path); body != nil {
			l.configBodies = append(l.configBodies, fileBody{path, body})
		}
	}
	files.MisnamedValueFiles = slices.DeleteFunc(files.MisnamedValueFiles, l.isGivenByVarFile)
	if names := l.terraformFilesToWarnAbout(&files); len(names) > 0 {
		l.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Terraform files that are not read",
			Detail: fmt.Sprintf("Not read: %s. b2form reads files whose names end in .b2.hcl or .b2.hcl.json. Rename them if they are "+
				"meant for it, or keep each configuration in a folder of its own.", strings.Join(names, ", "))})
	}
	if names := baseNames(files.MisnamedValueFiles); len(names) > 0 {
		l.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Value files that are not read",
			Detail: fmt.Sprintf("Not read: %s. Values are read from b2form.b2vars.hcl "+
				"and from files whose names end in .auto.b2vars.hcl, with .json after that for JSON. Rename them, or pass them with "+
				"-var-file.", strings.Join(names, ", "))})
	}
	for _, path := range files.AutoValueFiles {
		src, why := ReadConfigFile(l.folderOf(l.Dir), filepath.Base(path))
		l.autoValueFiles = append(l.autoValueFiles, l.readValueFile(path, src, why))
	}
	return !l.hasErrors
}

// terraformFilesToWarnAbout are the names of Terraform's files that may have been meant for b2form. Where some have one of ours
// of their name beside them, as migrate writes them, whoever has both knows; of the others only those count that hold
// something of B2's.
func (l *module) terraformFilesToWarnAbout(f *ConfigDirFiles) []string {
	var alone []string
	for _, path := range f.TerraformFiles {
		name := filepath.Base(path)
		base, _, _ := strings.Cut(name, ".tf")
		if !slices.Contains(f.ConfigFiles, filepath.Join(filepath.Dir(path), base+".b2.hcl")) {
			alone = append(alone, name)
		}
	}
	if len(alone) == len(f.TerraformFiles) {
		return alone
	}
	providerType := regexp.MustCompile(`"b2_[a-z_]+"`)
	return slices.DeleteFunc(alone, func(name string) bool {
		src, err := l.folderOf(l.Dir).ReadConfigFile(name)
		return err != nil || !providerType.Match(src)
	})
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
	for _, pattern := range []string{"*.tf", "*.hcl", "*.b2.hcl.*"} {
		more := map[string]string{"*.tf": " \"b2form migrate\" carries a configuration over from Terraform."}[pattern]
		found, _ := filepath.Glob(filepath.Join(l.Dir, pattern))
		found = slices.DeleteFunc(found, func(path string) bool { return strings.HasSuffix(path, ".b2.hcl") }) // a folder
		if len(found) > 0 {
			return fmt.Sprintf("It holds %s: b2form reads only files whose names end in .b2.hcl.%s", filepath.Base(found[0]), more)
		}
	}
	return "Write one, or name the configuration's folder with -chdir."
}

// folderOf is where the files of the module in dir are read.
func (l *module) folderOf(dir string) folder.Folder {
	return folder.Folder{Dir: l.shared.rootOptions.Dir, ModuleDir: dir, WiderBoundary: l.shared.boundary}
}

// parseConfigFile reads one configuration file of the module in dir. nil: it could not be
// read at all.
func (l *module) parseConfigFile(dir, path string) hcl.Body {
	src, why := ReadConfigFile(l.folderOf(dir), filepath.Base(path))
	file, diags := l.parseSource(path, src, why, l.isKind)
	l.add(diags...)
	if file == nil {
		return nil
	}
	shown := QuotableFile(src, nil, newOutlineNav(path, src, l.isKind))
	if isJSONFile(path) || diags.HasErrors() {
		shown.Nav = file.Nav
	}
	if file.Bytes != nil {
		shown.Bytes = WithoutSecrets(src, l.shared.rootOptions.Kinds, !diags.HasErrors())
	}
	l.config.Files[path] = shown
	return file.Body
}

func (l *module) isKind(blockType string) bool { return l.kinds[blockType] != nil }

// sourceBody is the body of a file in [config.Config.Files], which nobody evaluates: what the file
// holds, secrets too, to be parsed again where the tree is needed.
type sourceBody struct {
	hcl.Body
	src []byte
}

// HidesText reports whether the text of the file that messages quote has stars in place of what is written from one byte to another.
func (b sourceBody) HidesText(quotable []byte, from, to int) bool {
	return !bytes.Equal(b.src[from:to], quotable[from:to])
}

// outlineNav names the block around a place of a file without a mistake. It parses the file when it is
// asked first: the outline of a large file takes up more than its text.
type outlineNav struct{ outline func() *hcl.File }

func newOutlineNav(path string, src []byte, outlined func(blockType string) bool) outlineNav {
	return outlineNav{sync.OnceValue(func() *hcl.File {
		file, _ := parse.Outline(src, path, outlined, nil)
		return file
	})}
}

// ContextString is the header of the block that holds a byte of the file; "" where there is none.
// [hcled.ContextString] looks for it.
func (n outlineNav) ContextString(offset int) string { return hcled.ContextString(n.outline(), offset) }

// parseValueFile reads one value file. It may hold secrets, so what is said of it
// repeats none of its text.
func (l *module) parseValueFile(path string, src []byte, whyUnreadable string) hcl.Body {
	file, diags := l.parseSource(path, src, whyUnreadable, nil)
	if file != nil && file.Bytes != nil { // what was not parsed at all is about bounds, and repeats nothing
		replaceDetails(diags, valueSyntax)
	}
	l.add(diags...)
	if file == nil || diags.HasErrors() {
		return nil
	}
	return file.Body
}

const valueSyntax = "The syntax of the value file is wrong here. Details are left out, since it may hold secrets."

// parseSource parses a file in HCL's native or JSON syntax. nil: it could not be
// read at all, for the reason given. Its body is nil where nothing could be made
// of it. Blocks of outlined types are outlined, as [parse.Outline] says.
func (l *module) parseSource(path string, src []byte, whyUnreadable string, outlined func(string) bool) (*hcl.File, hcl.Diagnostics) {
	if whyUnreadable != "" {
		l.errorWithoutPlace("Unreadable file", path+" "+whyUnreadable)
		return nil, nil
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if isJSONFile(path) {
		file, diags = parse.JSON(src, path)
	} else {
		file, diags = parse.Outline(src, path, outlined, l.shared.evalBudget)
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

// ReadConfigFile reads a file of the module in from that nobody named, by its path below that folder. why says
// what is wrong with it, as the end of a sentence and what to do.
func ReadConfigFile(from folder.Folder, name string) (src []byte, why string) {
	src, err := from.ReadConfigFile(name)
	return checkedText(src, err)
}

// readNamedFile reads a file that whoever runs b2form named, unless its content is given; why is as
// ReadConfigFile's.
func readNamedFile(path string, givenContent []byte) (src []byte, why string) {
	if givenContent != nil {
		return checkedText(givenContent, nil)
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, "is no regular file. Give the path of one; of pipes only /dev/stdin and <(COMMAND) of the shell are read."
	}
	if err == nil {
		src, err = os.ReadFile(path)
	}
	return checkedText(src, err)
}

// checkedText is what was read, if it is text. Editors on Windows put a byte order mark
// before it, which says nothing.
func checkedText(src []byte, readErr error) (text []byte, why string) {
	switch {
	case errors.Is(readErr, folder.ErrOutside):
		return nil, "is a symbolic link that leads out of the folder, as every absolute one does. Only files below it are read: copy " +
			"the file, or link to it within the folder."
	case errors.Is(readErr, folder.ErrIrregular):
		return nil, "is no regular file. Move it away, or give it another name."
	case errors.Is(readErr, folder.ErrTooLarge):
		return nil, readErr.Error() + ". Move it away, or give it another name."
	case errors.Is(readErr, fs.ErrNotExist):
		return nil, "does not exist. Paths are relative to the configuration's folder; a symbolic link may lead nowhere."
	case errors.Is(readErr, fs.ErrPermission):
		return nil, "cannot be read: permission denied. Change its permissions, or run as a user who may read it."
	case readErr != nil:
		return nil, fmt.Sprintf("cannot be read: %s. Move it away, or make it readable.", words.ErrorWithoutPath(readErr))
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

func isJSONFile(path string) bool { return strings.HasSuffix(path, ".json") }

// fixLabelPlural corrects the number of what the parser says of blocks with one label.
func fixLabelPlural(detail string) string {
	before, after, found := strings.Cut(detail, " 1 labels (")
	if !found {
		return detail
	}
	return before + " 1 label (" + strings.Replace(after, ") are expected for ", ") is expected for ", 1)
}

// isGivenByVarFile reports whether -var-file names a file.
func (l *module) isGivenByVarFile(path string) bool {
	return slices.ContainsFunc(l.Vars, func(g VariableValue) bool {
		a, errA := filepath.Abs(g.VarFile)
		b, errB := filepath.Abs(path)
		return g.VarFile != "" && errA == nil && errB == nil && a == b
	})
}

// folderForMessages is the configuration's folder for messages: where it is, since "." says
// little to who reads a log.
func (l *module) folderForMessages() string {
	if abs, err := filepath.Abs(l.Dir); err == nil {
		return abs
	}
	return l.Dir
}
