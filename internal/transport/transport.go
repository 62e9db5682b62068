// Package transport hands one mail to one mail server and brings back the
// server's whole answer.
//
// A Relay says where the server is and how to speak to it, a Session is one
// conversation with it (RFC 5321), a Pool keeps sessions for many mails, and
// Demo keeps mails on this machine instead of sending them. Pool and Demo have
// the same Carry.
//
// Four promises hold at this border:
//
//   - BeforeDot of a Mail is called once at most, right before the write that
//     carries the final dot, and without it no dot is written. A mail whose
//     BeforeDot was not called, or returned an error, was not sent.
//   - A Result says InDoubt exactly when the final dot may have reached the
//     server and no answer came back.
//   - Nothing but CRLF ends a line on the wire, and no line of a message can be
//     taken for its end.
//   - A password is given only to a server on this machine or over TLS with a
//     certificate that was checked (unless Relay.InsecureSkipVerify says not to);
//     it is in no error and no log.
package transport

import (
	"time"

	"vestnik/internal/mailing"
)

// Stage is how far a conversation came. The names are stored with attempts and
// read by mailing.Judge.
type Stage string

// The stages, in the order of a conversation. With implicit TLS, StageTLS comes
// before StageBanner.
const (
	StageConnect Stage = "connect"
	StageBanner  Stage = "banner"
	StageEHLO    Stage = "ehlo"
	StageTLS     Stage = "starttls"
	StageAuth    Stage = "auth"
	StageMail    Stage = "mail"
	StageRcpt    Stage = "rcpt"
	StageData    Stage = "data" // up to the last octet before the final dot
	StageDot     Stage = "dot"
)

// Envelope is what the server is told about a mail before the mail.
type Envelope struct {
	From string // where bounces go; empty: nowhere (RFC 5321, section 4.5.5)
	To   string
	Size int // octets of the message; 0: as many as are handed over

	// UTF8 says that header fields of the message hold UTF-8 (RFC 6532).
	// Addresses that are not ASCII are seen without it.
	UTF8 bool
	// EightBit says that the message holds octets above 127. It only saves a
	// look at all of them; false is checked.
	EightBit bool
}

// Result is how one try to send ended.
type Result struct {
	// Reply is the answer that decided: to the final dot when all went well, or
	// the first refusal. Without an answer its Code is 0 and its Text says what
	// happened. A mail the server could not take by its own announcement is
	// answered here in its place; then Text begins with "not sent: ".
	Reply    mailing.Reply
	Host     string // "smtp.example.org:587 [192.0.2.1]", or "demo"
	TLS      string // "TLS1.3"; empty: in clear
	Stage    Stage  // the one that Reply answers, or where it broke
	Duration time.Duration
	InDoubt  bool // the final dot went out, at least in part, and no answer came
}
