package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"vestnik/internal/web/ui"
)

// How long a person stays signed in: without a visit, and at most. Two weeks
// without one is what the field's services do; the rest is chosen.
const (
	sessionIdle = 14 * 24 * time.Hour
	sessionLife = 90 * 24 * time.Hour
)

const (
	sessionFlashes = "flashes"
)

func newSessions(store scs.CtxStore, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.Codec = SessionCodec{}
	m.HashTokenInStore = true
	m.Lifetime = sessionLife // SessionOf ends those that nobody visits; scs would write each at each visit
	m.Cookie.Name, m.Cookie.Secure = cookieName("session", secure), secure
	m.Cookie.HttpOnly, m.Cookie.SameSite = true, http.SameSiteLaxMode
	return m
}

// SessionCodec writes a session as JSON, so that the store can tell whose it is.
// All values are strings.
type SessionCodec struct{}

type sessionRecord struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode implements scs.Codec.
func (SessionCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	record := sessionRecord{Deadline: deadline, Values: make(map[string]string, len(values))}
	for key, value := range values {
		record.Values[key] = value.(string)
	}
	return json.Marshal(record)
}

// Decode implements scs.Codec.
func (SessionCodec) Decode(data []byte) (time.Time, map[string]any, error) {
	var record sessionRecord
	if err := json.Unmarshal(data, &record); err != nil {
		return time.Time{}, nil, err
	}
	values := make(map[string]any, len(record.Values))
	for key, value := range record.Values {
		values[key] = value
	}
	return record.Deadline, values, nil
}

func (r *request) signOut() error { return r.sessions.Destroy(r.in.Context()) }

// flash keeps a message for the next page.
func (r *request) flash(tone ui.Tone, text string) { r.putFlash(ui.Flash{Tone: tone, Text: text}) }

// flashUndo is flash for what can be taken back by posting to undo, which comes back to the
// page.
func (r *request) flashUndo(text, undo, back string) {
	r.putFlash(ui.Flash{Tone: ui.Success, Text: text, Undo: undo, Back: back})
}

func (r *request) putFlash(f ui.Flash) {
	flashes := append(r.popFlashes(), f)
	data, err := json.Marshal(flashes)
	if err != nil {
		panic("web: flashes are plain data: " + err.Error())
	}
	r.sessions.Put(r.in.Context(), sessionFlashes, string(data))
}

func (r *request) popFlashes() []ui.Flash {
	var flashes []ui.Flash
	text := r.sessions.PopString(r.in.Context(), sessionFlashes)
	if text == "" || json.Unmarshal([]byte(text), &flashes) != nil {
		return nil
	}
	return flashes
}
