package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"vestnik/internal/smtpsink"
)

// recipient is the address of the recipient with the number.
func recipient(number int) string { return fmt.Sprintf("client%07d@bench.test", number) }

// received is what the sink says about the mails it was given so far.
type received struct {
	Count   int
	Unique  int // recipients who have one at least
	First   time.Time
	Last    time.Time
	Strange int // mails to others than recipient says
}

// tally counts mails by recipient.
type tally struct {
	mu     sync.Mutex
	copies []uint8
	received
}

func (t *tally) note(m smtpsink.Message) {
	now := time.Now()
	number, known := numberOf(m.To)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Count == 0 {
		t.First = now
	}
	t.Count++
	t.Last = now
	if !known {
		t.Strange++
		return
	}
	for len(t.copies) <= number {
		t.copies = append(t.copies, 0)
	}
	if t.copies[number] == 0 {
		t.Unique++
	}
	t.copies[number] = min(t.copies[number], 254) + 1
}

func numberOf(to []string) (int, bool) {
	if len(to) != 1 {
		return 0, false
	}
	name, _ := strings.CutSuffix(to[0], "@bench.test")
	digits, _ := strings.CutPrefix(name, "client")
	number, err := strconv.ParseUint(digits, 10, 24)
	return int(number), err == nil
}

// Sink is the process of the counting sink: it says its address on a line, and
// answers every line on in with a line of JSON that says what it was given.
func Sink(in io.Reader, out io.Writer, delay time.Duration) error {
	var t tally
	server, err := smtpsink.Start(smtpsink.Options{Delay: delay, Received: t.note})
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Fprintln(out, server.Addr())
	answers := json.NewEncoder(out)
	for questions := bufio.NewScanner(in); questions.Scan(); {
		t.mu.Lock()
		said := t.received
		t.mu.Unlock()
		if err := answers.Encode(said); err != nil {
			return fmt.Errorf("bench: sink: %w", err)
		}
	}
	return nil
}

// sink is the process of Sink.
type sink struct {
	*process
	addr    string
	answers *bufio.Reader
}

func startSink(ctx context.Context, delay time.Duration) (*sink, error) {
	p, err := start(ctx, []string{}, os.Stderr, "bench", "sink", "--delay="+delay.String())
	if err != nil {
		return nil, err
	}
	s := &sink{process: p, answers: bufio.NewReader(p.out)}
	line, err := s.answers.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("bench: sink does not start: %w", err)
	}
	s.addr = strings.TrimSpace(line)
	return s, nil
}

func (s *sink) ask() (received, error) {
	var said received
	if _, err := fmt.Fprintln(s.in); err != nil {
		return said, fmt.Errorf("bench: sink: %w", err)
	}
	line, err := s.answers.ReadBytes('\n')
	if err != nil {
		return said, fmt.Errorf("bench: sink: %w", err)
	}
	return said, json.Unmarshal(line, &said)
}

// stuckAfter is how long nothing may arrive until the bench gives up. Chosen: far
// above every delay that is measured.
const stuckAfter = time.Minute

// await waits until so many mails are there.
func (s *sink) await(ctx context.Context, count int) (received, error) {
	before, since := received{}, time.Now()
	for {
		said, err := s.ask()
		switch {
		case err != nil || said.Count >= count:
			return said, err
		case said.Count > before.Count:
			before, since = said, time.Now()
		case time.Since(since) > stuckAfter:
			return said, fmt.Errorf("bench: after %d of %d mails nothing has come for %s", said.Count, count, stuckAfter)
		}
		select {
		case <-ctx.Done():
			return said, ctx.Err()
		case <-time.After(20 * time.Millisecond): // costs nothing, and is exact enough for the end
		}
	}
}
