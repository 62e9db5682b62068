package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vestnik/internal/config"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
	"vestnik/internal/store/storetest"
)

// childSetting makes this test binary a service instead, so that tests can kill
// a process that is really one.
const childSetting = "VESTNIK_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childSetting) == "serve" {
		os.Exit(serve())
	}
	storetest.Main(m)
}

// serve is what the command does: settings from the environment, a log on
// standard error, SIGTERM to stop. It ends with its standard input, too, so that
// nothing outlives the tests.
func serve() int {
	os.Unsetenv(childSetting) // it is no setting of the service
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	c, err := config.Load(os.Environ(), nil)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		err = server.Run(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, nil)), "test")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vestnik:", sentence(err))
		return 1
	}
	return 0
}

// sentence is what an operator is told.
func sentence(err error) string {
	catalog, broken := i18n.New()
	if broken != nil || mailing.KindOf(err) == 0 {
		return err.Error()
	}
	return catalog.For(i18n.English).Error(err)
}

// process is a running service.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	leash io.Closer
	log   *output
	ended chan struct{}
	err   error // of Wait; once ended
}

// start starts a service with nothing in its environment but the settings. When
// the test ends it is killed, and if the test failed its log is shown.
func start(t *testing.T, settings ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(self), log: &output{}, ended: make(chan struct{})}
	p.cmd.Env = append([]string{childSetting + "=serve", "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, settings...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = t.TempDir(), p.log, p.log
	// A group of its own, so that Ctrl-C reaches the tests first.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.leash, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of the service:\n%s", p.log.tail(6000))
		}
	})
	return p
}

// kill is kill -9, and waits until the process is gone.
func (p *process) kill() {
	// The error says that it has ended already.
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop asks the process to stop and returns how long that took. It must end well.
func (p *process) stop() time.Duration {
	p.t.Helper()
	asked := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if code := p.exit(2 * time.Minute); code != 0 {
		p.t.Errorf("the service that was asked to stop ended with code %d", code)
	}
	return time.Since(asked)
}

// exit waits for the end of the process and returns its exit code.
func (p *process) exit(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		p.t.Fatalf("the service still runs after %s", within)
		return -1
	}
}

// says waits until the log holds the text.
func (p *process) says(text string, within time.Duration) {
	p.t.Helper()
	await(p.t, within, "the log says "+text, func() bool {
		select {
		case <-p.ended:
			if !strings.Contains(p.log.String(), text) {
				p.t.Fatalf("the service ended (%v) and its log does not say %q", p.err, text)
			}
		default:
		}
		return strings.Contains(p.log.String(), text)
	})
}

// output is what a process has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) tail(most int) string {
	text := o.String()
	return text[max(0, len(text)-most):]
}

// lookEvery is how often what is awaited is looked at; chosen.
const lookEvery = 20 * time.Millisecond

// await looks again and again until what is claimed has come true.
func await(t *testing.T, within time.Duration, claim string, isTrue func() bool) {
	t.Helper()
	limit := time.After(within)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for !isTrue() {
		select {
		case <-limit:
			t.Fatalf("after %s it is not true that %s", within, claim)
		case <-look.C:
		}
	}
}

// Ports that freeAddr gives away. The system gives others to whoever does not ask for
// one (ip_local_port_range in ip(7)), and so to connections, of which there are many:
// nobody else takes one of these before it is listened on.
const firstPort, ports = 11_000, 20_000

// portsSeen is how many ports freeAddr has looked at. Each process of the tests begins
// elsewhere.
var portsSeen = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(int64(os.Getpid()) * 100)
	return &n
}()

// freeAddr is an address of this machine that nothing listens on and that no other
// test is given.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range ports {
		addr := fmt.Sprintf("127.0.0.1:%d", firstPort+portsSeen.Add(1)%ports)
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("all ports are taken")
	return ""
}

// systemSetting is the environment variable that lets tests take long and use
// programs and rights of the machine: smtp-sink, Postfix, mount.
const systemSetting = "VESTNIK_TEST_SYSTEM"

func systemTests() bool { return os.Getenv(systemSetting) == "1" }

// needSystem skips a test that takes longer than people wait.
func needSystem(t *testing.T) {
	t.Helper()
	if !systemTests() {
		t.Skipf("set %s=1 to run this test, which takes long or needs rights of the machine", systemSetting)
	}
}

// asMany is how many are enough: all where everything is to be tested, and fewer in the
// form that people wait for.
func asMany(few, all int) int {
	if systemTests() {
		return all
	}
	return few
}

// needProgram returns the path of a program. Without it the test is skipped, but
// fails where everything is to be tested.
func needProgram(t *testing.T, name, debian string) string {
	t.Helper()
	for _, folder := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(folder + name); err == nil {
			return path
		}
	}
	why := fmt.Sprintf("%s is not there; install it with \"apt-get install %s\"", name, debian)
	if systemTests() {
		t.Fatalf("%s=1 is set, but %s", systemSetting, why)
	}
	t.Skip(why)
	return ""
}
