package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// LoadSecret reads the installation's secret from a file, and makes one that
// only its owner can read when there is none. Two processes that start at the
// same time end with the same secret. The secret is the text of the file
// without white space around it, so that it may be given as a setting instead.
//
// A file that everybody can read, or with fewer than MinSecret bytes, is
// refused with a sentence for the operator.
func LoadSecret(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = createSecret(file); err == nil {
			info, err = os.Stat(file)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("auth: secret key: %w", err)
	}
	// Windows knows no such bits and reports them as set.
	if info.Mode().Perm()&0o007 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("auth: secret key: everybody on this machine can use %s; run: chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("auth: secret key: %w", err)
	}
	secret := bytes.TrimSpace(text)
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("auth: secret key: %s has %d bytes, and at least %d are needed; restore it from a backup, or remove it to make a new one (links already mailed and sealed passwords are then lost)", file, len(secret), MinSecret)
	}
	return secret, nil
}

// createSecret writes the file whole or not at all, and leaves it alone when
// another process was quicker: a hard link, other than a rename, never
// replaces what is there.
func createSecret(file string) error {
	folder := filepath.Dir(file)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(folder, ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, writeErr := draft.WriteString(NewToken() + "\n")
	if err := errors.Join(writeErr, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
