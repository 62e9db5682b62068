package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// between stands between the secrets of a file. A secret may have line breaks itself,
// as `openssl rand -base64 64` makes it.
var between = regexp.MustCompile(`\r?\n[ \t]*\r?\n\s*`)

// LoadSecrets reads the installation's secrets from a file, the one in force first,
// and makes one that only its owner can read when there is no file. Two processes that
// start at the same time end with the same secret. The secrets are the texts between
// empty lines without white space around them, so that they may be given as settings
// instead.
//
// A file that everybody can read, or a secret with fewer than MinSecret bytes, is
// refused with a sentence for the operator.
func LoadSecrets(file string) ([][]byte, error) {
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
	secrets := splitSecrets(text)
	for _, secret := range secrets {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("auth: secret key: %s has %d bytes, and at least %d are needed; restore it from a backup, or remove it to make a new one (links already mailed and sealed passwords are then lost)", file, len(secret), MinSecret)
		}
	}
	return secrets, nil
}

func splitSecrets(text []byte) [][]byte {
	var secrets [][]byte
	for _, part := range between.Split(string(bytes.TrimSpace(text)), -1) {
		secrets = append(secrets, []byte(part))
	}
	return secrets
}

// AddSecret puts a new secret in front of those in the file.
func AddSecret(file string) error {
	return changeSecrets(file, func(secrets [][]byte) [][]byte { return append([][]byte{[]byte(NewToken())}, secrets...) })
}

// DropSecrets leaves only the first secret in the file and returns how many others
// there were.
func DropSecrets(file string) (dropped int, err error) {
	err = changeSecrets(file, func(secrets [][]byte) [][]byte {
		dropped = len(secrets) - 1
		return secrets[:1]
	})
	return dropped, err
}

// changeSecrets writes the file anew, whole or not at all. Of two processes that want
// to at once one is refused: else a secret could be lost by which something is sealed.
func changeSecrets(file string, change func([][]byte) [][]byte) error {
	next := file + ".new"
	draft, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("auth: secret key: another change is under way, or broke off (then remove %s): %w", next, err)
	}
	defer draft.Close()
	secrets, err := LoadSecrets(file) // now that nobody else changes it
	if err == nil {
		_, err = draft.Write(append(bytes.Join(change(secrets), []byte("\n\n")), '\n'))
	}
	if err = errors.Join(err, ownLike(file, draft), draft.Sync()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return os.Rename(next, file)
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
