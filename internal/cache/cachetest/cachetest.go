// Package cachetest starts Redis servers for tests: each on a port of its own, without
// a disk, and gone with the process that started it, however that ends.
package cachetest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// systemSetting lets tests use programs of the machine.
const systemSetting = "VESTNIK_TEST_SYSTEM"

// Redis is a server that can be stopped and started again.
type Redis struct {
	t    testing.TB
	port int

	guard *exec.Cmd
	leash io.Closer
	pid   int
}

// password is asked of everybody, so that tests see it nowhere.
const password = "hunter2"

// Start starts a server, or skips the test where programs of the machine are not to be
// used.
func Start(t testing.TB) *Redis {
	t.Helper()
	if os.Getenv(systemSetting) != "1" {
		t.Skipf("set %s=1 to run this test, which starts a redis-server", systemSetting)
	}
	r := &Redis{t: t, port: freePort(t)}
	r.Restart()
	t.Cleanup(func() {
		if r.guard != nil {
			r.Kill()
		}
	})
	return r
}

// Location is that of the server, with its password.
func (r *Redis) Location() string { return fmt.Sprintf("redis://:%s@%s/0", password, r.Address()) }

// Address is host and port.
func (r *Redis) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }

// guard runs the server, tells its process id, and kills it when its own standard input
// ends, which it does with the process that has the other end.
const guard = `"$@" </dev/null >/dev/null 2>&1 &
echo $!
read -r _
kill -KILL $!`

// Restart starts the server, empty, and waits until it answers.
func (r *Redis) Restart() {
	r.t.Helper()
	r.guard = exec.Command("sh", "-c", guard, "sh", "redis-server", "--port", strconv.Itoa(r.port), "--bind", "127.0.0.1",
		"--requirepass", password, "--save", "", "--appendonly", "no", "--dir", r.t.TempDir())
	r.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches the tests first
	var err error
	if r.leash, err = r.guard.StdinPipe(); err != nil {
		r.t.Fatal(err)
	}
	out, err := r.guard.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.guard.Start(); err != nil {
		r.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		r.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		r.t.Fatal(err)
	}
	for limit := time.Now().Add(30 * time.Second); ; <-time.After(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", r.Address())
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(limit) {
			r.t.Fatalf("redis-server does not answer: %v", err)
		}
	}
}

// Kill is kill -9. What the server held is gone.
func (r *Redis) Kill() {
	r.t.Helper()
	r.leash.Close()
	if err := r.guard.Wait(); err != nil {
		r.t.Errorf("the guard of redis-server: %v", err)
	}
	r.guard = nil
}

// Freeze has the server answer nothing while its connections stay, as behind a network
// that is cut.
func (r *Redis) Freeze() { r.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (r *Redis) Thaw() { r.signal(syscall.SIGCONT) }

func (r *Redis) signal(s syscall.Signal) {
	r.t.Helper()
	if err := syscall.Kill(r.pid, s); err != nil {
		r.t.Fatal(err)
	}
}

// freePort is one that the system gives to nobody who does not ask for it
// (ip_local_port_range in ip(7)).
func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 11_000 + rand.IntN(20_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
