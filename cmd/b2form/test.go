package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"
	"golang.org/x/sync/errgroup"

	"b2form/internal/testfile"
	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/schema"
	"b2form/schema/folder"
)

// testSuffix is what the names of test files end in, testFolder where they are beside the
// configuration's folder itself.
const (
	testSuffix = ".b2test.hcl"
	testFolder = "tests"
)

// testOptions are the flags of b2form test.
type testOptions struct {
	filterPaths []string
	junitPath   string
}

func (p *program) testCommand() *cli.Command {
	o := &testOptions{}
	return p.newCommand(&cli.Command{
		Name: "test", Usage: "Run the tests of a configuration on the emulator",
		Description: `The run blocks of *.b2test.hcl files, here and in the folder tests, plan and
apply the configuration and say what is expected of it. Each file has an account
of its own in memory; nothing real is touched, and no program is run.
docs/test.md has the language.

Example:
  b2form test
  b2form test -filter=tests/keys.b2test.hcl -verbose

Exit codes:
  0  every run passed
  1  one failed, or there is none`,
		Flags: append(p.configFlags(), p.policyFlag(),
			&cli.GenericFlag{Name: "filter", Usage: "run only the tests of `FILE`; repeatable", Value: funcFlag{func(s string) error {
				o.filterPaths = append(o.filterPaths, filepath.Clean(s))
				return nil
			}}},
			&cli.StringFlag{Name: "junit-xml", Usage: "write the results to `FILE`, as JUnit does", Destination: &o.junitPath},
			&cli.IntFlag{Name: "parallelism", Value: 4, Usage: "run at most `N` files at once", Destination: &p.parallelism,
				Validator: checkAtLeastOne},
			p.verboseFlag("show the plan of each run"),
			p.jsonFlag("print JSON lines"),
		),
		Action: func(ctx context.Context, _ *cli.Command) error {
			ctx, stop := p.withInterrupt(ctx)
			defer stop()
			return p.test(ctx, o)
		},
	})
}

func (p *program) test(ctx context.Context, o *testOptions) error {
	if err := p.setUpJSONOutput(); err != nil {
		return err
	}
	files, refused, err := p.loadTestFiles(o.filterPaths)
	if err != nil {
		return err
	}
	if refused != nil {
		if err := writeJUnit(o.junitPath, refused); err != nil {
			return err
		}
		return exitCode(1)
	}
	results := make([]view.TestFileResult, len(files))
	var group errgroup.Group
	group.SetLimit(p.parallelism)
	for i, f := range files {
		group.Go(func() error {
			results[i] = p.runTestFile(ctx, f)
			return nil
		})
	}
	_ = group.Wait() // each result has its own errors
	for i := range results {
		p.ui.Diagnostics(results[i].Warnings, nil) // no line is quoted: it may hold what would be sensitive
	}
	p.ui.Tests(results)
	if err := writeJUnit(o.junitPath, results); err != nil {
		return err
	}
	if view.CountTestRuns(results).Failed() || ctx.Err() != nil {
		return exitCode(1)
	}
	return nil
}

// loadTestFiles reads the test files of the folder, and shows what is wrong with them. Where one cannot be used, none
// is run, and what a report says of each is refused.
func (p *program) loadTestFiles(filter []string) (files []*testfile.File, resultsIfUnusable []view.TestFileResult, err error) {
	paths, err := testFilePaths()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range filter {
		if !slices.Contains(paths, name) {
			return nil, nil, failf("There is no test file "+name, "-filter takes the path of a test file from here.%s",
				words.DidYouMean(name, "", paths))
		}
	}
	if len(paths) == 0 {
		return nil, nil, failf("No tests", "Neither this folder nor %s holds a file named *%s.", testFolder, testSuffix)
	}
	var diags hcl.Diagnostics
	for _, path := range paths {
		if len(filter) > 0 && !slices.Contains(filter, path) {
			continue
		}
		f, more := readTestFile(path)
		files, diags = append(files, f), append(diags, more...)
		if f.Source != nil {
			p.sourceFiles[path] = quotableTestFile(f, !more.HasErrors())
		}
		resultsIfUnusable = append(resultsIfUnusable, skippedTestFile(f, more, p.sourceFiles))
	}
	p.ui.Diagnostics(diags, p.sourceFiles)
	if diags.HasErrors() {
		return nil, resultsIfUnusable, nil
	}
	return files, nil, nil
}

// testFilePaths are the test files of the folder.
func testFilePaths() (paths []string, err error) {
	for _, dir := range []string{".", testFolder} {
		if info, err := os.Stat(dir); err == nil && !info.IsDir() { // opening a pipe waits for its writer
			continue
		}
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, failf("Unreadable folder", "The tests in %s cannot be read: %s.", dir, words.ErrorWithoutPath(err))
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), testSuffix) && !e.IsDir() {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	return paths, nil
}

// skippedTestFile is what a report says of a file of which nothing is run.
func skippedTestFile(f *testfile.File, diags hcl.Diagnostics, sources map[string]*hcl.File) view.TestFileResult {
	t := view.TestFileResult{Path: f.Path, Sources: sources}
	if diags.HasErrors() {
		t.Runs = []view.TestRunResult{{Name: f.Path, Status: view.TestError, Diagnostics: diags}}
	}
	for _, r := range f.Runs {
		t.Runs = append(t.Runs, view.TestRunResult{Name: r.Name, Range: r.Range, Status: view.TestSkip})
	}
	return t
}

// quotableTestFile is a test file as messages may quote it.
func quotableTestFile(f *testfile.File, parses bool) *hcl.File {
	return schema.QuotableFile(f.Source.Bytes, schema.WithoutSecrets(f.Source.Bytes, schema.Kinds(), parses), f.Source.Nav)
}

// readTestFile reads a file as one of the configuration is: a link must not lead out of the folder, since lines are shown.
func readTestFile(path string) (*testfile.File, hcl.Diagnostics) {
	src, why := schema.ReadConfigFile(folder.Folder{Dir: ".", ModuleDir: "."}, path)
	if why != "" {
		return &testfile.File{Path: path}, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unreadable file", Detail: path + " " + why}}
	}
	return testfile.Parse(src, path)
}
