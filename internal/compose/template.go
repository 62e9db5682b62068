package compose

import (
	"fmt"
	"strings"

	"vestnik/internal/compose/dkim"
	"vestnik/internal/compose/liquid"
	"vestnik/internal/mailing"
)

// Template is a compiled message. It does not change and may be rendered by
// many goroutines at once.
type Template struct {
	parts
	unsubscribe bool
	needsUTF8   bool
	from        []byte // the From field
	fixed       []byte // Reply-To and List-ID
	subjectLine []byte // the Subject field, when it is the same for all
	textChunks  []chunk
	htmlChunks  []chunk
	frame       frame
	signer      *dkim.Signer  // nil: unsigned
	opening     *dkim.Opening // what all bodies begin with; may be nil
}

// Compile checks a source and makes a Template of it. What a person can mend
// is mailing.Problems with the fields subject, body, format, from, reply_to
// and list_id.
func Compile(s Source) (*Template, error) {
	compiled, err := compileParts(s)
	if err != nil {
		return nil, err
	}
	t := &Template{parts: compiled, unsubscribe: s.Unsubscribe}
	if err := t.encodeSender(s); err != nil {
		return nil, err
	}
	t.textChunks = encodeChunks(t.text)
	if t.html != nil {
		t.htmlChunks = encodeChunks(t.html)
	}
	if subject := strings.TrimSpace(s.Subject); !strings.ContainsRune(subject, '{') {
		t.subjectLine = appendField(nil, "Subject", subject)
	}
	t.frame = newFrame(s)
	if t.signer = s.Signer; t.signer != nil {
		t.opening = dkim.NewOpening(t.commonBody())
	}
	return t, nil
}

// Variables lists the first names of the variables that the template uses, in
// order of the alphabet: what a caller need not look up is not in it.
func (t *Template) Variables() []string { return append([]string(nil), t.names...) }

// NeedsUTF8 reports whether the sender's address needs SMTPUTF8 (RFC 6531).
// For the recipient's, see WireAddress.
func (t *Template) NeedsUTF8() bool { return t.needsUTF8 }

// encodeSender encodes the fields that the whole run shares.
func (t *Template) encodeSender(s Source) error {
	var problems mailing.Problems
	from, needsUTF8, err := WireAddress(s.From.Email)
	if err := problems.AddError("from", err); err != nil {
		return err
	}
	t.needsUTF8 = needsUTF8
	t.from = appendMailbox(nil, "From", s.From.Name, from)
	if s.ReplyTo.Email != "" {
		replyTo, needsUTF8, err := WireAddress(s.ReplyTo.Email)
		if err := problems.AddError("reply_to", err); err != nil {
			return err
		}
		t.needsUTF8 = t.needsUTF8 || needsUTF8
		t.fixed = appendMailbox(t.fixed, "Reply-To", s.ReplyTo.Name, replyTo)
	}
	if s.ListID != "" {
		if !isDomain(s.ListID) {
			problems.Add("list_id", "list_id_invalid")
		}
		t.fixed = appendAngled(t.fixed, "List-ID", s.ListID)
	}
	return problems.Err()
}

func encodeChunks(t *liquid.Template) []chunk {
	statics := t.Statics()
	chunks := make([]chunk, len(statics))
	for i, s := range statics {
		chunks[i] = encodeChunk(s)
	}
	return chunks
}

// headerID brings a Message-ID into the form between its angle brackets.
func headerID(id string) (string, error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
	if bare == "" || len(bare) > maxLine-3 || !isPrintable(bare) || strings.ContainsAny(bare, " <>") {
		return "", fmt.Errorf("compose: Message-ID %q is not possible", id)
	}
	return bare, nil
}
