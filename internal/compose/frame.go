package compose

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"vestnik/internal/mailing"
)

// frame is what stands around the bodies of a message: the fields about the
// content, and the boundaries between the parts.
type frame struct {
	beforeText []byte
	beforeHTML []byte // only with HTML, as end
	end        []byte
}

const (
	textFields = "Content-Type: text/plain; charset=utf-8\r\n" + encodingField + "\r\n"
	htmlFields = "Content-Type: text/html; charset=utf-8\r\n" + encodingField + "\r\n"

	encodingField = "Content-Transfer-Encoding: quoted-printable\r\n"
)

func newFrame(s Source) frame {
	if s.Format == mailing.FormatText {
		return frame{beforeText: []byte(textFields)}
	}
	boundary := boundaryOf(s)
	between := "\r\n--" + boundary + "\r\n"
	return frame{
		beforeText: []byte("Content-Type: multipart/alternative;\r\n boundary=\"" + boundary + "\"\r\n" + between + textFields),
		beforeHTML: []byte(between + htmlFields),
		end:        []byte("\r\n--" + boundary + "--\r\n"),
	}
}

// boundaryOf returns the boundary between the parts. It begins with "=_",
// which quoted-printable text never contains (RFC 2045, section 6.7). It is the
// same for all recipients, so that their bodies begin alike, and follows from
// the message, so that another node finds the same.
func boundaryOf(s Source) string {
	sum := sha256.Sum256([]byte(s.Subject + "\x00" + s.Body))
	return "=_" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15])) + "_="
}
