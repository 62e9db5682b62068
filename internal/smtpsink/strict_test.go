package smtpsink

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

// breaches says something to a strict sink and returns what it saw.
func breaches(t *testing.T, options Options, pieces ...string) string {
	t.Helper()
	options.Strict = true
	s := start(t, options)
	talk(t, s, pieces...)
	return strings.Join(s.Violations(), "; ")
}

const hello = "EHLO c\r\n"

var (
	inUTF8   = Options{UTF8: true}
	oneByOne = Options{NoPipelining: true}
)

// breachesOfWire are what clients say, and what is to be seen in it.
var breachesOfWire = []struct {
	name    string
	options Options
	said    string
	want    string
}{
	{"a bare LF ends no line", Options{}, hello + envelope + "a\nb\r\n.\r\n", "bare LF in data"},
	{"a bare CR ends no line", Options{}, hello + envelope + "a\rb\r\n.\r\n", "bare CR in data"},
	{"a message holds no NUL", Options{}, hello + envelope + "a\x00b\r\n.\r\n", "NUL in data"},
	{"999 octets are too long", Options{}, hello + envelope + x(999) + "\r\n.\r\n", "line of more than 998 octets"},
	{"the dot of dot-stuffing counts only if it is one", Options{}, hello + envelope + "x" + "." + x(997) + "\r\n.\r\n", "line of more than 998 octets"},
	{"a leading dot is doubled", Options{}, hello + envelope + ".a\r\n.\r\n", "line that begins with a single dot"},
	{"octets above 127 need BODY", Options{}, hello + envelope + "\xd0\xb0\r\n.\r\n", "8-bit data without BODY=8BITMIME"},
	{"SIZE is kept to", Options{MaxSize: 1000}, hello + "MAIL FROM:<a@x.test> SIZE=3\r\nRCPT TO:<b@x.test>\r\nDATA\r\nab\r\n.\r\n", "message of more octets than SIZE declared"},
	{"a command ends in CRLF", Options{}, "NOOP\n", "bare LF after a command"},
	{"a command holds no CR", Options{}, "NO\rOP\r\n", "bare CR in a command"},
	{"a command holds no control character", Options{}, "NOOP \x00\r\n", "control character in a command"},
	{"a command has 512 octets at most", Options{}, "NOOP " + x(506) + "\r\n", "NOOP of more than 512 octets"},
	{"MAIL has as many more as was announced", Options{}, hello + "MAIL FROM:<a@x.test> BODY=" + x(513) + "\r\n", "MAIL of more than 529 octets"},
	{"MAIL comes after EHLO", Options{}, envelope + "x\r\n.\r\n", "MAIL before EHLO or HELO"},
	{"MAIL comes once", Options{}, hello + "MAIL FROM:<a@x.test>\r\nMAIL FROM:<a@x.test>\r\n", "MAIL within a transaction"},
	{"RCPT comes after MAIL", oneByOne, hello + "RCPT TO:<a@x.test>\r\n", "RCPT without MAIL"},
	{"DATA comes after RCPT", oneByOne, hello + "DATA\r\n", "DATA without a recipient"},
	{"STARTTLS needs an announcement", Options{}, hello + "STARTTLS\r\n", "STARTTLS that was not announced"},
	{"AUTH needs an announcement", Options{}, hello + "AUTH PLAIN AA==\r\n", "AUTH that was not announced"},
	{"AUTH comes before MAIL", Options{Username: "u"}, hello + "AUTH PLAIN AHUA\r\nAUTH PLAIN AHUA\r\n", "AUTH within a transaction or for a second time"},
	{"EHLO says who it is", Options{}, "EHLO my host\r\n", "EHLO without a domain or an address literal"},
	{"EHLO says an address in brackets", Options{}, "EHLO [1.2.3]\r\n", "EHLO without a domain or an address literal"},
	{"no space is before an address", Options{}, hello + "MAIL FROM: <a@x.test>\r\n", "FROM: not followed by <address>"},
	{"an address has brackets", Options{}, hello + "MAIL FROM:a@x.test\r\n", "FROM: not followed by <address>"},
	{"an address has a domain", Options{}, hello + "MAIL FROM:<a>\r\n", "address without a domain"},
	{"a local part has 64 octets at most", Options{}, hello + "MAIL FROM:<" + x(65) + "@x.test>\r\n", "local part of no or more than 64 octets"},
	{"a domain has 255 octets at most", Options{}, hello + "MAIL FROM:<a@" + x(256) + ">\r\n", "domain of no or more than 255 octets"},
	{"a path has 256 octets at most", Options{}, hello + "MAIL FROM:<a@" + x(253) + ">\r\n", "path of more than 256 octets"},
	{"an address has no space", Options{}, hello + "MAIL FROM:<a b@x.test>\r\n", "address with a space or an angle bracket"},
	{"SIZE needs an announcement", Options{}, hello + "MAIL FROM:<a@x.test> SIZE=1\r\n", "parameter SIZE that was not announced"},
	{"BODY needs an announcement", Options{NoEightBit: true}, hello + "MAIL FROM:<a@x.test> BODY=8BITMIME\r\n", "parameter BODY that was not announced"},
	{"SMTPUTF8 needs an announcement", Options{}, hello + "MAIL FROM:<a@x.test> SMTPUTF8\r\n", "parameter SMTPUTF8 that was not announced"},
	{"AUTH= needs an announcement", Options{}, hello + "MAIL FROM:<a@x.test> AUTH=<>\r\n", "parameter AUTH that was not announced"},
	{"after HELO nothing is announced", Options{}, "HELO c\r\nMAIL FROM:<a@x.test> BODY=7BIT\r\n", "parameter BODY that was not announced"},
	{"RCPT has no parameters", Options{}, hello + "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test> NOTIFY=NEVER\r\n", "parameter NOTIFY that was not announced"},
	{"no other parameter is known", Options{}, hello + "MAIL FROM:<a@x.test> RET=FULL\r\n", "parameter RET that was not announced"},
	{"SIZE is a number", Options{MaxSize: 9}, hello + "MAIL FROM:<a@x.test> SIZE=1K\r\n", `parameter SIZE with the value "1K"`},
	{"BODY is one of two", Options{}, hello + "MAIL FROM:<a@x.test> BODY=9BIT\r\n", `parameter BODY with the value "9BIT"`},
	{"SMTPUTF8 has no value", inUTF8, hello + "MAIL FROM:<a@x.test> SMTPUTF8=1\r\n", `parameter SMTPUTF8 with the value "1"`},
	{"a parameter is parted by a space", Options{}, hello + "MAIL FROM:<a@x.test>BODY=7BIT\r\n", "parameter that is not parted by a space"},
	{"UTF-8 in a sender needs SMTPUTF8", inUTF8, hello + "MAIL FROM:<а@x.test>\r\n", "address in UTF-8 without SMTPUTF8"},
	{"UTF-8 in a recipient needs SMTPUTF8", inUTF8, hello + "MAIL FROM:<a@x.test>\r\nRCPT TO:<б@x.test>\r\n", "address in UTF-8 without SMTPUTF8"},
	{"groups need an announcement", oneByOne, hello + envelope + "x\r\n.\r\n", "pipelining that was not announced after MAIL"},
	{"also behind the final dot", oneByOne, hello + envelope + "x\r\n.\r\n", "pipelining that was not announced after the final dot"},
	{"after HELO there are no groups", Options{}, "HELO c\r\n" + envelope + "x\r\n.\r\n", "pipelining that was not announced after HELO"},
}

