package storetest

import (
	"bufio"
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// postgresSetting is the environment variable that lets tests use PostgreSQL.
const postgresSetting = "VESTNIK_TEST_POSTGRES"

// postgresFolders is where Debian keeps its versions of PostgreSQL.
const postgresFolders = "/usr/lib/postgresql/*/bin"

// errNoPostgres says what to do about it, since it ends up in a test's output.
var errNoPostgres = errors.New(postgresSetting + "=1 is set, but there is no PostgreSQL in " + postgresFolders +
	`; install it with "apt-get install postgresql"`)

// PostgresURL returns the address of a fresh, migrated PostgreSQL database, which
// several processes may open. It skips the test unless VESTNIK_TEST_POSTGRES=1 is
// set, and fails it when PostgreSQL cannot be started.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, templateName)
}

// EmptyPostgresURL returns the address of a PostgreSQL database without tables,
// for tests of the migrations.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return postgresURL(t, "template0")
}

func postgresURL(t testing.TB, template string) string {
	t.Helper()
	if os.Getenv(postgresSetting) != "1" {
		t.Skipf("set %s=1 to run this test on PostgreSQL, too", postgresSetting)
	}
	server, err := shared.start()
	if err != nil {
		t.Fatal(err)
	}
	name, err := server.create(template)
	if err != nil {
		t.Fatalf("make a PostgreSQL database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := server.admin.Exec("drop database " + name + " with (force)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return server.url(name)
}

// shared is the one server of this process, started by the first test that
// needs it.
var shared serverOnce

type serverOnce struct {
	once   sync.Once
	server *postgresServer
	err    error
}

func (s *serverOnce) start() (*postgresServer, error) {
	s.once.Do(func() { s.server, s.err = startPostgres() })
	return s.server, s.err
}

// stopPostgres stops the server if there is one. None can be started after it.
func stopPostgres() error {
	shared.once.Do(func() {})
	if shared.server == nil {
		return nil
	}
	return shared.server.stop()
}

// templateName is the migrated database that all others are copied from.
const templateName = "vestnik_template"

// postgresServer is a running server that listens on a socket in its folder and
// on no network.
type postgresServer struct {
	folder string
	guard  *exec.Cmd
	leash  io.Closer // closing it, or dying, stops the server
	admin  *sql.DB

	mu   sync.Mutex
	last int // the number of the newest database
}

func startPostgres() (*postgresServer, error) {
	programs, err := findPostgres()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	p := &postgresServer{}
	if p.folder, err = os.MkdirTemp("", "vestnik-pg-"); err != nil {
		return nil, err
	}
	if err := p.run(programs, as); err != nil {
		return nil, errors.Join(err, p.stop(), os.RemoveAll(p.folder))
	}
	return p, nil
}

func (p *postgresServer) run(programs string, as *syscall.Credential) error {
	if as != nil {
		if err := os.Chown(p.folder, int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	initdb := exec.Command(filepath.Join(programs, "initdb"), "--pgdata="+filepath.Join(p.folder, "data"),
		"--username=vestnik", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = p.folder, &syscall.SysProcAttr{Credential: as}
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, output)
	}
	if err := p.serve(filepath.Join(programs, "postgres"), as); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	admin, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		return err
	}
	// One at a time, since a template that is being copied cannot be copied.
	admin.SetMaxOpenConns(1)
	p.admin = admin
	if _, err := admin.Exec("create database " + templateName + " template template0"); err != nil {
		return err
	}
	return migrate(p.url(templateName))
}

// guardScript runs the server and waits for the end of its standard input, which
// comes when the test process closes it or is gone, however it went. Then it
// stops the server at once and removes its folder.
const guardScript = `"$@" </dev/null &
read -r _
kill -INT $!
wait
cd / && rm -rf "$0"`

// serve starts the server without the means to survive a power cut, which cost
// most of its time.
func (p *postgresServer) serve(program string, as *syscall.Credential) error {
	settings := []string{
		"listen_addresses=", "unix_socket_directories=" + p.folder, "max_connections=300", "shared_buffers=64MB",
		"fsync=off", "synchronous_commit=off", "full_page_writes=off", "lc_messages=C", "logging_collector=off",
		"log_destination=stderr", "log_min_messages=warning", "autovacuum=off", "deadlock_timeout=200ms",
	}
	args := []string{"-c", guardScript, p.folder, program, "-D", filepath.Join(p.folder, "data")}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	p.guard = exec.Command("/bin/sh", args...)
	p.guard.Dir = p.folder
	// A group of its own, so that Ctrl-C reaches the tests and not the guard.
	p.guard.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
	var err error
	if p.leash, err = p.guard.StdinPipe(); err != nil {
		return err
	}
	log, err := p.guard.StderrPipe()
	if err != nil {
		return err
	}
	if err := p.guard.Start(); err != nil {
		return err
	}
	return awaitReady(log)
}

// awaitReady reads the server's log until it says that the server is ready, and
// keeps reading after that so that the server can go on writing.
func awaitReady(log io.Reader) error {
	lines := bufio.NewScanner(log)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), "ready to accept connections") {
			go io.Copy(io.Discard, log) // ends with the server
			return nil
		}
	}
	return fmt.Errorf("it stopped: %s", strings.Join(said, "\n"))
}

func (p *postgresServer) url(database string) string {
	return "postgres:///" + database + "?host=" + p.folder + "&user=vestnik&sslmode=disable"
}

// create makes a database with a name that no other has.
func (p *postgresServer) create(template string) (string, error) {
	p.mu.Lock()
	p.last++
	name := fmt.Sprintf("test_%d", p.last)
	p.mu.Unlock()
	_, err := p.admin.Exec("create database " + name + " template " + template)
	return name, err
}

// stop ends the server and waits until it and its folder are gone.
func (p *postgresServer) stop() error {
	var errs []error
	if p.admin != nil {
		errs = append(errs, p.admin.Close())
	}
	if p.guard != nil && p.guard.Process != nil {
		errs = append(errs, p.leash.Close(), p.guard.Wait())
	}
	return errors.Join(errs...)
}

// findPostgres returns the folder of the newest version's programs.
func findPostgres() (string, error) {
	folders, err := filepath.Glob(postgresFolders)
	if err != nil {
		return "", err
	}
	folders = slices.DeleteFunc(folders, func(folder string) bool {
		_, err := os.Stat(filepath.Join(folder, "initdb"))
		return err != nil
	})
	if len(folders) == 0 {
		return "", errNoPostgres
	}
	return slices.MaxFunc(folders, func(a, b string) int {
		return cmp.Or(cmp.Compare(version(a), version(b)), cmp.Compare(a, b))
	}), nil
}

// version reads 15 from "/usr/lib/postgresql/15/bin", and 0 from anything else.
func version(folder string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged returns whom the server runs as: nil for whoever runs the tests,
// and another user for root, as whom PostgreSQL refuses to run.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(account.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}
