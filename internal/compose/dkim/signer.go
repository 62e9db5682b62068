// Package dkim signs messages (DomainKeys Identified Mail, RFC 6376), with RSA
// and with Ed25519 keys (RFC 8463), always over SHA-256 (RFC 8301).
//
// A Signer is made once for a domain and its keys. Sign then hashes header and
// body once for all signatures, and what bodies have in common, an Opening, not
// even once for each message. The same message at the same time always gives
// the same signature.
//
// Header and body are signed in the relaxed form, which bears what mail servers
// do to white space on the way. There is no l= tag, which would let strangers
// add to the body (RFC 6376, section 8.2), and no x= tag: mail that is read
// late is not less true.
package dkim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// name is a field that is signed where it is there.
type name struct {
	text string
	over bool // signed once more than it is there, so that nobody can add one
}

// names are what a signature covers (RFC 6376, section 5.4.1; RFC 8058, section
// 4, for List-Unsubscribe), in the order of the h= tag. Overdone are those by
// which a reader, or a program that unsubscribes for them, could be misled when
// a second one is put above (RFC 6376, section 8.15).
var names = []name{
	{"From", true},
	{"To", true},
	{"Subject", true},
	{"Date", true},
	{"List-Unsubscribe", true},
	{"List-Unsubscribe-Post", true},
	{"Reply-To", false},
	{"Message-ID", false},
	{"MIME-Version", false},
	{"Content-Type", false},
	{"Content-Transfer-Encoding", false},
	{"List-ID", false},
	{"Auto-Submitted", false},
}

// Key is a private key and the selector under which its public half is
// published.
type Key struct {
	Selector string
	Private  PrivateKey
}

// Signer makes the signatures of one domain. It does not change and is safe for
// concurrent use.
type Signer struct {
	keys []signingKey
	desk sync.Pool // of *desk
}

// signingKey is a key with what all its signatures begin with.
type signingKey struct {
	Key
	start  []byte // the field up to the t= tag
	column int    // where start ends on its line
}

// desk is what one message is signed on.
type desk struct {
	hash   hash.Hash
	found  []found
	signed []byte // the fields, in canonical form
	names  []byte // the lines of the h= tag
	sum    []byte // of the body
}

// found is a field of a message that is signed.
type found struct {
	name  int // in names
	field []byte
}

// NewSigner returns the signer of a domain, with as many signatures as there are
// keys. The domain is in ASCII (A-labels, RFC 6376, section 3.5).
func NewSigner(domain string, keys ...Key) (*Signer, error) {
	if !isName(domain) {
		return nil, fmt.Errorf("dkim: domain %q is not possible", domain)
	}
	s := &Signer{}
	s.desk.New = func() any { return &desk{hash: sha256.New()} }
	for _, key := range keys {
		if !ValidName(key.Selector, domain) {
			return nil, fmt.Errorf("dkim: selector %q of %s is not possible", key.Selector, domain)
		}
		s.keys = append(s.keys, newSigningKey(domain, key))
	}
	return s, nil
}

func newSigningKey(domain string, key Key) signingKey {
	k := signingKey{Key: key, start: []byte("DKIM-Signature: v=1;")}
	k.column = len(k.start)
	for _, tag := range []string{
		"a=" + string(key.Private.Algorithm()) + "-sha256;", "c=relaxed/relaxed;", "d=" + domain + ";", "s=" + key.Selector + ";",
	} {
		k.start, k.column = appendTag(k.start, k.column, tag)
	}
	return k
}

// The longest name and label of DNS in octets (RFC 1035, section 2.3.4), the name
// without the length in front and the root behind.
const (
	maxName  = 253
	maxLabel = 63
)

// ValidName reports whether a key may be published under the selector in the
// domain (RFC 6376, section 3.1). Upper case is refused: it would be another text
// for the same name.
func ValidName(selector, domain string) bool {
	return isName(selector) && isName(domain) && len(RecordName(domain, selector)) <= maxName
}

