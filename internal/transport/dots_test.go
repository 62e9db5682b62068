package transport

import (
	"bytes"
	"strings"
	"testing"

	"vestnik/internal/smtpsink"
)

// lines is what a message should be when it arrives: CRLF after every line.
func normalized(message string) string {
	text := strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(message)
	if text != "" && !strings.HasSuffix(text, "\r\n") {
		text += "\r\n"
	}
	return text
}

// stuffed runs the stuffer with blocks of the given size and returns all.
func stuffed(message string, block int) string {
	s := stuffer{rest: []byte(message)}
	var all, buffer []byte
	for {
		buffer = s.fill(buffer[:0], block)
		if s.done() {
			return string(append(all, s.finish(buffer)...))
		}
		all = append(all, buffer...)
	}
}

func unstuffed(t testing.TB, wire string) string {
	t.Helper()
	var out strings.Builder
	for rest := wire; ; {
		line, after, found := strings.Cut(rest, "\r\n")
		switch {
		case !found:
			t.Fatalf("no end in %q", wire)
		case line == ".":
			if after != "" {
				t.Fatalf("%q after the end", after)
			}
			return out.String()
		case strings.ContainsAny(line, "\r\n"):
			t.Fatalf("a bare CR or LF in %q", line)
		}
		out.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
		rest = after
	}
}

func FuzzStuffing(f *testing.F) {
	for _, seed := range []string{
		"", ".", "..", ".\r\n", "a", "a\r\n", "a\n.\nb", "a\r.\rb", "\r\n.\r\n", "\r\r\n\n.", "\n\r", "a\r\n.\r\nMAIL FROM:<x@y>\r\n",
		strings.Repeat("x", windowBytes-1) + "\r\n.y", strings.Repeat("x", windowBytes) + ".\r\n",
		strings.Repeat("x", windowBytes-1) + "\r", strings.Repeat(".", 3*windowBytes), strings.Repeat("\r", 2*windowBytes),
	} {
		f.Add(seed, 0)
		f.Add(seed, 7)
	}
	f.Fuzz(func(t *testing.T, message string, more int) {
		wire := stuffed(message, windowBytes+3+max(0, more%4096))
		if got, want := unstuffed(t, wire), normalized(message); got != want {
			t.Errorf("%q arrives as %q, want %q", message, got, want)
		}
	})
}

func TestDotsAndLinesAtTheEdgesOfBlocks(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{Keep: true, Strict: true})
	session := openSession(t, relayTo(sink))
	line := strings.Repeat("y", 76) + "\r\n"
	var sent []string
	for _, size := range []int{windowBytes, blockBytes - windowBytes, blockBytes, 2 * blockBytes} {
		for shift := -6; shift <= 6; shift++ {
			filler := strings.Repeat(line, size/len(line)+1)[:size+shift-2] + "\r\n"
			for _, tail := range []string{".", "..\r\n", "\n.\r\n", "\r.\r\n", ".\r\n.\r\nend"} {
				sent = append(sent, strings.ReplaceAll(filler, "y\r\r\n", "yy\r\n")+tail)
			}
		}
	}
	for _, message := range sent {
		result, err := session.Send(t.Context(), mail, []byte(message), nil)
		if err != nil || !result.Reply.Accepted() {
			t.Fatalf("not accepted: %+v, %v", result, err)
		}
	}
	for i, m := range sink.Messages() {
		if want := normalized(sent[i]); string(m.Data) != want {
			t.Errorf("message %d of %d octets ends in %q, want %q", i, len(want), tail(string(m.Data)), tail(want))
		}
	}
	if violations := sink.Violations(); sink.Count() != len(sent) || len(violations) > 0 {
		t.Errorf("%d of %d arrived, violations %q", sink.Count(), len(sent), violations)
	}
}

func TestDotsAtEveryOffsetAroundABlock(t *testing.T) {
	t.Parallel()
	// A block is written when no other window fits into it, so that its end lies
	// up to a window before its size, and where the lines let it.
	for _, test := range []struct{ block, line, from, to, step int }{
		{2*windowBytes + 3, 1, 3, 2*windowBytes + 8, 1},
		{2*windowBytes + 3, 76, 3, 2*windowBytes + 8, 1},
		{2*windowBytes + 3, 998, 3, 2*windowBytes + 8, 1},
		{blockBytes, 76, blockBytes - windowBytes - 20, blockBytes - windowBytes + 100, 1},
		{blockBytes, 998, blockBytes - windowBytes - 20, blockBytes + 8, 13},
	} {
		line := strings.Repeat("y", test.line) + "\r\n"
		filler := strings.Repeat(line, test.block/len(line)+2)
		for at := test.from; at <= test.to; at += test.step {
			for _, edge := range []string{"\r\n.\r\n", "\r\n..\r\n", "\n.", ".", "\r\n.\r\n.\r\n"} {
				message := filler[:min(at, len(filler))] + edge + "end"
				if got, want := unstuffed(t, stuffed(message, test.block)), normalized(message); got != want {
					t.Fatalf("%+v: %q at %d arrives as %q, want %q", test, edge, at, tail(got), tail(want))
				}
			}
		}
	}
}

func TestDotsAtEveryOffsetAroundAWindow(t *testing.T) {
	t.Parallel()
	for _, windows := range []int{1, 2, 3} {
		for shift := -4; shift <= 4; shift++ {
			head := strings.Repeat("z", windows*windowBytes+shift)
			for _, edge := range []string{".", "..", "\r\n.", "\r\n..", "\n.\n", "\r.\r", "\r\n.\r\n", "\r", "\r\r\n.", "\n\r.", ".\r\n."} {
				for _, block := range []int{windowBytes + 3, 2*windowBytes + 3, blockBytes} {
					message := head + edge + "end"
					if got, want := unstuffed(t, stuffed(message, block)), normalized(message); got != want {
						t.Errorf("%q at %d of blocks of %d arrives as %q, want %q", edge, len(head), block, tail(got), tail(want))
					}
				}
			}
		}
	}
}

func TestOneLineOfManyBlocks(t *testing.T) {
	t.Parallel()
	for _, octet := range []string{".", "x", "\r", "\n"} {
		message := strings.Repeat(octet, 3*blockBytes+1)
		if got, want := unstuffed(t, stuffed(message, blockBytes)), normalized(message); got != want {
			t.Errorf("%q without end arrives as %d octets ending in %q, want %d", octet, len(got), tail(got), len(want))
		}
	}
}

func tail(text string) string { return text[max(0, len(text)-20):] }

func TestTheMessageIsNotChanged(t *testing.T) {
	t.Parallel()
	sink := startSink(t, smtpsink.Options{})
	session := openSession(t, relayTo(sink))
	message := []byte(".a\n.b")
	if _, err := session.Send(t.Context(), mail, message, nil); err != nil || !bytes.Equal(message, []byte(".a\n.b")) {
		t.Errorf("message is %q now, %v", message, err)
	}
}
