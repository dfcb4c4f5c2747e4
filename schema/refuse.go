package schema

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/bucket"
	"b2form/schema/config"
)

// prepareFilesBoundary refuses a boundary of files that is none, and keeps everybody from the state.
func (l *module) prepareFilesBoundary() (ok bool) {
	if err := l.shared.filesRootErr; err != nil {
		l.errorWithoutPlace("Invalid root", fmt.Sprintf("-root, or B2FORM_ROOT: %s. Name a folder that holds the configuration's folder.",
			err))
		return false
	}
	l.shared.boundary.Refuse(filepath.Join(l.Dir, config.DefaultState), stateRefused, true)
	return true
}

const stateRefused = "it belongs to the state, which is never read as a file"

// fileHidingRules are the lifecycle rules of a bucket as they are written, and where those of them are that hide files.
type fileHidingRules struct {
	all cty.Value
	at  []hcl.Range
}

// noteHidingLifecycleRules notes the lifecycle rules of a bucket: where the state is kept is not known yet.
func (e *instanceEvaluation) noteHidingLifecycleRules() {
	if e.block.kind.Name != "bucket" {
		return
	}
	noted := fileHidingRules{all: e.attrs.GetAttr(bucket.LifecycleRules)}
	for _, i := range bucket.RulesThatHide(noted.all, "") {
		noted.at = append(noted.at, e.writtenArgs.locate(cty.GetAttrPath(bucket.LifecycleRules).IndexInt(i), false))
	}
	if len(noted.at) > 0 {
		e.module.shared.hidingRules[e.addr] = noted
	}
}

// refuseStateHidingRules refuses a lifecycle rule of the bucket that holds the state under which B2 would remove it.
func (l *module) refuseStateHidingRules() {
	b := &l.config.Settings.Backend
	for _, r := range l.config.Resources {
		noted, hides := l.shared.hidingRules[r.Addr]
		if b.Type != "b2" || !hides || r.Identity() != r.Kind.NormalizeIdentity(b.Arguments["bucket"]) {
			continue
		}
		harmful := bucket.RulesThatHide(noted.all, b.Arguments["prefix"])
		for n, i := range bucket.RulesThatHide(noted.all, "") {
			if !slices.Contains(harmful, i) {
				continue
			}
			l.errorAt(noted.at[n], "A lifecycle rule would delete the state", fmt.Sprintf("The backend block keeps the state in this "+
				"bucket, in files whose names begin with %q, and this rule hides files there after upload, so B2 would remove a state "+
				"that does not change. Take days_from_uploading_to_hiding out of the rule, or give it a file_name_prefix beside that; "+
				"days_from_hiding_to_deleting alone does no harm.", b.Arguments["prefix"]))
		}
	}
}

// refuseStateAndSecretReads keeps everybody from what only the whole configuration tells: where the
// state is kept, and what deliver blocks write. What was read of these before is an
// error at the block.
func (l *module) refuseStateAndSecretReads() {
	refuse := func(path, shown, why string, at *hcl.Range, companions bool) {
		if l.shared.boundary.Refuse(path, why, companions) {
			l.errorAt(*at, "File cannot be read", fmt.Sprintf("The configuration reads %q: %s. Remove that, or choose another path here.",
				shown, why))
		}
	}
	if b := &l.config.Settings.Backend; b.Type == "local" {
		refuse(b.Arguments["path"], b.Arguments["path"], stateRefused, &b.Range, true)
	}
	for _, r := range l.config.Resources {
		for i := range r.Deliveries {
			if d := &r.Deliveries[i]; d.Path != "" {
				refuse(d.Path, d.DisplayName, "a deliver block writes it, so it holds a secret", d.Range, false)
			}
		}
	}
	l.shared.boundary.EndLoading()
}
