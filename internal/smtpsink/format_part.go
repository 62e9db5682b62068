package smtpsink

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxDepth is how many parts may lie in each other; chosen, far above what any
// program makes.
const maxDepth = 10

// checkPart looks at the content of a message or of a part in it.
func (i *inspection) checkPart(fields []field, body []byte, depth int) {
	kind, parameters := i.contentType(fields)
	encoding := "7bit" // the default (RFC 2045, section 6.1)
	if f := named(fields, "Content-Transfer-Encoding"); len(f) > 0 {
		encoding = strings.ToLower(strings.TrimSpace(f[0].value))
	}
	i.checkDisposition(fields)
	if strings.HasPrefix(kind, "multipart/") {
		if encoding != "7bit" && encoding != "8bit" && encoding != "binary" {
			i.object("%s is encoded as %s", kind, encoding)
		}
		i.checkMultipart(parameters["boundary"], body, depth)
		return
	}
	i.checkBody(kind, parameters["charset"], encoding, body)
}

// contentType reads the field (RFC 2045, section 5).
func (i *inspection) contentType(fields []field) (kind string, parameters map[string]string) {
	found := named(fields, "Content-Type")
	if len(found) == 0 {
		return "text/plain", nil
	}
	value := strings.TrimSpace(found[0].value)
	kind, parameters, err := mime.ParseMediaType(value)
	if err != nil {
		i.object("Content-Type cannot be read: %v", err)
	}
	if boundary := parameters["boundary"]; strings.HasPrefix(kind, "multipart/") && !isBoundary.MatchString(boundary) {
		i.object("boundary %q is not possible", boundary)
	}
	if strings.HasPrefix(kind, "text/") && parameters["charset"] == "" {
		i.object("%s without a charset", kind)
	}
	return kind, parameters
}

// isBoundary is boundary of RFC 2046, section 5.1.1.
var isBoundary = regexp.MustCompile(`^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$`)

// checkDisposition looks at a file's name (RFC 2183, RFC 2231).
func (i *inspection) checkDisposition(fields []field) {
	for _, f := range named(fields, "Content-Disposition") {
		_, parameters, err := mime.ParseMediaType(strings.TrimSpace(f.value))
		if err != nil {
			i.object("Content-Disposition cannot be read: %v", err)
		}
		if name := parameters["filename"]; !utf8.ValidString(name) || strings.ContainsAny(name, "/\\\x00\r\n") {
			i.object("file name %q is not safe", name)
		}
	}
}

// checkMultipart takes a body apart at its delimiter lines (RFC 2046, section
// 5.1.1).
func (i *inspection) checkMultipart(boundary string, body []byte, depth int) {
	if depth == maxDepth {
		i.object("parts in parts without end")
		return
	}
	parts, closed := i.cutParts(boundary, body)
	if !closed {
		i.object("multipart without its last boundary line")
	}
	if len(parts) == 0 {
		i.object("multipart without parts")
	}
	for _, part := range parts {
		fields, content, ok := i.cutHeader(part)
		if !ok {
			continue
		}
		for _, f := range fields {
			if !strings.HasPrefix(strings.ToLower(f.name), "content-") {
				i.object("part with the field %s", f.name)
			}
			i.checkField(f)
		}
		i.checkPart(fields, content, depth+1)
	}
}

// cutParts returns what lies between delimiter lines, without the CRLF before
// them, which belongs to them.
func (i *inspection) cutParts(boundary string, body []byte) (parts [][]byte, closed bool) {
	delimiter := []byte("--" + boundary)
	start, at := -1, 0
	for at < len(body) && !closed {
		line, after := body[at:], len(body)
		if end := bytes.Index(line, []byte("\r\n")); end >= 0 {
			line, after = line[:end], at+end+2
		}
		if bytes.HasPrefix(line, delimiter) {
			rest := strings.TrimRight(string(line[len(delimiter):]), " \t")
			closed = rest == "--"
			if rest != "" && !closed {
				i.object("line that begins like the boundary and is none")
			} else {
				if start >= 0 {
					parts = append(parts, body[start:max(start, at-2)])
				}
				start = after
			}
		}
		at = after
	}
	return parts, closed
}

// checkBody looks at a body by its encoding (RFC 2045, section 6).
func (i *inspection) checkBody(kind, charset, encoding string, body []byte) {
	var decoded []byte
	switch encoding {
	case "7bit", "8bit":
		i.checkPlainLines(encoding, body)
		decoded = body
	case "quoted-printable":
		decoded = i.checkQuoted(body)
	case "base64":
		decoded = i.checkBase64(body)
	default:
		i.object("encoding %q, which SMTP does not carry or nobody knows", encoding)
	}
	if strings.EqualFold(charset, "utf-8") && !utf8.Valid(decoded) {
		i.object("%s that is not the UTF-8 it says it is", kind)
	}
}

func (i *inspection) checkPlainLines(encoding string, body []byte) {
	if encoding == "7bit" && bytes.IndexFunc(body, isHigh) >= 0 {
		i.object("8-bit octets in a 7bit part")
	}
	for line := range bytes.SplitSeq(body, []byte("\r\n")) {
		if len(line) > maxLineBytes {
			i.object("%s line of more than 998 octets", encoding)
		}
	}
}

// isQuotedLine reports whether a line is quoted-printable (RFC 2045, section
// 6.7): what can be printed, "=" with two digits, and "=" at its end.
func isQuotedLine(line []byte) bool {
	for at := 0; at < len(line); at++ {
		switch c := line[at]; {
		case c == '=' && at == len(line)-1:
		case c == '=' && at+2 < len(line) && isHexDigit(line[at+1]) && isHexDigit(line[at+2]):
			at += 2
		case c == '=' || c != '\t' && (c < ' ' || c > '~'):
			return false
		}
	}
	return true
}

func isHexDigit(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }

func (i *inspection) checkQuoted(body []byte) []byte {
	for line := range bytes.SplitSeq(body, []byte("\r\n")) {
		if len(line) > codedLine {
			i.object("quoted-printable line of more than 76 characters")
		}
		if !isQuotedLine(line) {
			i.object("quoted-printable line with what should be encoded: %.80q", line)
		}
		if n := len(line); n > 0 && (line[n-1] == ' ' || line[n-1] == '\t') {
			i.object("quoted-printable line that ends in white space, which gets lost")
		}
	}
	decoded, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
	if err != nil {
		i.object("quoted-printable that cannot be read: %v", err)
	}
	return decoded
}

func (i *inspection) checkBase64(body []byte) []byte {
	for line := range bytes.SplitSeq(body, []byte("\r\n")) {
		if len(line) > codedLine {
			i.object("base64 line of more than 76 characters")
		}
	}
	joined := bytes.ReplaceAll(body, []byte("\r\n"), nil)
	decoded, err := base64.StdEncoding.AppendDecode(nil, joined)
	if err != nil || bytes.ContainsAny(joined, "\r\n") {
		i.object("base64 that cannot be read: %v", err)
	}
	return decoded
}
