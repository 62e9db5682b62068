package transport

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"vestnik/internal/smtpsink"
)

// opinion is a server by people who know neither our client nor our sink.
type opinion struct {
	smtp.Session
	from, to string
	kept     chan string
}

func (o *opinion) AuthMechanisms() []string { return []string{sasl.Plain} }

func (o *opinion) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "anna" || password != secret {
			return errors.New("no")
		}
		return nil
	}), nil
}

func (o *opinion) Mail(from string, _ *smtp.MailOptions) error { o.from = from; return nil }
func (o *opinion) Rcpt(to string, _ *smtp.RcptOptions) error   { o.to = to; return nil }
func (o *opinion) Reset()                                      {}
func (o *opinion) Logout() error                               { return nil }

func (o *opinion) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	o.kept <- o.from + " " + o.to + " " + string(data)
	return err
}

func TestASecondOpinionIsSatisfied(t *testing.T) {
	t.Parallel()
	config, roots, err := smtpsink.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	kept := make(chan string, 1)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &opinion{kept: kept}, nil
	}))
	server.TLSConfig, server.Domain = config, "opinion.test"
	server.ErrorLog = nil
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	relay := &Relay{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: TLSRequired, RootCAs: roots,
		Username: "anna", Password: secret,
	}
	session := openSession(t, relay)
	for range 3 {
		result, err := session.Send(t.Context(), mail, []byte("Subject: hi\r\n\r\n.\r\n..\r\nПривет\n"), nil)
		if err != nil || !result.Reply.Accepted() {
			t.Fatalf("not accepted: %+v, %v", result, err)
		}
		if got, want := <-kept, mail.From+" "+mail.To+" Subject: hi\r\n\r\n.\r\n..\r\nПривет\r\n"; got != want {
			t.Errorf("arrived %q, want %q", got, want)
		}
	}
	session.Close()
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	<-served
}
