package deliver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// The records of the journal, a line each.
const (
	intentLine  = 'I' // "I <delivery> <epoch> <tries before>"
	outcomeLine = 'O' // "O <outcome as JSON>"
)

// entry is what the journal says about the last try of a delivery.
type entry struct {
	epoch   int64          // of the lease
	tries   int64          // before
	outcome *store.Outcome // nil: intended, and no answer came
}

// isOlder reports whether the entry is about a try before that of the other. Records
// of several workers are not in order.
func (e entry) isOlder(than entry) bool {
	return e.epoch < than.epoch || e.epoch == than.epoch && e.tries < than.tries
}

// read takes in one line. A line cut short by a power failure says nothing.
func read(entries map[int64]entry, line []byte) {
	if len(line) < 3 || line[len(line)-1] != '\n' {
		return
	}
	var id int64
	var e entry
	switch line[0] {
	case intentLine:
		if _, err := fmt.Sscanf(string(line[1:]), "%d %d %d", &id, &e.epoch, &e.tries); err != nil {
			return
		}
	case outcomeLine:
		var r outcomeRecord
		if err := json.Unmarshal(line[1:], &r); err != nil {
			return
		}
		o := r.outcome()
		id, e = o.DeliveryID, entry{epoch: o.Epoch, tries: o.Tries, outcome: &o}
	default:
		return
	}
	before, known := entries[id]
	if known && (e.isOlder(before) || before.outcome != nil && !before.isOlder(e)) {
		return
	}
	entries[id] = e
}

func appendIntent(dst []byte, id, epoch, tries int64) []byte {
	dst = strconv.AppendInt(append(dst, intentLine, ' '), id, 10)
	dst = strconv.AppendInt(append(dst, ' '), epoch, 10)
	dst = strconv.AppendInt(append(dst, ' '), tries, 10)
	return append(dst, '\n')
}

// outcomeRecord is an outcome as it is written down, with its attempt beside it.
// Times are Unix milliseconds, and 0 for none, as in the ledger.
type outcomeRecord struct {
	Delivery int64  `json:"d"`
	Epoch    int64  `json:"e"`
	Tries    int64  `json:"n"`
	State    int64  `json:"s"`
	Reason   string `json:"r"`
	Due      int64  `json:"due"`
	Suppress int64  `json:"x"`
	Tried    int64  `json:"t"` // 1: what follows is the attempt
	Run      int64  `json:"run"`
	Mailing  int64  `json:"m"`
	Owner    int64  `json:"o"`
	Email    string `json:"to"`
	At       int64  `json:"at"`
	Took     int64  `json:"took"` // µs
	Node     string `json:"node"`
	Host     string `json:"host"`
	TLS      string `json:"tls"`
	Stage    string `json:"stage"`
	Result   string `json:"result"`
	Code     int64  `json:"code"`
	Enhanced string `json:"enh"`
	Text     string `json:"text"`
}

func (r *outcomeRecord) outcome() store.Outcome {
	o := store.Outcome{
		DeliveryID: r.Delivery, Epoch: r.Epoch, Tries: r.Tries, State: mailing.DeliveryState(r.State),
		Reason: mailing.Reason(r.Reason), Suppress: r.Suppress != 0,
	}
	if r.Due != 0 {
		o.DueAt = time.UnixMilli(r.Due)
	}
	if r.Tried == 0 {
		return o
	}
	o.Attempt = &mailing.Attempt{
		DeliveryID: r.Delivery, RunID: r.Run, MailingID: r.Mailing, OwnerID: r.Owner, Email: r.Email,
		At: time.UnixMilli(r.At), Duration: time.Duration(r.Took) * time.Microsecond, Node: r.Node, Host: r.Host,
		TLS: r.TLS, Stage: r.Stage, Result: mailing.AttemptResult(r.Result),
		Reply: mailing.Reply{Code: int(r.Code), Enhanced: r.Enhanced, Text: r.Text},
	}
	return o
}

// appendOutcome appends the line of an outcome: an outcomeRecord, as encoding/json
// would write it but in a tenth of the time.
func appendOutcome(dst []byte, o *store.Outcome) []byte {
	w := jsonWriter{append(dst, outcomeLine, ' ', '{')}
	w.number("d", o.DeliveryID)
	w.number("e", o.Epoch)
	w.number("n", o.Tries)
	w.number("s", int64(o.State))
	w.text("r", string(o.Reason))
	if !o.DueAt.IsZero() {
		w.number("due", o.DueAt.UnixMilli())
	}
	if o.Suppress {
		w.number("x", 1)
	}
	if a := o.Attempt; a != nil {
		w.attempt(a)
	}
	return append(w.dst, '}', '\n')
}

func (w *jsonWriter) attempt(a *mailing.Attempt) {
	w.number("t", 1)
	w.number("run", a.RunID)
	w.number("m", a.MailingID)
	w.number("o", a.OwnerID)
	w.text("to", a.Email)
	w.number("at", a.At.UnixMilli())
	w.number("took", a.Duration.Microseconds())
	w.text("node", a.Node)
	w.text("host", a.Host)
	w.text("tls", a.TLS)
	w.text("stage", a.Stage)
	w.text("result", string(a.Result))
	w.number("code", int64(a.Reply.Code))
	w.text("enh", a.Reply.Enhanced)
	w.text("text", a.Reply.Text)
}

// jsonWriter writes the members of a JSON object.
type jsonWriter struct{ dst []byte }

func (w *jsonWriter) name(name string) {
	if w.dst[len(w.dst)-1] != '{' {
		w.dst = append(w.dst, ',')
	}
	w.dst = append(append(append(w.dst, '"'), name...), '"', ':')
}

func (w *jsonWriter) number(name string, value int64) {
	w.name(name)
	w.dst = strconv.AppendInt(w.dst, value, 10)
}

// text leaves out what is empty.
func (w *jsonWriter) text(name, value string) {
	if value == "" {
		return
	}
	w.name(name)
	if isSimple(value) {
		w.dst = append(append(append(w.dst, '"'), value...), '"')
		return
	}
	quoted, err := json.Marshal(value)
	if err != nil {
		panic("deliver: a string does not marshal: " + err.Error())
	}
	w.dst = append(w.dst, bytes.TrimRight(quoted, "\n")...)
}

// isSimple reports whether a text needs no escapes in JSON (RFC 8259, section 7).
func isSimple(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
