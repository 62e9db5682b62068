package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vestnik/internal/compose/dkim"
)

// Tests that use composetest, which uses compose, stand in package compose_test.
// What follows is what they need of the tests in here.

// NeedVerifiers skips a test where programs of the machine may not be used.
func NeedVerifiers(t *testing.T) {
	if os.Getenv(systemSetting) != "1" {
		t.Skipf("set %s=1 to run this test, which needs OpenDKIM and dkimpy", systemSetting)
	}
}

// NewSigner returns a signer with a key of each kind, and their records by name.
func NewSigner(t *testing.T) (signer *dkim.Signer, records map[string]string) {
	w := newSigningWorld(t, dkim.Ed25519, dkim.RSA)
	return w.signer, w.records
}

// HeldByOthers asks OpenDKIM and dkimpy how many signatures of each mail hold.
func HeldByOthers(t *testing.T, records map[string]string, mails map[string][]byte) map[string]map[string]int {
	t.Helper()
	folder := t.TempDir()
	var keys strings.Builder
	for name, record := range records {
		keys.WriteString(name + " " + record + "\n")
	}
	writeFile(t, filepath.Join(folder, "keys"), keys.String())
	var files []string
	for name, mail := range mails {
		writeFile(t, filepath.Join(folder, name), string(mail))
		files = append(files, name)
	}
	held := map[string]map[string]int{}
	for program, ask := range map[string]verifier{"OpenDKIM": openDKIM, "dkimpy": dkimpy} {
		held[program] = map[string]int{}
		for i, count := range ask(t, folder, files) {
			held[program][files[i]] = count
		}
	}
	return held
}
