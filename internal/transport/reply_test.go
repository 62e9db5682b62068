package transport

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"vestnik/internal/mailing"
)

func parse(said string) (mailing.Reply, error) {
	return readReply(bufio.NewReaderSize(strings.NewReader(said), maxReplyLineBytes))
}

func TestReplies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, said string
		want       mailing.Reply
	}{
		{"one line", "250 2.0.0 Ok: queued as 4F\r\n", mailing.Reply{Code: 250, Enhanced: "2.0.0", Text: "Ok: queued as 4F"}},
		{"a code alone is complete", "250\r\n", mailing.Reply{Code: 250}},
		{"LF alone is read", "250 ok\n", mailing.Reply{Code: 250, Text: "ok"}},
		{"an enhanced code alone", "550 5.1.1\r\n", mailing.Reply{Code: 550, Enhanced: "5.1.1"}},
		{"three digits each", "550 5.110.999 x\r\n", mailing.Reply{Code: 550, Enhanced: "5.110.999", Text: "x"}},
		{"every line may repeat the enhanced code", "550-5.7.1 a\r\n550-5.7.1\r\n550 5.7.1 b\r\n", mailing.Reply{Code: 550, Enhanced: "5.7.1", Text: "a\n\nb"}},
		{"only a later line may have it", "550-sorry\r\n550 5.7.1 b\r\n", mailing.Reply{Code: 550, Enhanced: "5.7.1", Text: "sorry\nb"}},
		{"a class that is not the code's is text", "450 5.1.1 x\r\n", mailing.Reply{Code: 450, Text: "5.1.1 x"}},
		{"a version is not an enhanced code", "220 2.4.6.1 x\r\n", mailing.Reply{Code: 220, Text: "2.4.6.1 x"}},
		{"354 has no enhanced code", "354 3.0.0 go\r\n", mailing.Reply{Code: 354, Text: "3.0.0 go"}},
		{"four digits are none", "250 2.1234.1 x\r\n", mailing.Reply{Code: 250, Text: "2.1234.1 x"}},
		{"invented codes are read", "571 no\r\n", mailing.Reply{Code: 571, Text: "no"}},
		{"a long line is read", "250 " + strings.Repeat("x", 4000) + "\r\n", mailing.Reply{Code: 250, Text: strings.Repeat("x", 4000)}},
		{"a hundred lines are read", strings.Repeat("250-x\r\n", 99) + "250 y\r\n", mailing.Reply{Code: 250, Text: strings.Repeat("x\n", 99) + "y"}},
		{"direction marks and NUL go", "250 a\u202Eb\x00c\u200Fd\r\n", mailing.Reply{Code: 250, Text: "abcd"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, err := parse(test.said); err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestWhatIsNoReply(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		"\r\n", "25\r\n", "2500 x\r\n", "150 x\r\n", "650 x\r\n", "250x\r\n", "2a0 x\r\n", "SSH-2.0-OpenSSH\r\n", "+OK\r\n",
		"250-a\r\n550 b\r\n", "250-a\r\nb\r\n", "250 " + strings.Repeat("x", 5000) + "\r\n",
		strings.Repeat("250-x\r\n", 100) + "250 y\r\n",
		strings.Repeat("250-"+strings.Repeat("x", 4000)+"\r\n", 20) + "250 y\r\n",
	} {
		var noReply *garbageError
		if got, err := parse(said); !errors.As(err, &noReply) {
			t.Errorf("%.40q was read as %.60v, %v", said, got, err)
		}
	}
	if _, err := parse("250-a\r\n250"); !errors.Is(err, io.EOF) {
		t.Errorf("half a reply: %v", err)
	}
}

func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"250 2.0.0 ok\r\n", "250-a\r\n250 b\r\n", "550 5.1.1 \xff\x00\r\n", "250\r\n", "220-\r\n220\r\n", "354 x\n", "599 5.1.\r\n", "421 4..1 x\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		reply, err := parse(said)
		if err != nil {
			return
		}
		if reply.Code < 200 || reply.Code > 599 || !utf8.ValidString(reply.Text) {
			t.Errorf("%q was read as %+v", said, reply)
		}
		for _, r := range reply.Text + reply.Enhanced {
			if r != '\n' && unicode.IsControl(r) {
				t.Errorf("a control character in %+q", reply.Text)
			}
		}
		if reply.Enhanced != "" && int(reply.Enhanced[0]-'0') != reply.Code/100 {
			t.Errorf("classes differ in %+v", reply)
		}
	})
}
