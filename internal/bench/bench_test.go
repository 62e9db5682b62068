package bench

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"vestnik/internal/smtpsink"
)

func TestSample(t *testing.T) {
	t.Run("the letter makes a mail of about 4 KB with a text, HTML and a way to unsubscribe", func(t *testing.T) {
		message, err := sample()
		if err != nil {
			t.Fatal(err)
		}
		if len(message) < 3800 || len(message) > 4800 {
			t.Errorf("the mail has %d bytes", len(message))
		}
		for _, part := range []string{"text/plain", "text/html", "List-Unsubscribe:", "List-Unsubscribe-Post:", "Anna 1 Ivanova", "since 2019"} {
			if !strings.Contains(string(message), part) {
				t.Errorf("the mail has no %q", part)
			}
		}
	})
}

func TestBlaster(t *testing.T) {
	t.Run("the blaster sends one mail to each recipient, by the rules of SMTP, and the tally sees it", func(t *testing.T) {
		const recipients = 1000
		var seen tally
		sink, err := smtpsink.Start(smtpsink.Options{Strict: true, Received: seen.note})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		if err := Blast(sink.Addr(), 7, recipients); err != nil {
			t.Fatal(err)
		}
		if seen.Count != recipients || seen.Unique != recipients || seen.Strange != 0 {
			t.Errorf("the sink has %+v, want %d, each once", seen.received, recipients)
		}
		if broken := sink.Violations(); len(broken) > 0 {
			t.Errorf("the blaster breaks the rules: %v", broken)
		}
	})
	t.Run("a blaster that is refused says so", func(t *testing.T) {
		sink, err := smtpsink.Start(smtpsink.Options{Answer: func(stage smtpsink.Stage, _ smtpsink.Envelope) smtpsink.Reply {
			if stage == smtpsink.StageRcpt {
				return smtpsink.Reply{Code: 550, Text: "nobody here"}
			}
			return smtpsink.Reply{}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		if err := Blast(sink.Addr(), 2, 10); err == nil || !strings.Contains(err.Error(), "nobody here") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("without a sink there is an error", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if err := Blast(l.Addr().String(), 1, 1); err == nil {
			t.Error("there is none")
		}
	})
}

func TestTally(t *testing.T) {
	t.Run("a second copy and a stranger are seen", func(t *testing.T) {
		var seen tally
		for _, to := range []string{recipient(1), recipient(2), recipient(1), "other@bench.test"} {
			seen.note(smtpsink.Message{To: []string{to}})
		}
		r := resultOf(seen.received, 3)
		if r.Lost != 1 || r.Doubled != 2 || seen.Strange != 1 {
			t.Errorf("the result is %+v, strange %d", r, seen.Strange)
		}
	})
}

// usedByUs is how long this process has computed, by the kernel's other account.
func usedByUs(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestProcess(t *testing.T) {
	t.Run("processor time and memory of a process are read", func(t *testing.T) {
		before, err := treeCPU(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		for begin := usedByUs(t); usedByUs(t)-begin < 100*time.Millisecond; { // others may have the processor meanwhile
		}
		after, err := cpu(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if used := after - before; used < 50*time.Millisecond || used > 10*time.Second {
			t.Errorf("a tenth of a second of work took %s", used)
		}
		memory, err := peakMemory(os.Getpid())
		if err != nil || memory < 1<<20 {
			t.Errorf("memory is %d, %v", memory, err)
		}
	})
}

func TestMedian(t *testing.T) {
	t.Run("a row says the middle of its rounds and the sum of what was lost", func(t *testing.T) {
		row := Row{Results: []Result{{Rate: 3, Lost: 1}, {Rate: 1}, {Rate: 2, Lost: 1, Doubled: 4}}}
		m := row.Median()
		least, most := row.Spread()
		if m.Rate != 2 || m.Lost != 2 || m.Doubled != 4 || least != 1 || most != 3 {
			t.Errorf("the median is %+v, the spread %v to %v", m, least, most)
		}
	})
}
