// Package compose makes the bytes of one message.
//
// A Source (subject, body, sender) is compiled once per run into a Template:
// Markdown becomes HTML, HTML gets its plain text twin, and every literal piece
// is encoded in advance. Render then only copies these pieces and encodes what
// differs from one recipient to the next, so that a message of 4 KB takes a few
// microseconds. The same Source and Recipient always give the same bytes.
//
// What Render makes is a complete message in the format of RFC 5322 with CRLF
// line ends, text/plain or multipart/alternative (RFC 2046), in UTF-8 and
// quoted-printable (RFC 2045), signed by package dkim when the Source has a
// Signer. Leading dots are left to the transport.
//
// Parse reads messages back, for the page that shows the demo mailbox.
package compose
