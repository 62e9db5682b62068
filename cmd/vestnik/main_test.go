package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/config"
	"vestnik/internal/server"
)

// TestMain makes this test binary the command itself, for tests that need processes of
// their own: go test begins with a flag of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		main()
		return
	}
	os.Exit(m.Run())
}

// shell runs command lines on one installation of its own.
type shell struct {
	*testing.T
	env []string
}

func newShell(t *testing.T, env ...string) *shell {
	t.Helper()
	return &shell{T: t, env: append([]string{"LANG=en_US.UTF-8", "VESTNIK_LOG_LEVEL=warn", "VESTNIK_DATA_DIR=" + t.TempDir()}, env...)}
}

// in is the same installation in another test, perhaps with more settings.
func (s *shell) in(t *testing.T, env ...string) *shell {
	return &shell{T: t, env: append(slices.Clone(s.env), env...)}
}

// result is what became of a command line.
type result struct {
	shell    *shell
	code     int
	out, err string
}

func (s *shell) run(args ...string) result {
	s.Helper()
	return s.runWith(context.Background(), "", args...)
}

func (s *shell) runWith(ctx context.Context, input string, args ...string) result {
	s.Helper()
	var out, errs bytes.Buffer
	code := run(ctx, world{args: args, env: s.env, in: strings.NewReader(input), out: &out, err: &errs})
	return result{shell: s, code: code, out: out.String(), err: errs.String()}
}

// want ends the test unless the command ended with the code.
func (r result) want(code int) result {
	r.shell.Helper()
	if r.code != code {
		r.shell.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.out, r.err)
	}
	return r
}

// says fails the test unless all of the texts stand on standard output.
func (r result) says(texts ...string) result {
	r.shell.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out, text) {
			r.shell.Errorf("standard output lacks %q:\n%s", text, r.out)
		}
	}
	return r
}

// complains is says for standard error.
func (r result) complains(texts ...string) result {
	r.shell.Helper()
	for _, text := range texts {
		if !strings.Contains(r.err, text) {
			r.shell.Errorf("standard error lacks %q:\n%s", text, r.err)
		}
	}
	return r
}

// object reads standard output as one JSON value.
func object[T any](r result) T {
	r.shell.Helper()
	var value T
	if err := json.Unmarshal([]byte(r.out), &value); err != nil {
		r.shell.Fatalf("%v in %q", err, r.out)
	}
	return value
}

// fields are the names of a JSON object, sorted.
func fields(r result) []string {
	r.shell.Helper()
	var names []string
	for name := range object[map[string]any](r) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *shell) file(name, text string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// base opens the installation as the commands do.
func (s *shell) base() *server.Base {
	s.Helper()
	settings, err := config.Load(s.env, nil)
	if err != nil {
		s.Fatal(err)
	}
	b, err := server.Open(context.Background(), settings, slog.New(slog.DiscardHandler), false)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { b.Close() })
	return b
}

const anna = "anna@example.com"

// furnish makes an owner with clients, a message and a mailing to all of them
// tomorrow, and returns the mailing's id.
func (s *shell) furnish(emails ...string) string {
	s.Helper()
	s.run("user", "create", "--email", anna, "--first-name", "Anna").want(0)
	s.runWith(context.Background(), "email\n"+strings.Join(emails, "\n")+"\n", "contacts", "import", "--owner", anna, "-").want(0)
	return s.mailing(anna, s.message(anna))
}

func (s *shell) message(owner string) string {
	s.Helper()
	made := s.runWith(context.Background(), "Hello {{ first_name }}!", "message", "create", "--json",
		"--owner", owner, "--subject", "News", "--file", "-").want(0)
	return strconv.FormatInt(object[messageJSON](made).ID, 10)
}

func (s *shell) mailing(owner, message string) string {
	s.Helper()
	made := s.run("mailing", "create", "--json", "--owner", owner, "--message", message, "--at", "09:30", "--repeat", "daily",
		"--start", time.Now().AddDate(0, 0, 2).Format(time.DateOnly)).want(0)
	return strconv.FormatInt(object[mailingJSON](made).ID, 10)
}

// serve runs a node that sends, until the test ends.
func (s *shell) serve() {
	s.Helper()
	ctx, stop := context.WithCancel(context.Background())
	node := s.in(s.T, "VESTNIK_ROLES=scheduler,worker")
	var served sync.WaitGroup
	var log bytes.Buffer
	served.Go(func() {
		code := run(ctx, world{args: []string{"serve"}, env: node.env, out: io.Discard, err: &log})
		if code != 0 {
			s.Errorf("serve ended with %d: %s", code, log.String())
		}
	})
	s.Cleanup(func() {
		stop()
		served.Wait()
	})
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
