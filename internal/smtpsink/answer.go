package smtpsink

import (
	"bufio"
	"bytes"
	"net"
	"strconv"
	"strings"
	"time"
)

// Stage is the point of a conversation that is answered.
type Stage string

// The stages, in the order of a conversation.
const (
	StageConnect  Stage = "connect"
	StageEHLO     Stage = "ehlo"
	StageStartTLS Stage = "starttls"
	StageAuth     Stage = "auth"
	StageMail     Stage = "mail"
	StageRcpt     Stage = "rcpt"
	StageData     Stage = "data"
	StageDot      Stage = "dot"
	StageReset    Stage = "rset"
	StageQuit     Stage = "quit"
)

// Envelope is what the server knows at a stage.
type Envelope struct {
	Connection int // from 1
	Accepted   int // messages accepted on this connection so far
	Hello      string
	TLS        bool
	User       string
	From       string
	To         []string // the last one is being answered at StageRcpt
}

// Action is what the server does instead of answering, or after it.
type Action uint8

// The actions.
const (
	Answer  Action = iota // just answer
	Hangup                // answer, then close, as after 421
	Drop                  // close without an answer; earlier ones are sent
	Reset                 // the same, but break the connection (TCP RST)
	Stall                 // never answer, until the other side closes
	Endless               // one line of an answer after the other, without end
	Trickle               // answer one octet at a time, as slowly as Reply.Pace says
)

// Reply is how to answer. The zero value leaves it to the server.
type Reply struct {
	Code     int
	Enhanced string // "5.1.1"; empty: none
	Text     string // lines separated by "\n" make a multi-line reply
	Raw      string // sent as it is instead of all that
	Action   Action
	Pace     time.Duration // of Trickle: before each octet; without a Code it is the server's own answer
	Accepted bool          // at StageDot with an Action or Raw: count the message first
}

func (r Reply) isZero() bool { return r == Reply{} }

// respond answers at a stage, asking the hook first. It reports whether the
// stage was passed (2yz or 3yz); c.over is set when the conversation ends.
func (c *conversation) respond(stage Stage, standard Reply) bool {
	reply := standard
	if hook := c.server.options.Answer; hook != nil {
		if told := hook(stage, c.envelope()); !told.isZero() {
			reply = told
		}
		if reply.Action == Trickle && reply.Code == 0 {
			standard.Action, standard.Pace = Trickle, reply.Pace
			reply = standard
		}
	}
	passed := (reply.Action == Answer || reply.Action == Trickle) && reply.Raw == "" && reply.Code < 400
	if stage == StageDot && (passed || reply.Accepted) {
		c.keep()
	}
	c.perform(reply)
	return passed
}

func (c *conversation) perform(reply Reply) {
	switch reply.Action {
	case Answer:
		c.write(reply)
	case Hangup:
		c.write(reply)
		c.flush()
		c.over = true
	case Drop:
		c.flush()
		c.over = true
	case Reset:
		c.flush()
		if tcp, ok := c.raw.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.over = true
	case Stall:
		c.flush()
		c.drain()
		c.over = true
	case Endless:
		c.endless()
		c.over = true
	case Trickle:
		c.trickle(reply)
	}
}

func (c *conversation) write(reply Reply) {
	if reply.Raw != "" {
		c.out.WriteString(reply.Raw)
		return
	}
	text := reply.Text
	for {
		line, rest, more := strings.Cut(text, "\n")
		c.writeLine(reply.Code, reply.Enhanced, line, more)
		if !more {
			return
		}
		text = rest
	}
}

func (c *conversation) writeLine(code int, enhanced, text string, more bool) {
	c.out.Write(strconv.AppendInt(c.out.AvailableBuffer(), int64(code), 10))
	if more {
		c.out.WriteByte('-')
	} else {
		c.out.WriteByte(' ')
	}
	if enhanced != "" {
		c.out.WriteString(enhanced)
		c.out.WriteByte(' ')
	}
	c.out.WriteString(text)
	c.out.WriteString("\r\n")
}

// flush sends what was answered so far. Errors show at the next read.
func (c *conversation) flush() {
	if c.out.Buffered() == 0 || !c.wait(c.server.options.Delay) {
		return
	}
	_ = c.out.Flush()
}

// wait reports false when the server was closed meanwhile.
func (c *conversation) wait(delay time.Duration) bool {
	if delay == 0 {
		return true
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.server.closing:
		return false
	}
}

func (c *conversation) drain() {
	for {
		if _, err := c.in.Discard(1); err != nil {
			return
		}
	}
}

func (c *conversation) endless() {
	for {
		if _, err := c.out.WriteString("250-and another thing\r\n"); err != nil {
			return
		}
	}
}

func (c *conversation) trickle(reply Reply) {
	c.flush()
	var whole bytes.Buffer
	wire := c.out
	c.out = bufio.NewWriter(&whole)
	c.write(reply)
	c.out.Flush() // into memory
	c.out = wire
	for _, octet := range whole.Bytes() {
		if !c.wait(reply.Pace) {
			return
		}
		c.out.WriteByte(octet)
		if c.out.Flush() != nil {
			return // the other side is gone, as the next read shows
		}
	}
}

// octetWriter writes one octet at a time, so that a reader meets every way a
// reply can be cut by the network.
type octetWriter struct{ conn net.Conn }

func (w octetWriter) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := w.conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}
