package transport

import (
	"encoding/base64"
	"net"
	"slices"

	"github.com/emersion/go-sasl"

	"vestnik/internal/mailing"
)

// authenticate signs in with PLAIN (RFC 4616), or LOGIN where there is only
// that or PLAIN turns out not to be known.
func (s *Session) authenticate(passed func(Stage)) error {
	if s.relay.Username == "" {
		return nil
	}
	s.at = StageAuth
	if s.tls == "" && !isLoopback(s.wire.raw.RemoteAddr()) {
		return s.relay.problem(mailing.Invalid, "smtp_auth_needs_tls", nil)
	}
	clients := s.mechanisms()
	if len(clients) == 0 {
		return s.relay.problem(mailing.Invalid, "smtp_auth_not_offered", nil)
	}
	for i, client := range clients {
		reply, err := s.exchange(client)
		if err != nil {
			return err
		}
		if reply.Code == 504 && i+1 < len(clients) {
			continue
		}
		if err := expectSignedIn(reply); err != nil {
			return err
		}
		break
	}
	passed(StageAuth)
	return nil
}

func isLoopback(remote net.Addr) bool {
	tcp, ok := remote.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

func (s *Session) mechanisms() []sasl.Client {
	var clients []sasl.Client
	if slices.Contains(s.offers.auth, sasl.Plain) {
		clients = append(clients, sasl.NewPlainClient("", s.relay.Username, s.relay.Password))
	}
	if slices.Contains(s.offers.auth, sasl.Login) {
		clients = append(clients, &loginClient{answers: []string{s.relay.Username, s.relay.Password}})
	}
	return clients
}

// expectSignedIn reads the answer to AUTH (RFC 4954, sections 4 and 6).
func expectSignedIn(reply mailing.Reply) error {
	switch {
	case reply.Code == 235:
		return nil
	case reply.Code == 538:
		return &refusal{mailing.Invalid, "smtp_auth_needs_tls", reply}
	case reply.Permanent():
		return &refusal{mailing.Invalid, "smtp_auth_refused", reply}
	}
	return expectBefore(reply, 235)
}

// exchange runs one mechanism to its last answer. Errors name nothing that was
// said, since the password is in it.
func (s *Session) exchange(client sasl.Client) (mailing.Reply, error) {
	mechanism, initial, err := client.Start()
	if err != nil {
		return mailing.Reply{}, err
	}
	line := "AUTH " + mechanism
	if initial != nil {
		line += " " + base64.StdEncoding.EncodeToString(initial)
	}
	for {
		reply, err := s.command(s.limits.Auth, line)
		if err != nil || reply.Code != 334 {
			return reply, err
		}
		challenge, err := base64.StdEncoding.DecodeString(reply.Text)
		if err != nil {
			challenge = nil // some servers ask in clear; both mechanisms ignore what
		}
		response, err := client.Next(challenge)
		if err != nil {
			return mailing.Reply{}, garbage("a question too many in AUTH %s", mechanism)
		}
		line = base64.StdEncoding.EncodeToString(response)
	}
}

// loginClient is LOGIN without an initial response and without a look at the
// questions: servers ask in different words and languages, and some do not
// take the user's name before they asked. The one in go-sasl is strict in both.
type loginClient struct{ answers []string }

func (c *loginClient) Start() (mechanism string, initial []byte, err error) {
	return sasl.Login, nil, nil
}

func (c *loginClient) Next([]byte) ([]byte, error) {
	if len(c.answers) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	answer := c.answers[0]
	c.answers = c.answers[1:]
	return []byte(answer), nil
}
