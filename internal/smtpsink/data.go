package smtpsink

import (
	"bufio"
	"bytes"
	"errors"
)

// maxLineBytes is the longest line of a message without its CRLF (RFC 5322,
// section 2.1.1).
const maxLineBytes = 998

func (c *conversation) commandData() {
	standard := Reply{Code: 354, Text: "speak"}
	if len(c.to) == 0 {
		standard = c.standard(503, "5.5.1", "RCPT first")
	}
	if !c.respond(StageData, standard) {
		return
	}
	c.flush()
	if c.readData() != nil {
		c.over = true
		return
	}
	standard = c.standard(250, "2.0.0", "kept")
	if len(c.to) == 0 {
		// The single dot of a client that pipelined (RFC 2920, section 3.1).
		standard = c.standard(554, "5.5.1", "no recipients")
	}
	c.respond(StageDot, standard)
	c.forget()
}

// keep counts the message that was just read.
func (c *conversation) keep() {
	c.accepted++
	m := Message{From: c.from, To: c.to, TLS: c.secured, User: c.user}
	if c.server.options.Keep {
		m.Data = bytes.Clone(c.data)
		if m.Data == nil {
			m.Data = []byte{}
		}
	}
	c.server.record(m)
}

// readData reads up to the final dot: a line of a single "." between two CRLF
// and nothing else, so that smuggled ends stay part of the message.
func (c *conversation) readData() error {
	c.data = c.data[:0]
	check := dataCheck{conversation: c}
	atStart, afterCRLF := true, true
	for {
		piece, err := c.in.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full {
			return err
		}
		if atStart && afterCRLF && string(piece) == ".\r\n" {
			return nil
		}
		if c.server.options.Strict {
			check.piece(piece, !full)
		}
		if c.server.options.Keep {
			text := piece
			if atStart && text[0] == '.' {
				text = text[1:]
			}
			c.data = append(c.data, text...)
		}
		atStart, afterCRLF = !full, bytes.HasSuffix(piece, []byte("\r\n"))
	}
}

// dataCheck looks at the lines of one message and reports each kind of breach
// once.
type dataCheck struct {
	conversation                       *conversation
	length                             int
	bareLF, bareCR, tooLong, highOctet bool
}

func (d *dataCheck) piece(piece []byte, ended bool) {
	text := piece
	if ended {
		text = bytes.TrimSuffix(text, []byte("\n"))
		if bytes.HasSuffix(text, []byte("\r")) {
			text = text[:len(text)-1]
		} else {
			d.once(&d.bareLF, "bare LF in data")
		}
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		d.once(&d.bareCR, "bare CR in data")
	}
	d.length += len(text)
	limit := maxLineBytes
	if bytes.HasPrefix(text, []byte(".")) {
		limit++ // the dot of dot-stuffing does not count
	}
	if d.length > limit {
		d.once(&d.tooLong, "line of more than 998 octets")
	}
	if ended {
		d.length = 0
	}
	if !d.highOctet && !d.conversation.eightBit && bytes.IndexFunc(text, isHigh) >= 0 {
		d.once(&d.highOctet, "8-bit data without BODY=8BITMIME")
	}
}

func isHigh(r rune) bool { return r > 127 }

func (d *dataCheck) once(seen *bool, what string) {
	if !*seen {
		*seen = true
		d.conversation.server.violation(d.conversation.number, what)
	}
}

// checkCommand looks at a command line and at whether something follows it that
// should have waited for the answer.
func (c *conversation) checkCommand(line []byte) {
	if !c.server.options.Strict {
		return
	}
	report := func(what string) { c.server.violation(c.number, what) }
	text := bytes.TrimSuffix(line, []byte("\r\n"))
	if len(text) == len(line) {
		report("bare LF after a command")
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		report("bare CR in a command")
	}
	verb, _, _ := bytes.Cut(text, []byte(" "))
	if c.in.Buffered() == 0 {
		return
	}
	if c.server.options.NoPipelining {
		report("pipelining that was not announced after " + string(verb))
	} else if endsGroup(verb) {
		report("no waiting for the answer to " + string(verb))
	}
}

// endsGroup names the commands that must be the last of a group (RFC 2920,
// section 3.1; RFC 3207, section 4; RFC 4954, section 4).
func endsGroup(verb []byte) bool {
	for _, name := range []string{"EHLO", "HELO", "DATA", "QUIT", "NOOP", "VRFY", "EXPN", "TURN", "STARTTLS", "AUTH"} {
		if is(verb, name) {
			return true
		}
	}
	return false
}
