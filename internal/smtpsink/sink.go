// Package smtpsink is a mail server that delivers nothing: it counts what it is
// given and answers as told. Tests use it to play every fault a real server
// can have; benches use it because it is faster than what it measures.
//
// It speaks SMTP (RFC 5321) with PIPELINING (RFC 2920), 8BITMIME (RFC 6152),
// SIZE (RFC 1870), STARTTLS (RFC 3207), AUTH (RFC 4954) and SMTPUTF8
// (RFC 6531), and can watch the bytes for what a careful server refuses.
package smtpsink

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"
)

// Options say how the server behaves. The zero value announces PIPELINING and
// 8BITMIME, has no TLS and no AUTH, accepts everything at once and keeps no
// data.
type Options struct {
	Addr string // "host:port" to listen on; empty: a free port of 127.0.0.1
	Host string // the name in its greeting; empty: "sink.test"

	NoPipelining bool // do not announce PIPELINING
	NoEightBit   bool // do not announce 8BITMIME
	NoEHLO       bool // know HELO only, as servers before 1993
	UTF8         bool // announce SMTPUTF8
	MaxSize      int  // announce and enforce SIZE, in octets; 0: neither

	TLS         *tls.Config // offer STARTTLS with it; nil: not offered
	ImplicitTLS bool        // speak TLS from the first octet instead (RFC 8314)

	Username, Password string   // ask for them before MAIL; empty: no AUTH
	Mechanisms         []string // what AUTH announces; nil: PLAIN and LOGIN

	Delay      time.Duration // before each flight of replies, like a round trip
	OctetByOne bool          // write replies one octet at a time
	NoEnhanced bool          // send no enhanced codes of its own
	Keep       bool          // keep the data of messages
	CountOnly  bool          // keep neither messages nor copies, only the count

	Strict       bool // look for violations on the wire; see Server.Violations
	StrictFormat bool // look into messages too, as CheckMessage does

	// Received is told of every message that was accepted, which then is only
	// counted. It may be called by several connections at once.
	Received func(Message)

	// Answer is asked at every stage; nil, or its zero Reply, leaves the answer
	// to the server. It may be called by several connections at once.
	Answer func(Stage, Envelope) Reply
}

// Message is one message that was accepted.
type Message struct {
	From string
	To   []string
	Data []byte // without dot-stuffing; nil unless Options.Keep
	TLS  bool
	User string // who signed in; empty: nobody
}

// Server is a running sink. All its methods may be called at any time.
type Server struct {
	options  Options
	listener net.Listener
	closing  chan struct{}
	running  sync.WaitGroup

	mu          sync.Mutex
	open        map[net.Conn]struct{}
	connections int
	count       int
	copies      map[string]*int
	messages    []Message
	violations  []string
}

// Start listens and serves until Close. The error is that of listening.
func Start(options Options) (*Server, error) {
	if options.Addr == "" {
		options.Addr = "127.0.0.1:0"
	}
	if options.Host == "" {
		options.Host = "sink.test"
	}
	if options.Mechanisms == nil {
		options.Mechanisms = []string{"PLAIN", "LOGIN"}
	}
	if options.ImplicitTLS && options.TLS == nil {
		return nil, fmt.Errorf("smtpsink: implicit TLS needs a TLS configuration")
	}
	listener, err := net.Listen("tcp", options.Addr)
	if err != nil {
		return nil, fmt.Errorf("smtpsink: listen on %s: %w", options.Addr, err)
	}
	s := &Server{
		options:  options,
		listener: listener,
		closing:  make(chan struct{}),
		open:     map[net.Conn]struct{}{},
		copies:   map[string]*int{},
	}
	s.running.Add(1)
	go s.accept()
	return s, nil
}

// Addr is where it listens: "127.0.0.1:43121".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the number in Addr.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Close cuts all connections and waits until nothing of the server runs. It may
// be called once.
func (s *Server) Close() error {
	close(s.closing)
	err := s.listener.Close()
	s.CutAll()
	s.running.Wait()
	return err
}

// CutAll closes every open connection without a word, as a server does that
// was restarted; new ones are served.
func (s *Server) CutAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.open {
		conn.Close()
	}
}

// Count is how many messages were accepted.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Connections is how many connections were made to it so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// Messages are the accepted messages in the order of their acceptance.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Copies says how many messages each recipient has got.
func (s *Server) Copies() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	copies := make(map[string]int, len(s.copies))
	for recipient, n := range s.copies {
		copies[recipient] = *n
	}
	return copies
}

// Violations are the breaches of the standards it saw, one sentence each, and
// each kind once in a message; the first thousand are kept. It looks only with Options.Strict, and into
// messages only with Options.StrictFormat. A command that was sent too early is
// seen only if it had arrived when the server looked.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

func (s *Server) accept() {
	defer s.running.Done()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.begin(conn)
	}
}

func (s *Server) begin(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		conn.Close()
		return
	default:
	}
	s.open[conn] = struct{}{}
	s.connections++
	c := newConversation(s, conn, s.connections)
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		c.serve()
		conn.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, conn)
	}()
}

func (s *Server) record(m Message) {
	if s.options.Received != nil {
		s.options.Received(m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if s.options.CountOnly || s.options.Received != nil {
		return
	}
	for _, recipient := range m.To {
		if n, known := s.copies[recipient]; known {
			*n++
			continue
		}
		first := 1
		s.copies[recipient] = &first
	}
	s.messages = append(s.messages, m)
}

// maxViolations is how many are kept; chosen: nobody reads more.
const maxViolations = 1000

func (s *Server) violation(connection int, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.violations) == maxViolations {
		return
	}
	s.violations = append(s.violations, fmt.Sprintf("connection %d: %s", connection, what))
}
