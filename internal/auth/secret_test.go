package auth

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestLoadSecret(t *testing.T) {
	t.Run("the first start makes a secret that only its owner can read", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "data", "secret.key")
		secret, err := LoadSecret(file)
		if err != nil || len(secret) < MinSecret {
			t.Fatalf("got %d bytes, %v", len(secret), err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		again, err := LoadSecret(file)
		if err != nil || !bytes.Equal(again, secret) {
			t.Errorf("the second start has %q, %v", again, err)
		}
	})
	t.Run("many first starts at once agree and leave one file", func(t *testing.T) {
		folder := t.TempDir()
		secrets := make([][]byte, 16)
		var group sync.WaitGroup
		for i := range secrets {
			group.Go(func() {
				var err error
				if secrets[i], err = LoadSecret(filepath.Join(folder, "secret.key")); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, secret := range secrets[1:] {
			if !bytes.Equal(secret, secrets[0]) {
				t.Errorf("%q and %q differ", secret, secrets[0])
			}
		}
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
			t.Errorf("the folder has %v, %v", entries, err)
		}
	})
	t.Run("white space around a secret does not count", func(t *testing.T) {
		file := writeSecret(t, "\n "+strings.Repeat("k", 32)+"\r\n", 0o600)
		if secret, err := LoadSecret(file); err != nil || len(secret) != 32 {
			t.Errorf("got %q, %v", secret, err)
		}
	})
	t.Run("a file that everybody can read is refused with the remedy", func(t *testing.T) {
		file := writeSecret(t, strings.Repeat("k", 32), 0o644)
		if _, err := LoadSecret(file); err == nil || !strings.Contains(err.Error(), "chmod 600 "+file) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a short secret is refused and not shown", func(t *testing.T) {
		file := writeSecret(t, "hunter2", 0o600)
		if _, err := LoadSecret(file); err == nil || !strings.Contains(err.Error(), "7 bytes") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a folder in its place is an error", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "secret.key")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadSecret(folder); err == nil {
			t.Error("it was read")
		}
	})
}

func writeSecret(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret.key")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // the umask does not apply to it
		t.Fatal(err)
	}
	return file
}
