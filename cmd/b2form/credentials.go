package main

import (
	"cmp"
	"context"

	"b2form/internal/credentials"
)

// findCredentials looks for the credentials to work with, once. With -emulator there are none.
func (p *program) findCredentials(ctx context.Context) (credentials.Credentials, error) {
	if p.useEmulator || p.foundCredentials.Source != credentials.None {
		return p.foundCredentials, nil
	}
	found, err := credentials.Find(ctx, credentials.Options{
		KeyID: p.getenv("B2_APPLICATION_KEY_ID"), Key: p.getenv("B2_APPLICATION_KEY"),
		KeyIDFile: p.getenv("B2_APPLICATION_KEY_ID_FILE"), KeyFile: p.getenv("B2_APPLICATION_KEY_FILE"),
		LegacyVariableKeyID: p.getenv("B2_ACCOUNT_ID"), LegacyVariableKey: p.getenv("B2_ACCOUNT_KEY"),
		Profile: cmp.Or(p.profile, p.getenv("B2_PROFILE")), CommandJSON: p.getenv("B2_CREDENTIAL_COMMAND"), CommandEnviron: p.environ(),
		AccountInfoPath: p.getenv("B2_ACCOUNT_INFO"), RcloneConfigPath: p.getenv("RCLONE_CONFIG"),
		Home:          p.homeDir(),
		XDGConfigHome: p.getenv("XDG_CONFIG_HOME"), AppData: p.getenv("APPDATA"),
	})
	if err != nil {
		return found, err
	}
	switch found.Source {
	case credentials.Environment, credentials.OldNames:
		if p.profile != "" {
			p.warn("-profile has no effect", "The credentials come from "+found.SourceText+
				", which go before profiles. Unset them to use -profile.")
		}
	}
	if found.Source == credentials.OldNames {
		p.warn("Old names of the credentials", "The credentials come from B2_ACCOUNT_ID and B2_ACCOUNT_KEY. Today's names are "+
			"B2_APPLICATION_KEY_ID and B2_APPLICATION_KEY.")
	}
	p.foundCredentials = found
	return found, nil
}

// showCredentialsSource says where those came from that a plan is made with. In automation the
// environment goes without saying.
func (s *session) showCredentialsSource() {
	if s.localB2 != nil || s.foundCredentials.Source == credentials.Environment && s.getenv("TF_IN_AUTOMATION") != "" {
		return
	}
	s.ui.Note("Credentials: " + s.foundCredentials.SourceText)
}