func TestViolationsAreSeen(t *testing.T) {
	t.Parallel()
	for _, test := range breachesOfWire {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := breaches(t, test.options, test.said+"QUIT\r\n"); !strings.Contains(got, test.want) {
				t.Errorf("violations %q, want %q", got, test.want)
			}
		})
	}
}

// step says a piece and waits for so many lines of answers.
type step struct {
	say   string
	lines int
}

// stepwise holds a conversation as a client does that waits for answers.
func stepwise(t *testing.T, options Options, steps ...step) (*Server, []string) {
	t.Helper()
	options.Strict = true
	s := start(t, options)
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for _, step := range append([]step{{"", 1}}, steps...) {
		fmt.Fprint(conn, step.say)
		for range step.lines {
			if _, err := in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s, s.Violations()
}

func TestNoWaitingIsSeen(t *testing.T) {
	t.Parallel()
	config, _, err := SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	options := Options{TLS: config, Username: "u"}
	greeted := step{hello, 6}
	for name, said := range map[string]string{
		"DATA": "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\nx\r\n.\r\n",
		"NOOP": "NOOP\r\nRSET\r\n", "VRFY": "VRFY a\r\nRSET\r\n", "EHLO": hello + hello,
		"STARTTLS": "STARTTLS\r\nRSET\r\n", "AUTH": "AUTH PLAIN AAAA\r\nRSET\r\n", "QUIT": "QUIT\r\nRSET\r\n",
	} {
		t.Run(name+" is the last of its group", func(t *testing.T) {
			t.Parallel()
			_, violations := stepwise(t, options, greeted, step{said, 1})
			if got := strings.Join(violations, "; "); !strings.Contains(got, "no waiting for the answer to "+name) {
				t.Errorf("violations %q", got)
			}
		})
	}
}

func TestTheNextGroupMayComeRightBehindTheDot(t *testing.T) {
	t.Parallel()
	s, violations := stepwise(t, Options{}, step{hello, 4}, step{envelope, 3},
		step{"x\r\n.\r\n" + envelope, 4}, step{"y\r\n.\r\n" + "RSET\r\n" + envelope, 5}, step{".\r\nQUIT\r\n", 2})
	if len(violations) > 0 || s.Count() != 3 {
		t.Errorf("%d accepted, violations %q", s.Count(), violations)
	}
}

func TestWhatIsAllowedIsNoViolation(t *testing.T) {
	t.Parallel()
	longest := "MAIL FROM:<" + x(64) + "@" + x(180) + ".test> SIZE=99999 BODY=8BITMIME SMTPUTF8\r\n"
	for name, said := range map[string]string{
		"an empty sender":              "MAIL FROM:<>\r\nRCPT TO:<postmaster@x.test>\r\nDATA\r\n",
		"all parameters announced":     longest + "RCPT TO:<анна@x.test>\r\nDATA\r\n",
		"a quoted local part":          "MAIL FROM:<\"a b\"@x.test>\r\nRCPT TO:<a@[127.0.0.1]>\r\nDATA\r\n",
		"lower case, as of old people": "mail from:<a@x.test> body=8bitmime\r\nrcpt to:<b@x.test>\r\ndata\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := ".." + x(997) + "\r\n..\r\n" + x(998) + "\r\n\r\n.\r\n"
			s, violations := stepwise(t, Options{UTF8: true, MaxSize: 1 << 20}, step{"EHLO [IPv6:::1]\r\n", 6}, step{said, 3}, step{body, 1})
			if len(violations) > 0 || s.Count() != 1 {
				t.Errorf("%d accepted, violations %q", s.Count(), violations)
			}
		})
	}
}

