package auth

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLoadSecrets(t *testing.T) {
	t.Run("the first start makes a secret that only its owner can read", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "data", "secret.key")
		secret, err := loadSecret(file)
		if err != nil || len(secret) < MinSecret {
			t.Fatalf("got %d bytes, %v", len(secret), err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		again, err := loadSecret(file)
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
				if secrets[i], err = loadSecret(filepath.Join(folder, "secret.key")); err != nil {
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
		if secret, err := loadSecret(file); err != nil || len(secret) != 32 {
			t.Errorf("got %q, %v", secret, err)
		}
	})
	t.Run("a file that everybody can read is refused with the remedy", func(t *testing.T) {
		file := writeSecret(t, strings.Repeat("k", 32), 0o644)
		if _, err := loadSecret(file); err == nil || !strings.Contains(err.Error(), "chmod 600 "+file) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a short secret is refused and not shown", func(t *testing.T) {
		file := writeSecret(t, "hunter2", 0o600)
		if _, err := loadSecret(file); err == nil || !strings.Contains(err.Error(), "7 bytes") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a folder in its place is an error", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "secret.key")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := loadSecret(folder); err == nil {
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

// loadSecret is for tests of files with one secret.
func loadSecret(file string) ([]byte, error) {
	secrets, err := LoadSecrets(file)
	if err != nil {
		return nil, err
	}
	return secrets[0], nil
}

func TestSecretsOneAfterAnother(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.key")
	long := strings.Repeat("line of a secret that is long\n", 3)
	if err := os.WriteFile(file, []byte(long), 0o640); err != nil {
		t.Fatal(err)
	}
	keys, err := OpenKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	link, sealed, code := keys.Sign("x", []byte("mailed"), time.Time{}), keys.Seal("x", "row 1", []byte("password")), keys.HashCode("x", 7, "123456")
	mac := keys.MAC("x", []byte("check"))
	opens := func(t *testing.T, k Keys, want bool) {
		t.Helper()
		_, linkErr := k.Verify("x", link, time.Now())
		_, sealErr := k.Open("x", "row 1", sealed)
		known, _ := k.MACMatches(mac[:], "x", []byte("check"))
		for what, opened := range map[string]bool{
			"a link": linkErr == nil, "a seal": sealErr == nil, "a code": k.CodeMatches(code, "x", 7, "123456"), "a check": known,
		} {
			if opened != want {
				t.Errorf("%s opens: %v, want %v", what, opened, want)
			}
		}
	}
	t.Run("a secret may have line breaks", func(t *testing.T) {
		if got, err := LoadSecrets(file); err != nil || len(got) != 1 || string(got[0]) != strings.TrimSpace(long) {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("a new secret signs, and the old one still opens", func(t *testing.T) {
		if err := AddSecret(file); err != nil {
			t.Fatal(err)
		}
		fresh, err := OpenKeys(file)
		if err != nil {
			t.Fatal(err)
		}
		opens(t, fresh, true)
		if fresh.MAC("x", []byte("check")) == mac {
			t.Error("the old one signs")
		}
		if _, first := fresh.MACMatches(mac[:], "x", []byte("check")); first {
			t.Error("the old one counts as the new one")
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("the file has mode %v, %v", info.Mode(), err)
		}
		t.Run("who runs finds what another process sealed by it", func(t *testing.T) {
			if _, err := keys.Open("x", "row 2", fresh.Seal("x", "row 2", nil)); err != nil {
				t.Error(err)
			}
			if keys.MAC("x") != fresh.MAC("x") {
				t.Error("and does not sign by it")
			}
		})
	})
	t.Run("a dropped secret opens nothing", func(t *testing.T) {
		if n, err := DropSecrets(file); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		fresh, err := OpenKeys(file)
		if err != nil {
			t.Fatal(err)
		}
		opens(t, fresh, false)
		keys.Renew()
		opens(t, keys, false)
		if n, err := DropSecrets(file); n != 0 || err != nil {
			t.Error("the last one is dropped:", n, err)
		}
	})
	t.Run("of many who add one at once, each adds one or is told", func(t *testing.T) {
		var group sync.WaitGroup
		var added atomic.Int64
		for range 16 {
			group.Go(func() {
				if AddSecret(file) == nil {
					added.Add(1)
				}
			})
		}
		group.Wait()
		if got, err := LoadSecrets(file); err != nil || int64(len(got)) != 1+added.Load() {
			t.Errorf("%d were added, and there are %d, %v", added.Load(), len(got), err)
		}
	})
	t.Run("a file that is broken for a moment changes nothing for who runs", func(t *testing.T) {
		before := keys.MAC("x")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		keys.Renew()
		if keys.MAC("x") != before {
			t.Error("the secrets are others")
		}
	})
}
