package compose

import (
	"bytes"
	"encoding/base64"
	"mime"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"vestnik/internal/mailing"
)

// The limits of attachments.
const (
	// MaxAttachmentBytes is how large all attachments together may be, in bytes.
	// Base64 with its line ends makes 9.6 million octets of them, which with the
	// text is below 10,240,000: what Postfix takes unless told otherwise
	// (message_size_limit), and less than any large provider.
	MaxAttachmentBytes = 7_000_000
	// MaxAttachments is how many there may be; chosen, for what nobody opens.
	MaxAttachments = 20

	maxFileName = 200 // bytes, below the 255 of usual file systems; chosen
	maxFallback = 50  // bytes, so that the name's line is below 78 characters
)

// Attachment is a file that goes along with a message. Name may be any text; it
// arrives without what makes names of files dangerous. Type is a media type such
// as "application/pdf"; what cannot be sent as it says is sent as
// application/octet-stream. Data is sent octet for octet.
type Attachment struct {
	Name string
	Type string
	Data []byte
}

func checkAttachments(p *mailing.Problems, attachments []Attachment) {
	size := 0
	for _, a := range attachments {
		size += len(a.Data)
	}
	if size > MaxAttachmentBytes {
		p.Add("attachments", "attachments_too_large", "max_mb", MaxAttachmentBytes/1_000_000, "size", size)
	}
	if len(attachments) > MaxAttachments {
		p.Add("attachments", "attachments_too_many", "max", MaxAttachments)
	}
}

// appendAttachment appends a part with its header (RFC 2183), without a line
// end behind it.
func appendAttachment(dst []byte, a Attachment) []byte {
	name := fileName(a.Name)
	fallback := asciiName(name)
	dst = append(dst, "Content-Type: "+mediaType(a)+";\r\n name=\""+fallback+"\"\r\n"...)
	dst = append(dst, "Content-Disposition: attachment;\r\n filename=\""+fallback+"\""...)
	if fallback != name {
		dst = appendExtended(dst, "filename", name)
	}
	dst = append(dst, "\r\nContent-Transfer-Encoding: base64\r\n\r\n"...)
	return appendBase64(dst, a.Data)
}

// appendBase64 appends lines of 76 characters (RFC 2045, section 6.8).
func appendBase64(dst, data []byte) []byte {
	const lineBytes = wordLine / 4 * 3
	for len(data) > lineBytes {
		dst = base64.StdEncoding.AppendEncode(dst, data[:lineBytes])
		dst = append(dst, "\r\n"...)
		data = data[lineBytes:]
	}
	return base64.StdEncoding.AppendEncode(dst, data)
}

// mediaType is the type that a part is sent as. Types of many parts or of
// messages must not be in base64 (RFC 2045, section 6.4), and text must have
// CRLF at its lines (RFC 2046, section 4.1.1) and a charset we know.
func mediaType(a Attachment) string {
	const unknown = "application/octet-stream"
	kind, _, err := mime.ParseMediaType(a.Type)
	top, sub, _ := strings.Cut(kind, "/")
	switch {
	case err != nil || !isFieldName(top) || !isFieldName(sub) || len(kind) > 60:
		return unknown
	case top == "multipart" || top == "message":
		return unknown
	case top == "text" && isText(a.Data):
		return kind + "; charset=utf-8"
	case top == "text":
		return unknown
	}
	return kind
}

func isText(data []byte) bool {
	bare := bytes.ReplaceAll(data, []byte("\r\n"), nil)
	return utf8.Valid(data) && !bytes.ContainsAny(bare, "\r\n\x00")
}

// fileName makes a name that every system takes: the last element of a path, no
// signs that separate or that Windows forbids, no marks that turn the direction
// of writing (they hide what a name really ends in), no dots at its ends.
func fileName(name string) string {
	name = oneLine(name)
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff':
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, name)
	name = cutName(strings.Trim(name, " ."), maxFileName)
	if name == "" {
		return "attachment"
	}
	return name
}

// cutName shortens a name to so many bytes and keeps its extension.
func cutName(name string, most int) string {
	if len(name) <= most {
		return name
	}
	extension := path.Ext(name)
	if len(extension) > most/4 {
		extension = ""
	}
	end := most - len(extension)
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return strings.TrimRight(name[:end], " .") + extension
}

// asciiName is what a program shows that does not know RFC 2231: every sign
// beyond ASCII is an underscore.
func asciiName(name string) string {
	return cutName(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, name), maxFallback)
}

// appendExtended appends a parameter with a value in UTF-8 (RFC 2231, section
// 4), in pieces when it is longer than a line (section 3). Every piece holds
// whole characters.
func appendExtended(dst []byte, name, value string) []byte {
	const charset = "utf-8''"
	if single := len(" "+name+"*="+charset) + percentLength(value); single <= wordLine {
		return appendPercent(append(dst, ";\r\n "+name+"*="+charset...), value)
	}
	for piece := 0; value != ""; piece++ {
		start := " " + name + "*" + strconv.Itoa(piece) + "*="
		if piece == 0 {
			start += charset
		}
		dst = append(dst, ";\r\n"+start...)
		room := wordLine - len(start)
		size := 0
		for size < len(value) {
			_, width := utf8.DecodeRuneInString(value[size:])
			if room -= percentLength(value[size : size+width]); room < 0 {
				break
			}
			size += width
		}
		dst = appendPercent(dst, value[:size])
		value = value[size:]
	}
	return dst
}

// isAttributeChar reports whether a byte stands for itself in an extended value
// (attribute-char of RFC 2231, section 7).
func isAttributeChar(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`*'%()<>@,;:\"/[]?=`, c) < 0
}

func percentLength(s string) int {
	length := 0
	for i := 0; i < len(s); i++ {
		if length++; !isAttributeChar(s[i]) {
			length += 2
		}
	}
	return length
}

func appendPercent(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; isAttributeChar(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
