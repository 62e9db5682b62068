package smtpsink

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

// maxLineBytes is the longest line of a message without its CRLF (RFC 5322,
// section 2.1.1).
const maxLineBytes = 998

// Limits of a command, in octets.
const (
	maxCommandBytes = 512    // with its CRLF (RFC 5321, section 4.5.3.1.4)
	maxAuthBytes    = 12_288 // of AUTH (RFC 4954, section 4)
	maxPathBytes    = 256    // with its angle brackets (RFC 5321, section 4.5.3.1.3)
	maxLocalBytes   = 64     // before the "@" (section 4.5.3.1.1)
	maxDomainBytes  = 255    // after it (section 4.5.3.1.2)
)

// By how much MAIL may be longer where an extension was announced.
const (
	sizeBytes     = 26  // RFC 1870, section 3
	eightBitBytes = 17  // RFC 6152, section 2
	utf8Bytes     = 10  // RFC 6531, section 3.1
	authBytes     = 500 // RFC 4954, section 3
)

func (c *conversation) breach(what string) { c.server.violation(c.number, what) }

// mayPipeline reports whether commands may come in groups now.
func (c *conversation) mayPipeline() bool { return c.esmtp && !c.server.options.NoPipelining }

// checkCommand looks at a command line, at whether it may come now, and at
// whether something follows it that should have waited for the answer.
func (c *conversation) checkCommand(line []byte) {
	if !c.server.options.Strict {
		return
	}
	text := bytes.TrimSuffix(line, []byte("\r\n"))
	if len(text) == len(line) {
		c.breach("bare LF after a command")
	}
	word, argument, _ := bytes.Cut(text, []byte(" "))
	verb := strings.ToUpper(string(word))
	c.checkOctets(verb, text)
	c.checkOrder(verb)
	switch verb {
	case "MAIL":
		c.checkPath("FROM:", argument)
	case "RCPT":
		c.checkPath("TO:", argument)
	case "EHLO", "HELO":
		if !isHelloName(string(argument)) {
			c.breach(verb + " without a domain or an address literal")
		}
	}
	c.checkGroup(verb)
}

func (c *conversation) checkOctets(verb string, text []byte) {
	limit := maxCommandBytes
	if verb == "AUTH" {
		limit = maxAuthBytes
	}
	if verb == "MAIL" && c.esmtp {
		limit += c.mailExtra()
	}
	if len(text)+len("\r\n") > limit {
		c.breach(verb + " of more than " + strconv.Itoa(limit) + " octets")
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		c.breach("bare CR in a command")
	}
	if bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\r' || r == 127 }) {
		c.breach("control character in a command")
	}
}

func (c *conversation) mailExtra() int {
	extra, options := 0, &c.server.options
	for _, extension := range []struct {
		announced bool
		octets    int
	}{
		{options.MaxSize > 0, sizeBytes},
		{!options.NoEightBit, eightBitBytes},
		{options.UTF8, utf8Bytes},
		{options.Username != "", authBytes},
	} {
		if extension.announced {
			extra += extension.octets
		}
	}
	return extra
}

// checkOrder looks at whether a command may come at all (RFC 5321, section
// 4.1.4). In a group, RCPT and DATA follow a refused MAIL in good faith.
func (c *conversation) checkOrder(verb string) {
	options := &c.server.options
	switch verb {
	case "MAIL":
		if c.hello == "" {
			c.breach("MAIL before EHLO or HELO")
		}
		if c.mail {
			c.breach("MAIL within a transaction")
		}
	case "RCPT":
		if !c.mail && !c.mayPipeline() {
			c.breach("RCPT without MAIL")
		}
	case "DATA":
		if len(c.to) == 0 && !c.mayPipeline() {
			c.breach("DATA without a recipient")
		}
	case "STARTTLS":
		if !c.esmtp || options.TLS == nil || c.secured {
			c.breach("STARTTLS that was not announced")
		}
	case "AUTH":
		if !c.esmtp || options.Username == "" {
			c.breach("AUTH that was not announced")
		}
		if c.mail || c.user != "" {
			c.breach("AUTH within a transaction or for a second time")
		}
	}
}

// checkPath looks at the argument of MAIL or RCPT (RFC 5321, section 4.1.2).
func (c *conversation) checkPath(keyword string, argument []byte) {
	path, parameters, ok := cutPath(argument, keyword)
	if !ok || argument[len(keyword)] != '<' {
		c.breach(keyword + " not followed by <address>")
		return
	}
	c.checkAddress(string(path))
	announced := ""
	for _, parameter := range strings.Fields(string(parameters)) {
		name, value, _ := strings.Cut(strings.ToUpper(parameter), "=")
		if keyword == "TO:" || !c.takes(name) {
			c.breach("parameter " + name + " that was not announced")
		} else if !isValueOf(name, value) {
			c.breach("parameter " + name + " with the value " + strconv.Quote(value))
		}
		announced += " " + name
	}
	if len(bytes.TrimSpace(parameters)) > 0 && parameters[0] != ' ' {
		c.breach("parameter that is not parted by a space")
	}
	inUTF8 := c.utf8 || strings.Contains(announced+" ", " SMTPUTF8 ")
	if bytes.IndexFunc(argument, isHigh) >= 0 && !inUTF8 {
		c.breach("address in UTF-8 without SMTPUTF8")
	}
}

