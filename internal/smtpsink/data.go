package smtpsink

import (
	"bufio"
	"bytes"
	"errors"
)

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
	c.checkMessage()
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
	options := &c.server.options
	keeps := options.Keep || options.StrictFormat
	c.data = c.data[:0]
	check := dataCheck{conversation: c}
	atStart, afterCRLF, afterCR := true, true, false
	for {
		piece, err := c.in.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full {
			return err
		}
		opens := atStart && afterCRLF
		if opens && string(piece) == ".\r\n" {
			check.end()
			return nil
		}
		if options.Strict {
			check.piece(piece, opens, !full)
		}
		if keeps {
			text := piece
			if opens && text[0] == '.' {
				text = text[1:]
			}
			c.data = append(c.data, text...)
		}
		// A CRLF may lie across the end of a full buffer.
		atStart, afterCRLF = !full, bytes.HasSuffix(piece, []byte("\r\n")) || afterCR && string(piece) == "\n"
		afterCR = full && piece[len(piece)-1] == '\r'
	}
}