func isName(s string) bool {
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// Sign appends the DKIM-Signature fields of a message to dst; they belong in
// front of it. The message has CRLF line ends and may stand in dst itself. Its
// time goes into the t= tag, in whole seconds, unless it is before 1970. Opening
// may be nil.
func (s *Signer) Sign(dst, message []byte, opening *Opening, at time.Time) ([]byte, error) {
	header, body := split(message)
	d := s.desk.Get().(*desk)
	defer s.put(d)
	d.collect(header)
	d.sum = hashBody(d.hash, d.sum[:0], body, opening)
	for i := range s.keys {
		k := &s.keys[i]
		var err error
		if dst, err = k.sign(dst, d, at); err != nil {
			return dst, fmt.Errorf("dkim: sign with selector %s: %w", k.Selector, err)
		}
	}
	return dst, nil
}

// put keeps a desk for the next message, and nothing of this one.
func (s *Signer) put(d *desk) {
	clear(d.found)
	s.desk.Put(d)
}

// split parts a message at its first empty line.
func split(message []byte) (header, body []byte) {
	end := bytes.Index(message, []byte("\r\n\r\n"))
	if end < 0 {
		return message, nil
	}
	return message[:end+2], message[end+4:]
}

// collect puts the fields to sign into canonical form, and their names into the
// h= tag. Of several with one name, the last comes first (RFC 6376, section
// 5.4.2).
func (d *desk) collect(header []byte) {
	d.find(header)
	d.signed = d.signed[:0]
	d.names = append(d.names[:0], "\r\n h="...)
	column := len(" h=")
	for i := range names {
		for f := len(d.found) - 1; f >= 0; f-- {
			if d.found[f].name == i {
				d.signed = appendRelaxedField(d.signed, d.found[f].field)
				column = d.name(names[i].text, column)
			}
		}
		if names[i].over {
			column = d.name(names[i].text, column)
		}
	}
	d.names[len(d.names)-1] = ';' // in place of the last colon
}

// find looks for the fields to sign.
func (d *desk) find(header []byte) {
	d.found = d.found[:0]
	for len(header) > 0 {
		size := fieldSize(header)
		if i := nameIndex(header[:size]); i >= 0 {
			d.found = append(d.found, found{i, header[:size]})
		}
		header = header[size:]
	}
}

// fieldSize is the length of the first field with all its lines.
func fieldSize(header []byte) int {
	size := 0
	for {
		end := bytes.IndexByte(header[size:], '\n')
		if end < 0 {
			return len(header)
		}
		size += end + 1
		if size == len(header) || !isSpace(header[size]) {
			return size
		}
	}
}

// nameIndex is which of names a field has, or -1.
func nameIndex(field []byte) int {
	text := bytes.TrimRight(field[:max(bytes.IndexByte(field, ':'), 0)], " \t")
	for i := range names {
		if len(text) == len(names[i].text) && bytes.EqualFold(text, []byte(names[i].text)) {
			return i
		}
	}
	return -1
}

// name appends one to the h= tag, which may be folded behind any colon.
func (d *desk) name(text string, column int) int {
	if column+len(text)+1 > foldAt {
		d.names, column = append(d.names, "\r\n "...), 1
	}
	d.names = append(append(d.names, text...), ':')
	return column + len(text) + 1
}

// foldAt is the length that lines should not exceed (RFC 5322, section 2.1.1).
// Only the name of a domain that is longer, and cannot be parted, does.
const foldAt = 78

// appendTag appends a tag, on a line of its own when it does not fit.
func appendTag(dst []byte, column int, tag string) (out []byte, endColumn int) {
	if column+1+len(tag) > foldAt {
		dst, column = append(dst, "\r\n"...), 0
	}
	return append(append(dst, ' '), tag...), column + 1 + len(tag)
}

// sign appends one signature. The field signs itself, too, with nothing behind
// b= and no line end (RFC 6376, section 3.7).
func (k *signingKey) sign(dst []byte, d *desk, at time.Time) ([]byte, error) {
	start := len(dst)
	dst = append(dst, k.start...)
	if seconds := at.Unix(); seconds > 0 {
		var room [24]byte
		tag := append(strconv.AppendInt(append(room[:0], "t="...), seconds, 10), ';')
		dst, _ = appendTag(dst, k.column, string(tag))
	}
	dst = append(append(dst, d.names...), "\r\n bh="...)
	dst = base64.StdEncoding.AppendEncode(dst, d.sum)
	dst = append(dst, ";\r\n b="...)

	shared := len(d.signed)
	d.signed = appendRelaxedField(d.signed, dst[start:])
	sum := sha256.Sum256(d.signed[:len(d.signed)-len(lineEnd)])
	d.signed = d.signed[:shared]
	signature, err := k.Private.signer.Sign(nil, sum[:], k.Private.hash())
	if err != nil {
		return dst[:start], err
	}
	return appendSignature(dst, signature), nil
}

// appendSignature appends the value of the b= tag and ends the field. It may be
// folded anywhere (RFC 6376, section 3.5).
func appendSignature(dst, signature []byte) []byte {
	var room [684]byte // for an RSA key of 4096 bits
	text := base64.StdEncoding.AppendEncode(room[:0], signature)
	for column := len(" b="); ; column = 1 {
		size := min(len(text), foldAt-column)
		dst = append(dst, text[:size]...)
		dst = append(dst, "\r\n"...)
		if text = text[size:]; len(text) == 0 {
			return dst
		}
		dst = append(dst, ' ')
	}
}
