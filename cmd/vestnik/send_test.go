package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// limit is how long a test waits for something that must happen. Chosen: it is
// only used up when the test fails.
const limit = 30 * time.Second

func TestSend(t *testing.T) {
	s := newShell(t)
	s.serve()
	id := s.furnish("boris@example.com", "vera@example.com", "glory+bounce@example.com")
	t.Run("waiting for a sending with a failure ends with 6 and tells the numbers", func(t *testing.T) {
		run := object[runJSON](s.in(t).run("mailing", "send", "--json", "--wait", "--timeout", "30s", id).want(exitIncomplete))
		equal(t, "state", run.State, "completed")
		equal(t, "kind", run.Kind, "manual")
		equal(t, "audience", run.Audience, 3)
		equal(t, "sent", run.Sent, 2)
		equal(t, "failed", run.Failed, 1)
	})
	t.Run("sent twice in a minute, it is a conflict", func(t *testing.T) {
		s.in(t).run("mailing", "send", id).want(exitConflict)
	})
	t.Run("the one who bounced is skipped the next time, and all is well", func(t *testing.T) {
		next := s.mailing(anna, s.message(anna))
		s.in(t).run("mailing", "send", "--wait", "--timeout", "30s", next).want(0).says("Completed", "sent: 2", "failed: 0", "skipped: 1")
	})
	t.Run("status tells of the runs", func(t *testing.T) {
		status := object[mailingStatusJSON](s.in(t).run("mailing", "status", "--json", id).want(0))
		if len(status.Runs) != 1 || status.Runs[0].Failed != 1 || status.Runs[0].FinishedAt == nil {
			t.Errorf("the runs are %+v", status.Runs)
		}
		s.in(t).run("mailing", "status", id).want(0).says("Next sending: ", "every day", "By hand", "Will get it: 2 of 3")
	})
	t.Run("the log has every attempt with the server's answer, as JSON lines", func(t *testing.T) {
		attempts := logLines(s.in(t).run("log", "--json", "--mailing", id).want(0))
		results := map[string]int{}
		for _, a := range attempts {
			results[a.Result]++
			if a.Host != "demo" || a.Code == 0 || a.Answer == "" || strconv.FormatInt(a.Mailing, 10) != id {
				t.Errorf("an attempt is %+v", a)
			}
		}
		equal(t, "accepted", results["accepted"], 2)
		equal(t, "failed", results["failed"], 1)
	})
	checkLog(t, s, id)
}

func checkLog(t *testing.T, s *shell, id string) {
	all := logLines(s.run("log", "--json").want(0))
	t.Run("the newest attempts come first, no more than asked for", func(t *testing.T) {
		some := logLines(s.in(t).run("log", "--json", "--limit", "2").want(0))
		if !slices.Equal(ids(some), ids(all)[:2]) {
			t.Errorf("%v of %v", ids(some), ids(all))
		}
	})
	t.Run("a limit of 0 is none", func(t *testing.T) {
		if got := logLines(s.in(t).run("log", "--json", "--limit", "0").want(0)); !slices.Equal(ids(got), ids(all)) {
			t.Errorf("%v of %v", ids(got), ids(all))
		}
	})
	t.Run("a run's log is that of the run", func(t *testing.T) {
		run := all[0].Run
		for _, a := range logLines(s.in(t).run("log", "--json", "--run", strconv.FormatInt(run, 10)).want(0)) {
			equal(t, "run", a.Run, run)
		}
	})
	t.Run("an attempt has the fields that are documented", func(t *testing.T) {
		first, _, _ := strings.Cut(s.run("log", "--json", "--limit", "1").want(0).out, "\n")
		want := []string{
			"answer", "at", "code", "delivery", "duration_ms", "email", "enhanced", "host", "id", "mailing", "node",
			"result", "run", "stage", "tls",
		}
		if got := fields(result{shell: s.in(t), out: first}); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
	t.Run("people read the answer in words", func(t *testing.T) {
		s.in(t).run("log", "--mailing", id).want(0).says("Success", "Failure", "glory+bounce@example.com", "550 5.1.1")
	})
	t.Run("somebody else's log is empty, and their mailing not there", func(t *testing.T) {
		s := s.in(t)
		s.run("user", "create", "--email", "boris@example.com").want(0)
		equal(t, "their log", s.run("log", "--owner", "boris@example.com").want(0).out, "")
		s.run("log", "--owner", "boris@example.com", "--mailing", id).want(exitNotFound)
	})
}

func logLines(r result) []attemptJSON {
	r.shell.Helper()
	var attempts []attemptJSON
	for line := range strings.Lines(r.out) {
		var a attemptJSON
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			r.shell.Fatalf("%v in %q", err, line)
		}
		attempts = append(attempts, a)
	}
	return attempts
}

func ids(attempts []attemptJSON) []int64 {
	list := make([]int64, len(attempts))
	for i, a := range attempts {
		list[i] = a.ID
	}
	return list
}

func TestSendWithoutNode(t *testing.T) {
	t.Run("without --wait it only opens the run", func(t *testing.T) {
		s := newShell(t)
		id := s.furnish("boris@example.com")
		run := object[runJSON](s.run("mailing", "send", "--json", id).want(0))
		equal(t, "audience", run.Audience, 1)
		equal(t, "sent", run.Sent, 0)
		s.run("mailing", "send", id).want(exitConflict)
	})
	t.Run("a wait that runs out ends with 7, and the run stays", func(t *testing.T) {
		s := newShell(t)
		id := s.furnish("boris@example.com")
		s.run("mailing", "send", "--wait", "--timeout", "10ms", id).want(exitUnfinished).says("left: 1").complains("The wait is over")
	})
	t.Run("a paused mailing is a conflict", func(t *testing.T) {
		s := newShell(t)
		id := s.furnish("boris@example.com")
		s.run("mailing", "pause", id).want(0)
		s.run("mailing", "send", id).want(exitConflict).complains("Paused")
	})
	t.Run("a limit without a wait is a usage error", func(t *testing.T) {
		newShell(t).run("mailing", "send", "--timeout", "1s", "1").want(exitUsage).complains("--wait")
	})
	t.Run("a mailing that is paused meanwhile ends the wait with 7", func(t *testing.T) {
		s := newShell(t)
		id := s.furnish("boris@example.com")
		waited := s.whileWaiting(ctx, id, func() { s.run("mailing", "pause", id).want(0) })
		waited.want(exitUnfinished).complains("paused or disabled")
	})
	t.Run("a signal ends the wait with 130, and the numbers are told", func(t *testing.T) {
		s := newShell(t)
		id := s.furnish("boris@example.com")
		waiting, interrupt := context.WithCancel(ctx)
		s.whileWaiting(waiting, id, interrupt).want(exitInterrupted).says("left: 1").complains("Interrupted")
	})
}

// whileWaiting does something while a command waits for the mailing's run.
func (s *shell) whileWaiting(ctx context.Context, id string, do func()) result {
	s.Helper()
	opened := &awaited{text: "was opened", seen: make(chan struct{})}
	var errs bytes.Buffer
	code := make(chan int)
	go func() {
		code <- run(ctx, world{args: []string{"mailing", "send", "--wait", "--timeout", limit.String(), id}, env: s.env, out: opened, err: &errs})
	}()
	select {
	case <-opened.seen:
		do()
	case <-time.After(limit):
		s.Error("no run was opened")
	}
	return result{shell: s, code: <-code, out: opened.all(), err: errs.String()}
}

// awaited is an output that tells when a text was written to it.
type awaited struct {
	text string
	seen chan struct{}

	mu      sync.Mutex
	written bytes.Buffer
	told    bool
}

func (a *awaited) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, err := a.written.Write(p)
	if !a.told && strings.Contains(a.written.String(), a.text) {
		a.told = true
		close(a.seen)
	}
	return n, err
}

