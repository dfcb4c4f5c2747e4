package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"b2form/internal/durable"
	"b2form/internal/terraform"
	"b2form/internal/visible"
	"b2form/internal/words"
)

const (
	terraformState     = "terraform.tfstate"            // where Terraform keeps its state if it is told nothing
	workspaceStates    = terraformState + ".d"          // where it keeps those of workspaces, each in a folder
	selectedWorkspace  = ".terraform/environment"       // what terraform workspace select leaves
	defaultWorkspace   = "default"                      // the workspace of those who never chose one
	initializedBackend = ".terraform/terraform.tfstate" // what terraform init leaves where there is a backend
	noState            = "none"                         // what -state says to go without one
)

// terraformWorkspace is the workspace that is carried over: that of the state's file, else the one that Terraform would use
// in the folder dir; "": nothing says which.
func (p *program) terraformWorkspace(dir, stateFlagValue string) string {
	of := filepath.Dir(filepath.Clean(stateFlagValue))
	if filepath.Base(stateFlagValue) == terraformState && filepath.Base(filepath.Dir(of)) == workspaceStates {
		return filepath.Base(of)
	}
	if name := p.getenv("TF_WORKSPACE"); name != "" {
		return name
	}
	text, err := durable.ReadFile(filepath.Join(dir, selectedWorkspace), mostFileBytes)
	if name := strings.TrimSpace(string(text)); err == nil && name != "" {
		return name
	}
	_, initialized := os.Stat(filepath.Join(dir, filepath.Dir(selectedWorkspace)))
	_, hasState := os.Stat(filepath.Join(dir, terraformState))
	if initialized == nil || stateFlagValue == "" && hasState == nil {
		return defaultWorkspace
	}
	return ""
}

// checkNoStateElsewhere refuses to go without a state that Terraform has, and warns where the one that was
// read may be left of an earlier time.
func (p *program) checkNoStateElsewhere(r *terraform.Result, wasRead bool) error {
	const pull = "  terraform state pull | b2form migrate -state=-\n"
	where := ""
	if at := r.RemoteState; at.Title != "" {
		where = fmt.Sprintf("Terraform keeps it by %s (%s:%d)", visible.EscapeLine(at.Title), visible.EscapeLine(at.File), at.Line)
	}
	if wasRead {
		if where != "" {
			p.warn("The state may be an old one", fmt.Sprintf("%s was read, but %s: the file may be left of the time before. If it is, "+
				"delete it and %s, and hand the state in:\n%s", terraformState, where, stateFile, strings.TrimRight(pull, "\n")))
		}
		return nil
	}
	if found, _ := filepath.Glob(workspaceStates + "/*/" + terraformState); where == "" && len(found) > 0 {
		where = "Terraform keeps those of workspaces in " + workspaceStates
	}
	if _, err := os.Stat(initializedBackend); where == "" && err == nil {
		where = "Terraform keeps it in the backend that " + initializedBackend + " names"
	}
	if where == "" {
		return nil
	}
	return failf("The state is elsewhere", "There is no %[1]s here: %[2]s. Nothing was written. Hand the state in, from its folder:\n"+
		pull+"To go without it, so that what exists is found by its name: b2form migrate -state=%[3]s.", terraformState, where, noState)
}

// readTerraformStateIfAny reads the state that is named, or that of the workspace in the folder; nil: there is
// none.
func (p *program) readTerraformStateIfAny(dir, stateFlagValue, workspace string) (*terraform.Source, error) {
	s := &terraform.Source{Name: stateFlagValue}
	var err error
	switch stateFlagValue {
	case noState:
		return nil, nil
	case "-":
		s.Name = "standard input"
		s.Text, err = durable.ReadAll(p.stdin, mostFileBytes)
	case "":
		if s.Name = terraformState; workspace != defaultWorkspace && workspace != "" {
			s.Name = filepath.Join(workspaceStates, workspace, terraformState)
		}
		if s.Text, err = durable.ReadFile(filepath.Join(dir, s.Name), mostFileBytes); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	default:
		s.Text, err = durable.ReadFile(stateFlagValue, mostFileBytes)
	}
	if err != nil {
		return nil, failf("File cannot be read", "%s: %s.", s.Name, words.ErrorWithoutPath(err))
	}
	return s, nil
}

// readTerraformStateBackups reads the earlier states that Terraform leaves beside the current one.
func readTerraformStateBackups() (list []terraform.Source, err error) {
	paths, _ := filepath.Glob(terraformState + ".*backup") // the pattern is legal
	ofWorkspaces, _ := filepath.Glob(workspaceStates + "/*/" + terraformState + ".*backup")
	paths = append(paths, ofWorkspaces...)
	for _, path := range paths {
		text, err := durable.ReadFile(path, mostFileBytes)
		if err != nil {
			return nil, failf("File cannot be read", "%s: %s.", path, words.ErrorWithoutPath(err))
		}
		list = append(list, terraform.Source{Name: path, Text: text})
	}
	return list, nil
}
