package schema

import (
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

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