func (a *awaited) all() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.written.String()
}

func TestServe(t *testing.T) {
	t.Run("SIGTERM stops the service in order, with 0", func(t *testing.T) {
		s := startService(t)
		s.signal(syscall.SIGTERM)
		if err := s.wait(); err != nil {
			t.Errorf("%v\n%s", err, s.log.all())
		}
	})
	t.Run("a second signal ends it at once", func(t *testing.T) {
		s := startService(t)
		s.holdUp()
		// Nobody outside can see when the first signal has been taken; from then
		// on any further one kills.
		for s.running() {
			s.signal(syscall.SIGINT)
			select {
			case <-s.ended:
			case <-time.After(20 * time.Millisecond):
			}
		}
		s.wait()
		status := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !status.Signaled() || status.Signal() != syscall.SIGINT {
			t.Errorf("it ended by itself, with %v\n%s", s.cmd.ProcessState, s.log.all())
		}
	})
	t.Run("an address that is taken is a fault and says which", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		newShell(t).run("serve", "--addr", l.Addr().String()).want(exitFault).complains(l.Addr().String())
	})
}

// service is a process that serves.
type service struct {
	*testing.T
	cmd   *exec.Cmd
	addr  string
	log   *awaited
	ended chan struct{}
	err   error // of the process, once ended
}

func startService(t *testing.T) *service {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{
		T: t, cmd: exec.Command(os.Args[0], "serve"), addr: l.Addr().String(), ended: make(chan struct{}),
		log: &awaited{text: "pages are served", seen: make(chan struct{})},
	}
	l.Close()
	s.cmd.Env = []string{"VESTNIK_ADDR=" + s.addr, "VESTNIK_DATA_DIR=" + t.TempDir()}
	s.cmd.Stderr = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-s.ended
	})
	select {
	case <-s.log.seen:
	case <-s.ended:
		t.Fatalf("it ended: %s", s.log.all())
	case <-time.After(limit):
		t.Fatalf("it does not serve: %s", s.log.all())
	}
	return s
}

func (s *service) signal(sig os.Signal) { s.cmd.Process.Signal(sig) }

func (s *service) running() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

func (s *service) wait() error {
	select {
	case <-s.ended:
		return s.err
	case <-time.After(limit):
		s.Fatalf("it does not end: %s", s.log.all())
		return nil
	}
}

// holdUp keeps a request open, which an orderly stop waits for. The service's
// "100 Continue" says that it has begun to read the form (RFC 9110, 10.1.1).
func (s *service) holdUp() {
	s.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { c.Close() })
	io.WriteString(c, "POST /login HTTP/1.1\r\nHost: "+s.addr+"\r\nExpect: 100-continue\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\n")
	c.SetReadDeadline(time.Now().Add(limit))
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		s.Fatalf("the service answers %q, %v", line, err)
	}
}
