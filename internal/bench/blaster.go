package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// blast measures the ceiling: how fast the machine sends messages that are ready.
func blast(ctx context.Context, s scenario) (Result, error) {
	sink, err := startSink(ctx, s.Delay)
	if err != nil {
		return Result{}, err
	}
	blaster, err := start(ctx, []string{}, os.Stderr, "bench", "blast", "--to="+sink.addr,
		"--with="+strconv.Itoa(s.Connections), "--recipients="+strconv.Itoa(s.Recipients))
	if err != nil {
		return Result{}, errors.Join(err, sink.end())
	}
	said, err := sink.await(ctx, s.Recipients)
	if err != nil {
		return Result{}, errors.Join(err, blaster.end(), sink.end())
	}
	r := resultOf(said, s.Recipients)
	if r.SinkCPU, err = cpu(sink.cmd.Process.Pid); err != nil {
		return r, err
	}
	if err := errors.Join(blaster.end(), sink.end()); err != nil {
		return r, fmt.Errorf("bench: ceiling: %w", err)
	}
	state := blaster.cmd.ProcessState
	r.SenderCPU = state.UserTime() + state.SystemTime()
	return r, nil
}

// Blast is the process of the bare blaster: it sends one ready message to each
// recipient, with nothing between: a connection writes a message and the next
// envelope at once, and then reads the answers to both.
func Blast(addr string, connections, recipients int) error {
	message, err := sample()
	if err != nil {
		return err
	}
	message = append(message, ".\r\n"...)
	var next atomic.Int64
	var all sync.WaitGroup
	failures := make(chan error, connections)
	for range connections {
		all.Go(func() {
			if err := blastOne(addr, message, func() int { return int(next.Add(1)) }, recipients); err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	close(failures)
	return <-failures // nil when there are none
}

func blastOne(addr string, message []byte, next func() int, recipients int) error {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return fmt.Errorf("bench: blast: %w", err)
	}
	defer conn.Close()
	replies := replies{bufio.NewReader(conn)}
	if err := replies.skip(1); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "EHLO blaster.test\r\n"); err != nil {
		return fmt.Errorf("bench: blast: %w", err)
	}
	if err := replies.skip(1); err != nil {
		return err
	}
	number, expected := next(), 3
	buffer := appendEnvelope(nil, number)
	for number <= recipients {
		if _, err := conn.Write(buffer); err != nil {
			return fmt.Errorf("bench: blast: %w", err)
		}
		if err := replies.skip(expected); err != nil {
			return err
		}
		buffer = append(buffer[:0], message...)
		if number, expected = next(), 4; number <= recipients {
			buffer = appendEnvelope(buffer, number)
		}
	}
	if expected == 3 {
		return nil // there was nothing left to send
	}
	if _, err := conn.Write(buffer); err != nil {
		return fmt.Errorf("bench: blast: %w", err)
	}
	return replies.skip(1)
}

func appendEnvelope(b []byte, number int) []byte {
	return fmt.Appendf(b, "MAIL FROM:<news@bench.test>\r\nRCPT TO:<%s>\r\nDATA\r\n", recipient(number))
}

// replies are what the server says.
type replies struct{ in *bufio.Reader }

// skip reads so many replies, which must be friendly.
func (r replies) skip(count int) error {
	for count > 0 {
		line, err := r.in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("bench: blast: %w", err)
		}
		if line[0] > '3' {
			return fmt.Errorf("bench: blast: the sink says %q", line)
		}
		if len(line) < 4 || line[3] != '-' { // else the reply goes on
			count--
		}
	}
	return nil
}
