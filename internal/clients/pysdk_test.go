package clients_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// sdkPython is the interpreter that Debian installs its packages for.
const sdkPython = "/usr/bin/python3"

// sdkMissing says why the SDK cannot be used, or nil.
func sdkMissing() error {
	return exec.Command(sdkPython, "-c", "import b2sdk.v2").Run()
}

func sdkFiles() job {
	return job{
		name:   "files",
		bucket: "file_lock_enabled = true",
		needs: map[string]string{
			"bypassGovernance":    "lift the lock",
			"deleteFiles":         "delete",
			"listBuckets":         "open the bucket",
			"listFiles":           "sync up",
			"readFileLegalHolds":  "hold",
			"readFileRetentions":  "lock",
			"readFiles":           "download",
			"shareFiles":          "share",
			"writeFileLegalHolds": "hold",
			"writeFileRetentions": "lock",
			"writeFiles":          "upload",
		},
		run: sdk("files"),
	}
}

func sdkAccount() job {
	return job{
		name:    "account",
		account: true,
		needs: map[string]string{
			"deleteBuckets":         "delete the bucket",
			"deleteKeys":            "delete keys",
			"listBuckets":           "list buckets",
			"listKeys":              "list keys",
			"readBucketEncryption":  "read the bucket",
			"readBucketRetentions":  "read the bucket",
			"writeBucketEncryption": "make a bucket",
			"writeBucketRetentions": "make a bucket",
			"writeBuckets":          "make a bucket",
			"writeKeys":             "make keys",
		},
		run: sdk("account"),
	}
}

// sdk runs a job of the Python program, which is told on its standard input
// what the job is and who does it.
func sdk(name string) func(*testing.T, site) (string, error) {
	return func(t *testing.T, s site) (string, error) {
		input, err := json.Marshal(map[string]string{
			"job": name, "realm": s.endpoint, "bucket": s.bucket, "id": s.key.ID, "key": s.key.Secret, "dir": s.dir,
		})
		if err != nil {
			return "", err
		}
		cmd := exec.CommandContext(t.Context(), sdkPython, filepath.Join("testdata", "b2sdk_job.py"))
		cmd.Env = s.environment()
		cmd.Stdin = bytes.NewReader(input)
		var errText bytes.Buffer
		cmd.Stderr = &errText
		out, err := cmd.Output()
		if err != nil {
			return "the program", fmt.Errorf("%w: %w: %s", errWrong, err, errText.String())
		}
		var failed *struct {
			Step, Error string
			Wrong       bool
		}
		switch err := json.Unmarshal(out, &failed); {
		case err != nil:
			return "the program", fmt.Errorf("%w: %w: %s", errWrong, err, out)
		case failed == nil:
			return "", nil
		case failed.Wrong:
			return failed.Step, fmt.Errorf("%w: %s: %s", errWrong, failed.Error, errText.String())
		default:
			return failed.Step, errors.New(failed.Error)
		}
	}
}
