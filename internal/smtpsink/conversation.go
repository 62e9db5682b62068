package smtpsink

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"math"
	"net"
	"strconv"
	"strings"
)

// bufferBytes holds a usual message at once, so that it takes one read. It is
// also the longest command line; RFC 5321 asks for 512 octets, AUTH for 12,288
// (RFC 4954, section 4).
const bufferBytes = 64 << 10

// conversation is one connection.
type conversation struct {
	server *Server
	number int
	raw    net.Conn // what was accepted
	conn   net.Conn // raw, or TLS over it
	in     *bufio.Reader
	out    *bufio.Writer
	over   bool

	hello    string
	esmtp    bool // it was EHLO, so that extensions may be used
	secured  bool
	user     string
	mail     bool // MAIL was accepted
	eightBit bool // with BODY=8BITMIME
	utf8     bool // with SMTPUTF8
	size     int  // with SIZE, in octets; 0: not declared
	from     string
	to       []string
	accepted int
	data     []byte
}

func newConversation(s *Server, conn net.Conn, number int) *conversation {
	c := &conversation{server: s, number: number, raw: conn}
	c.speakOver(conn)
	return c
}

// speakOver makes conn what is read from and written to. What was buffered
// before is forgotten, as it must be at STARTTLS (RFC 3207, section 4.2).
func (c *conversation) speakOver(conn net.Conn) {
	c.conn = conn
	c.in = bufio.NewReaderSize(conn, bufferBytes)
	var w io.Writer = conn
	if c.server.options.OctetByOne {
		w = octetWriter{conn}
	}
	c.out = bufio.NewWriterSize(w, 4096)
}

func (c *conversation) serve() {
	if c.server.options.ImplicitTLS && !c.handshake() {
		return
	}
	c.respond(StageConnect, Reply{Code: 220, Text: c.server.options.Host + " ESMTP sink"})
	for !c.over {
		if c.in.Buffered() == 0 {
			c.flush()
		}
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return
		}
		c.command(line)
	}
}

func (c *conversation) envelope() Envelope {
	return Envelope{
		Connection: c.number, Accepted: c.accepted, Hello: c.hello, TLS: c.secured,
		User: c.user, From: c.from, To: append([]string(nil), c.to...),
	}
}

func (c *conversation) command(line []byte) {
	c.checkCommand(line)
	verb, argument, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
	switch {
	case is(verb, "MAIL"):
		c.commandMail(argument)
	case is(verb, "RCPT"):
		c.commandRcpt(argument)
	case is(verb, "DATA"):
		c.commandData()
	case is(verb, "RSET"):
		c.forget()
		c.respond(StageReset, c.standard(250, "2.0.0", "forgotten"))
	case is(verb, "EHLO"), is(verb, "HELO"):
		c.commandHello(verb, string(argument))
	case is(verb, "STARTTLS"):
		c.commandStartTLS()
	case is(verb, "AUTH"):
		c.commandAuth(string(argument))
	case is(verb, "NOOP"):
		c.write(c.standard(250, "2.0.0", "here"))
	case is(verb, "QUIT"):
		c.respond(StageQuit, c.standard(221, "2.0.0", "goodbye"))
		c.flush()
		c.over = true
	default:
		c.write(c.standard(500, "5.5.2", "no such command"))
	}
}

func is(verb []byte, name string) bool {
	return len(verb) == len(name) && strings.EqualFold(string(verb), name)
}

// standard is a reply of the server's own.
func (c *conversation) standard(code int, enhanced, text string) Reply {
	if c.server.options.NoEnhanced {
		enhanced = ""
	}
	return Reply{Code: code, Enhanced: enhanced, Text: text}
}

// forget ends the transaction (RFC 5321, section 4.1.1.5).
func (c *conversation) forget() {
	c.mail, c.eightBit, c.utf8, c.size = false, false, false, 0
	c.from, c.to = "", nil
}

func (c *conversation) commandHello(verb []byte, name string) {
	c.forget()
	c.hello, c.esmtp = name, false
	options := &c.server.options
	if is(verb, "HELO") {
		c.respond(StageEHLO, Reply{Code: 250, Text: options.Host})
		return
	}
	if options.NoEHLO {
		c.respond(StageEHLO, Reply{Code: 502, Text: "what?"})
		return
	}
	c.esmtp = c.respond(StageEHLO, Reply{Code: 250, Text: strings.Join(c.extensions(), "\n")})
}