func TestLinesLongerThanTheBufferAreRead(t *testing.T) {
	t.Parallel()
	for shift := -3; shift <= 3; shift++ {
		long := x(bufferBytes + shift)
		s, violations := stepwise(t, Options{Keep: true}, step{hello, 4}, step{envelope, 3}, step{long + "\r\n.\r\n", 1})
		if got := s.Messages(); len(got) != 1 || string(got[0].Data) != long+"\r\n" {
			t.Errorf("shift %d: %d messages arrived", shift, len(got))
		}
		if len(violations) != 1 || !strings.HasSuffix(violations[0], "line of more than 998 octets") {
			t.Errorf("shift %d: violations %q", shift, violations)
		}
	}
}

func TestABareCRAtTheEndOfTheBufferIsSeen(t *testing.T) {
	t.Parallel()
	_, violations := stepwise(t, Options{}, step{hello, 4}, step{envelope, 3}, step{x(bufferBytes-1) + "\ry\r\n.\r\n", 1})
	if got := strings.Join(violations, "; "); !strings.Contains(got, "bare CR in data") || strings.Contains(got, "bare LF") {
		t.Errorf("violations %q", got)
	}
}

func TestABreachIsToldOnceInAMessage(t *testing.T) {
	t.Parallel()
	_, violations := stepwise(t, Options{}, step{hello, 4}, step{envelope, 3}, step{"a\nb\nc\r\n.\r\n", 1}, step{envelope, 3}, step{"a\nb\r\n.\r\n", 1})
	if len(violations) != 2 {
		t.Errorf("violations %q of two messages", violations)
	}
}

func TestStrictFormatLooksIntoMessages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ message, want string }{
		{flawless, ""},
		{strings.Replace(flawless, "Date: ", "X-Date: ", 1), "connection 1: message from <a@x.test> to <b@x.test>: 0 fields Date instead of one"},
	} {
		_, violations := stepwise(t, Options{StrictFormat: true}, step{hello, 4}, step{envelope, 3}, step{test.message + ".\r\n", 1})
		if got := strings.Join(violations, "; "); got != test.want {
			t.Errorf("violations %q, want %q", got, test.want)
		}
	}
}
