package mx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"vestnik/internal/mailing"
	"vestnik/internal/transport"
)

// RouteError says why no mail server can be tried for a domain. Reply stands for
// the answer of the server that was not found, and is to be taken as one to RCPT:
//
//	501 5.1.3   what stands after the "@" is no domain
//	550 5.1.2   there is no such domain, or it has no server (RFC 3463, section 3.2)
//	550 5.4.4   its servers have only addresses that are not for the public
//	550 5.4.6   its server is this machine
//	556 5.1.10  it says that it takes no mail (RFC 7505, section 5.1)
//	451 4.4.3   DNS could not say (RFC 3463, section 3.5)
type RouteError struct {
	Domain string
	Reply  mailing.Reply
	Err    error // the cause; nil when DNS was clear
}

func (e *RouteError) Error() string {
	text := fmt.Sprintf("mx: find the mail servers of %q: %s", e.Domain, e.Reply)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *RouteError) Unwrap() error { return e.Err }

// Result is what an attempt that ended here has to tell. It is shown to people,
// and what was asked for may be no domain at all.
func (e *RouteError) Result() transport.Result {
	host := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, e.Domain)
	return transport.Result{Reply: e.Reply, Host: host, Stage: transport.StageRcpt}
}

// refusal is a reply of our own that ends a search.
type refusal struct {
	reply mailing.Reply
	cause error
}

func (e *refusal) Error() string { return e.reply.String() }

func (e *refusal) Unwrap() error { return e.cause }

// ourWords begin the texts that we say in a server's place, as in transport.
const ourWords = "not sent: "

func refuse(code int, enhanced, format string, args ...any) error {
	return &refusal{reply: mailing.Reply{Code: code, Enhanced: enhanced, Text: ourWords + fmt.Sprintf(format, args...)}}
}

// unknown is for what DNS could not say. Anything may be true then, so it is
// never a reason to refuse (RFC 5321, section 5.1).
func unknown(name string, cause error) *refusal {
	return &refusal{
		reply: mailing.Reply{Code: 451, Enhanced: "4.4.3", Text: ourWords + "the name servers do not say where " + name + " is"},
		cause: cause,
	}
}

// routeError makes what Route returns. A ctx whose time ran out is DNS that did
// not answer in time.
func routeError(ctx context.Context, domain string, err error) error {
	var said *refusal
	switch {
	case errors.As(err, &said):
		return &RouteError{Domain: domain, Reply: said.reply, Err: said.cause}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return routeError(context.Background(), domain, unknown(domain, err))
	}
	return fmt.Errorf("mx: find the mail servers of %q: %w", domain, err)
}