func (c *conversation) extensions() []string {
	options := &c.server.options
	lines := []string{options.Host}
	add := func(offered bool, line string) {
		if offered {
			lines = append(lines, line)
		}
	}
	add(!options.NoPipelining, "PIPELINING")
	add(!options.NoEightBit, "8BITMIME")
	add(options.MaxSize > 0, "SIZE "+strconv.Itoa(options.MaxSize))
	add(options.UTF8, "SMTPUTF8")
	add(options.TLS != nil && !c.secured, "STARTTLS")
	add(options.Username != "", "AUTH "+strings.Join(options.Mechanisms, " "))
	add(!options.NoEnhanced, "ENHANCEDSTATUSCODES")
	return lines
}

func (c *conversation) commandStartTLS() {
	if c.server.options.TLS == nil || c.secured {
		c.respond(StageStartTLS, c.standard(503, "5.5.1", "not offered"))
		return
	}
	if !c.respond(StageStartTLS, c.standard(220, "2.0.0", "go ahead")) {
		return
	}
	c.flush()
	c.over = !c.handshake()
	c.forget()
	c.hello, c.esmtp = "", false
}

func (c *conversation) handshake() bool {
	secure := tls.Server(c.raw, c.server.options.TLS)
	if err := secure.Handshake(); err != nil {
		return false
	}
	c.secured = true
	c.speakOver(secure)
	return true
}

func (c *conversation) commandMail(argument []byte) {
	if c.mail {
		c.write(c.standard(503, "5.5.1", "one at a time"))
		return
	}
	if c.server.options.Username != "" && c.user == "" {
		c.write(c.standard(530, "5.7.0", "sign in first"))
		return
	}
	path, parameters, ok := cutPath(argument, "FROM:")
	if !ok {
		c.write(c.standard(501, "5.5.4", "MAIL FROM:<address>"))
		return
	}
	if string(path) != c.from {
		c.from = string(path)
	}
	if c.size = declaredSize(parameters); c.server.options.MaxSize > 0 && c.size > c.server.options.MaxSize {
		c.respond(StageMail, c.standard(552, "5.3.4", "too large"))
		return
	}
	c.eightBit = bytes.Contains(parameters, []byte("BODY=8BITMIME"))
	c.utf8 = bytes.Contains(parameters, []byte("SMTPUTF8"))
	c.mail = c.respond(StageMail, c.standard(250, "2.1.0", "from there"))
}

// declaredSize is the value of SIZE, 0 when there is none. What cannot be read
// is more than anybody takes.
func declaredSize(parameters []byte) int {
	_, rest, declared := bytes.Cut(parameters, []byte("SIZE="))
	if !declared {
		return 0
	}
	digits, _, _ := bytes.Cut(rest, []byte(" "))
	size, err := strconv.Atoi(string(digits))
	if err != nil {
		return math.MaxInt
	}
	return size
}

func (c *conversation) commandRcpt(argument []byte) {
	if !c.mail {
		c.write(c.standard(503, "5.5.1", "MAIL first"))
		return
	}
	path, _, ok := cutPath(argument, "TO:")
	if !ok || len(path) == 0 {
		c.write(c.standard(501, "5.5.4", "RCPT TO:<address>"))
		return
	}
	c.to = append(c.to, string(path))
	if !c.respond(StageRcpt, c.standard(250, "2.1.5", "to there")) {
		c.to = c.to[:len(c.to)-1]
	}
}

// cutPath takes "FROM:<path> parameters" apart.
func cutPath(argument []byte, keyword string) (path, parameters []byte, ok bool) {
	if len(argument) < len(keyword) || !is(argument[:len(keyword)], keyword) {
		return nil, nil, false
	}
	rest := bytes.TrimLeft(argument[len(keyword):], " ")
	end := bytes.IndexByte(rest, '>')
	if len(rest) == 0 || rest[0] != '<' || end < 0 {
		return nil, nil, false
	}
	return rest[1:end], rest[end+1:], true
}
