package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A restic has a repository in a folder of the bucket.
type restic struct {
	ctx    context.Context
	site   site
	tunnel tunnel
}

func resticRepository() job {
	return job{
		name: "repository",
		key:  `name_prefix = "server/"`,
		needs: map[string]string{
			"deleteFiles": "back up",
			"listBuckets": "make the repository",
			"listFiles":   "back up",
			"readFiles":   "back up",
			"writeFiles":  "make the repository",
		},
		run: func(t *testing.T, s site) (string, error) {
			r := &restic{t.Context(), s, newTunnel(t, s)}
			return walk([]step{
				{"make the repository", r.initialize},
				{"back up", r.backUp},
				{"back up what changed", r.backUpChanges},
				{"check", r.check},
				{"restore", r.restore},
				{"forget", r.forget},
			})
		},
	}
}

// do runs restic until its end, or until it says that it was refused: it would
// try again for a quarter of an hour.
func (r *restic) do(args ...string) (string, error) {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "restic", append([]string{"--no-cache", "-r", "b2:" + r.site.bucket + ":server"}, args...)...)
	cmd.Env = append(r.site.environment(), "B2_ACCOUNT_ID="+r.site.key.ID, "B2_ACCOUNT_KEY="+r.site.key.Secret, "RESTIC_PASSWORD=secret",
		"HTTPS_PROXY="+r.tunnel.proxy, "SSL_CERT_FILE="+r.tunnel.certificate)
	var out bytes.Buffer
	cmd.Stdout = &out
	said, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	var errText strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		fmt.Fprintln(&errText, lines.Text())
		if refusal.MatchString(lines.Text()) {
			cancel()
		}
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("restic %s: %w: %s", strings.Join(args, " "), err, errText.String())
	}
	return out.String(), nil
}

func (r *restic) initialize() error {
	_, err := r.do("init")
	return err
}

func (r *restic) local(folder string) string { return filepath.Join(r.site.dir, folder) }

// resticFiles has two that are alike, and one that is larger than a pack.
func resticFiles() map[string]string {
	return map[string]string{"a": "alike", "folder/ä %": "alike", "large": string(noise(5, 24*mebibyte))}
}

func (r *restic) backUp() error {
	if err := writeFolder(r.local("files"), resticFiles()); err != nil {
		return err
	}
	_, err := r.do("backup", r.local("files"))
	return err
}

func (r *restic) backUpChanges() error {
	if err := writeFolder(r.local("files"), map[string]string{"a": "changed"}); err != nil {
		return err
	}
	if _, err := r.do("backup", r.local("files")); err != nil {
		return err
	}
	return r.hasSnapshots(2)
}

func (r *restic) hasSnapshots(want int) error {
	out, err := r.do("snapshots", "--json")
	var snapshots []json.RawMessage
	return check(errors.Join(err, json.NewDecoder(strings.NewReader(out)).Decode(&snapshots)),
		wrong("the number of snapshots", want, len(snapshots)))
}

func (r *restic) check() error {
	_, err := r.do("check", "--read-data")
	return err
}

// restore brings the first snapshot back.
func (r *restic) restore() error {
	out, err := r.do("snapshots", "--json")
	if err != nil {
		return err
	}
	var snapshots []struct{ ID string }
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&snapshots); err != nil {
		return err
	}
	if _, err := r.do("restore", snapshots[0].ID, "--target", r.local("restored")); err != nil {
		return err
	}
	got, err := readFolder(filepath.Join(r.local("restored"), r.local("files")))
	return check(err, wrong("the files", resticFiles(), got))
}

// forget also deletes what only the first snapshot had.
func (r *restic) forget() error {
	if _, err := r.do("forget", "--keep-last=1", "--prune"); err != nil {
		return err
	}
	if err := r.hasSnapshots(1); err != nil {
		return err
	}
	return r.check()
}
