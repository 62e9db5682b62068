// Package pgserver starts PostgreSQL servers that belong to one process: tests and
// benches. Each has a folder of its own, listens on a socket in it and on no
// network, and ends with the process that started it, however that ends.
package pgserver

import (
	"bufio"
	"cmp"
	"context"
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
	"time"

	"github.com/jackc/pgx/v5"
)

// Folders is where Debian keeps its versions of PostgreSQL.
const Folders = "/usr/lib/postgresql/*/bin"

// ErrNone says what to do about a machine without PostgreSQL, since it ends up
// in front of a person.
var ErrNone = errors.New("there is no PostgreSQL in " + Folders + `; install it with "apt-get install postgresql"`)

// Server is a running server. It may be used by many at once.
type Server struct {
	folder string
	guard  *exec.Cmd
	leash  io.WriteCloser // closing it, or dying, stops the server
	admin  *pgx.Conn

	mu   sync.Mutex // one statement at a time, and a template that is being copied cannot be copied
	last int        // the number of the newest database
}

// Installed reports whether Start finds a PostgreSQL on this machine.
func Installed() bool {
	_, err := find()
	return err == nil
}

// Start starts a server with PostgreSQL's own settings but for those given, each
// "name=value". The error is ErrNone when the machine has no PostgreSQL.
func Start(settings ...string) (*Server, error) {
	programs, err := find()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	p := &Server{}
	if p.folder, err = os.MkdirTemp("", "vestnik-pg-"); err != nil {
		return nil, fmt.Errorf("pgserver: start: %w", err)
	}
	if err := p.run(programs, as, settings); err != nil {
		return nil, errors.Join(fmt.Errorf("pgserver: start: %w", err), p.Stop(), os.RemoveAll(p.folder))
	}
	return p, nil
}

func (p *Server) run(programs string, as *syscall.Credential, settings []string) error {
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
	if err := p.serve(filepath.Join(programs, "postgres"), as, settings); err != nil {
		return err
	}
	var err error
	p.admin, err = pgx.Connect(context.Background(), p.URL("postgres"))
	return err
}

// guardScript runs the server and does what it is told on its standard input, until
// that ends, which it does when the process closes it or is gone, however it went.
// Then it stops the server at once and removes its folder.
const guardScript = `"$@" </dev/null &
while read -r word; do
	case $word in
	halt) kill -QUIT $! && wait ;;
	resume) "$@" </dev/null & ;;
	esac
done
kill -INT $!
wait
cd / && rm -rf "$0"`

func (p *Server) serve(program string, as *syscall.Credential, settings []string) error {
	args := []string{"-c", guardScript, p.folder, program, "-D", filepath.Join(p.folder, "data")}
	for _, setting := range append([]string{
		"listen_addresses=", "unix_socket_directories=" + p.folder, "max_connections=300", "lc_messages=C",
		"logging_collector=off", "log_destination=stderr", "log_min_messages=warning",
	}, settings...) {
		args = append(args, "-c", setting)
	}
	p.guard = exec.Command("/bin/sh", args...)
	p.guard.Dir = p.folder
	// A group of its own, so that Ctrl-C reaches the process and not the guard.
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

// URL is the address of a database of the server.
func (p *Server) URL(database string) string {
	return "postgres:///" + database + "?host=" + p.folder + "&user=vestnik&sslmode=disable"
}

// Create makes a database like the template, which nobody may use meanwhile, with
// a name that no other has. "template0" has no tables.
func (p *Server) Create(template string) (name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	name = fmt.Sprintf("vestnik_%d", p.last)
	if _, err := p.admin.Exec(context.Background(), "create database "+name+" template "+template); err != nil {
		return "", fmt.Errorf("pgserver: create database: %w", err)
	}
	return name, nil
}

// Drop deletes a database and ends whoever uses it.
func (p *Server) Drop(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.admin.Exec(context.Background(), "drop database "+name+" with (force)"); err != nil {
		return fmt.Errorf("pgserver: drop database: %w", err)
	}
	return nil
}

// Halt ends the server and all connections at once, as a crash does, and waits until
// nobody can connect. What was committed is there after Resume, unless settings of
// the server say otherwise.
func (p *Server) Halt() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.leash, "halt\n"); err != nil {
		return fmt.Errorf("pgserver: halt: %w", err)
	}
	for {
		admin, err := pgx.Connect(context.Background(), p.URL("postgres"))
		if err != nil {
			return nil
		}
		admin.Close(context.Background())
		time.Sleep(pollEvery)
	}
}

// Resume starts the server that was halted and waits until it answers.
func (p *Server) Resume() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.leash, "resume\n"); err != nil {
		return fmt.Errorf("pgserver: resume: %w", err)
	}
	p.admin.Close(context.Background())
	for limit := time.Now().Add(resumeWithin); ; time.Sleep(pollEvery) {
		var err error
		if p.admin, err = pgx.Connect(context.Background(), p.URL("postgres")); err == nil {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("pgserver: resume: %w", err)
		}
	}
}

// How often a server that was halted or resumed is looked at, and for how long:
// chosen, as recovery from a crash takes as long as there is to recover.
const (
	pollEvery    = 20 * time.Millisecond
	resumeWithin = time.Minute
)

// PID is the process that all others of the server are children of.
func (p *Server) PID() (int, error) {
	data, err := os.ReadFile(filepath.Join(p.folder, "data", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("pgserver: %w", err)
	}
	first, _, _ := strings.Cut(string(data), "\n")
	return strconv.Atoi(first)
}

// Stop ends the server and waits until it and its folder are gone.
func (p *Server) Stop() error {
	var errs []error
	if p.admin != nil {
		errs = append(errs, p.admin.Close(context.Background()))
	}
	if p.guard != nil && p.guard.Process != nil {
		errs = append(errs, p.leash.Close(), p.guard.Wait())
	}
	return errors.Join(errs...)
}

// find returns the folder of the newest version's programs.
func find() (string, error) {
	folders, err := filepath.Glob(Folders)
	if err != nil {
		return "", err
	}
	folders = slices.DeleteFunc(folders, func(folder string) bool {
		_, err := os.Stat(filepath.Join(folder, "initdb"))
		return err != nil
	})
	if len(folders) == 0 {
		return "", ErrNone
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

// unprivileged returns whom the server runs as: nil for whoever runs the process,
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
