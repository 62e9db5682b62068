package server_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vestnik/internal/store/storetest"
)

// cannotStart starts a service that must end at once with code 1 and a sentence
// with all the words, and without a stack or a secret.
func (h *house) cannotStart(settings []string, words ...string) {
	h.t.Helper()
	p := start(h.t, h.settings(append([]string{"VESTNIK_ADDR=" + freeAddr(h.t)}, settings...)...)...)
	if code := p.exit(time.Minute); code != 1 {
		h.t.Errorf("it ended with code %d, want 1", code)
	}
	said := p.log.String()
	for _, word := range words {
		if !strings.Contains(said, word) {
			h.t.Errorf("it does not say %q", word)
		}
	}
	for _, never := range []string{"goroutine ", "panic", "hunter2"} {
		if strings.Contains(said, never) {
			h.t.Errorf("it says %q", never)
		}
	}
	h.t.Logf("it says: %s", said)
}

func TestCannotStart(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLiteURL(t))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	aFile := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(aFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		when     string
		settings []string
		words    []string
	}{
		{"an address that is in use", []string{"VESTNIK_ADDR=" + taken.Addr().String()}, []string{taken.Addr().String(), "address already in use"}},
		{"a database server that is away", []string{"DATABASE_URL=postgres://v:hunter2@" + freeAddr(t) + "/vestnik?sslmode=disable"}, []string{"reach database", "connection refused"}},
		{"a database socket that is not there", []string{"DATABASE_URL=postgres:///vestnik?user=v&host=" + t.TempDir()}, []string{"reach database", "no such file"}},
		{"a database file in a folder that is not there", []string{"DATABASE_URL=sqlite:/nowhere/vestnik.db"}, []string{"database", "/nowhere/vestnik.db"}},
		{"another secret key", []string{"VESTNIK_SECRET_KEY=" + strings.Repeat("x", 40)}, []string{"secret key", "VESTNIK_SECRET_KEY"}},
		{"a mail server that is no URL", []string{"SMTP_URL=mail.example.org"}, []string{"SMTP_URL", "smtp://"}},
		{"a mail server's name without its password", []string{"SMTP_URL=smtp://me@mail.example.org"}, []string{"mail server's user and password"}},
		{"a mail server with an unknown parameter", []string{"SMTP_URL=smtp://me:hunter2@mail.example.org?tsl=none"}, []string{"mail server's address", "parameter", "tsl"}},
		{"a database file that is none", []string{"DATABASE_URL=sqlite:" + aFile + "/vestnik.db"}, []string{"database", aFile}},
		{"a data folder that cannot be made", []string{"VESTNIK_DATA_DIR=" + aFile + "/data"}, []string{"data folder", aFile}},
	}
	for _, c := range cases {
		t.Run(c.when+" is answered with a sentence that names it", func(t *testing.T) {
			h.in(t).cannotStart(c.settings, c.words...)
		})
	}
}