func (c *conversation) checkAddress(path string) {
	if len(path)+len("<>") > maxPathBytes {
		c.breach("path of more than 256 octets")
	}
	at := strings.LastIndexByte(path, '@')
	if at < 0 {
		if path != "" {
			c.breach("address without a domain")
		}
		return
	}
	if local := path[:at]; local == "" || len(local) > maxLocalBytes {
		c.breach("local part of no or more than 64 octets")
	}
	if domain := path[at+1:]; domain == "" || len(domain) > maxDomainBytes {
		c.breach("domain of no or more than 255 octets")
	}
	if strings.ContainsAny(path, " <>") && !strings.HasPrefix(path, `"`) {
		c.breach("address with a space or an angle bracket")
	}
}

// takes reports whether the answer to EHLO announced a parameter of MAIL.
func (c *conversation) takes(name string) bool {
	options := &c.server.options
	switch name {
	case "SIZE":
		return c.esmtp && options.MaxSize > 0
	case "BODY":
		return c.esmtp && !options.NoEightBit
	case "SMTPUTF8":
		return c.esmtp && options.UTF8
	case "AUTH":
		return c.esmtp && options.Username != ""
	}
	return false
}

// isValueOf checks a parameter's value: at most twenty digits (RFC 1870,
// section 6), one of two words (RFC 6152, section 2), none (RFC 6531, section
// 3.4).
func isValueOf(name, value string) bool {
	switch name {
	case "SIZE":
		return value != "" && len(value) <= 20 && strings.Trim(value, "0123456789") == ""
	case "BODY":
		return value == "7BIT" || value == "8BITMIME"
	case "SMTPUTF8":
		return value == ""
	}
	return true
}

// isHelloName checks what follows EHLO (RFC 5321, section 4.1.1.1).
func isHelloName(name string) bool {
	if inner, ok := strings.CutPrefix(name, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		_, err := netip.ParseAddr(strings.TrimPrefix(inner, "IPv6:"))
		return ok && err == nil
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
		}) {
			return false
		}
	}
	return true
}

func (c *conversation) checkGroup(verb string) {
	switch {
	case c.in.Buffered() == 0:
	case !c.mayPipeline():
		c.breach("pipelining that was not announced after " + verb)
	case endsGroup(verb):
		c.breach("no waiting for the answer to " + verb)
	}
}

// endsGroup names the commands that must be the last of a group (RFC 2920,
// section 3.1; RFC 3207, section 4; RFC 4954, section 4).
func endsGroup(verb string) bool {
	switch verb {
	case "EHLO", "HELO", "DATA", "QUIT", "NOOP", "VRFY", "EXPN", "TURN", "STARTTLS", "AUTH":
		return true
	}
	return false
}

func isHigh(r rune) bool { return r > 127 }

// dataCheck looks at the lines of one message as they come, and reports each
// kind of breach once.
type dataCheck struct {
	conversation *conversation
	length       int  // of the line so far, without the dot of dot-stuffing
	total        int  // of the message so far, with CRLF
	afterCR      bool // the line goes on after a CR
	said         []string
}

// piece is a line or, when it has not ended, a part of one. It opens a line
// that follows CRLF.
func (d *dataCheck) piece(piece []byte, opens, ended bool) {
	text := piece
	if opens && text[0] == '.' {
		text = text[1:]
		if text[0] != '.' {
			d.breach("line that begins with a single dot")
		}
	}
	d.total += len(text)
	text = d.cutEnd(text, ended)
	if d.length += len(text); d.length > maxLineBytes {
		d.breach("line of more than 998 octets")
	}
	if ended {
		d.length = 0
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		d.breach("bare CR in data")
	}
	if bytes.IndexByte(text, 0) >= 0 {
		d.breach("NUL in data")
	}
	if !d.conversation.eightBit && bytes.IndexFunc(text, isHigh) >= 0 {
		d.breach("8-bit data without BODY=8BITMIME")
	}
}

// cutEnd takes off the CRLF, of which a full buffer may have kept the half.
func (d *dataCheck) cutEnd(text []byte, ended bool) []byte {
	if d.afterCR && string(text) != "\n" {
		d.breach("bare CR in data")
	}
	afterCR := d.afterCR
	d.afterCR = false
	switch {
	case ended && bytes.HasSuffix(text, []byte("\r\n")):
		return text[:len(text)-2]
	case ended:
		if !afterCR || len(text) > 1 {
			d.breach("bare LF in data")
		}
		return text[:len(text)-1]
	case bytes.HasSuffix(text, []byte("\r")):
		d.afterCR = true
		return text[:len(text)-1]
	}
	return text
}

// end looks at the message as a whole, and at what is behind the final dot: a
// group that may be long, if the client may pipeline (RFC 2920, section 3.1).
func (d *dataCheck) end() {
	c := d.conversation
	if !c.server.options.Strict {
		return
	}
	if c.size > 0 && d.total > c.size {
		d.breach("message of more octets than SIZE declared")
	}
	if c.in.Buffered() > 0 && !c.mayPipeline() {
		d.breach("pipelining that was not announced after the final dot")
	}
}

func (d *dataCheck) breach(what string) {
	for _, before := range d.said {
		if before == what {
			return
		}
	}
	d.said = append(d.said, what)
	d.conversation.breach(what)
}

// checkMessage looks into the message that was just read. The single dot that
// ends a transaction without recipients is none.
func (c *conversation) checkMessage() {
	if !c.server.options.Strict || !c.server.options.StrictFormat || len(c.to) == 0 {
		return
	}
	for _, what := range CheckMessage(c.data, c.utf8) {
		c.breach("message from <" + c.from + "> to <" + strings.Join(c.to, ">, <") + ">: " + what)
	}
}
