package compose

import (
	"bytes"
	"fmt"
	"time"
)

// sign puts the signatures in front of the message, which begins at start.
func (t *Template) sign(out []byte, start int, at time.Time) ([]byte, error) {
	end := len(out)
	out, err := t.signer.Sign(out, out[start:], t.opening, at)
	if err != nil {
		return nil, fmt.Errorf("compose: %w", err)
	}
	var room [2048]byte // two signatures have half of that
	fields := append(room[:0], out[end:]...)
	copy(out[start+len(fields):], out[start:end])
	copy(out[start:], fields)
	return out, nil
}

// commonBody is what the bodies of all recipients begin with: all that stands
// before the first merge field.
func (t *Template) commonBody() []byte {
	sink := quotedSink{dst: bytes.Clone(t.frame.beforeText), chunks: t.textChunks}
	count, all := t.text.Fixed()
	for i := range count {
		sink.Static(i)
	}
	if all {
		sink.end()
	}
	whole := sink.dst
	if all && t.html != nil {
		whole = t.appendCommonHTML(whole)
	}
	_, body, _ := bytes.Cut(whole, []byte("\r\n\r\n"))
	return body
}

// appendCommonHTML goes on behind a plain text that is the same for all.
func (t *Template) appendCommonHTML(dst []byte) []byte {
	sink := quotedSink{dst: append(dst, t.frame.beforeHTML...), chunks: t.htmlChunks}
	count, all := t.html.Fixed()
	for i := range count {
		sink.Static(i)
	}
	if all {
		sink.end()
		sink.dst = append(sink.dst, t.frame.end...)
	}
	return sink.dst
}
