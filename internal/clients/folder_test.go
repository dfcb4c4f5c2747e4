package clients_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFolder makes a folder of files, or makes it anew.
func writeFolder(folder string, files map[string]string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666)); err != nil {
			return err
		}
	}
	return nil
}

// readFolder is the reverse of writeFolder.
func readFolder(folder string) (map[string]string, error) {
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(folder, path))
		files[path] = string(content)
		return err
	})
	return files, err
}
