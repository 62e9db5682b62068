package app_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const password = "синяя лошадь у реки"

// house is the use cases over a database of their own, at a time that the test sets.
type house struct {
	*app.App
	store *store.Store
	now   time.Time
	tried []app.RelaySettings // by CheckRelay

	failing  string                   // the step of CheckRelay that fails; empty: none
	mailed   []relayMail              // by MailRelay
	asked    []mailing.DomainQuestion // by AskDNS
	findings []mailing.Finding        // its answer
}

// relayMail is what MailRelay was given.
type relayMail struct {
	by, to  string
	message string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return over(storetest.New(t))
}

func over(s *store.Store) *house {
	h := &house{store: s, now: storetest.Now}
	h.App = app.New(app.Config{
		BaseURL: "https://mail.example.org", Zone: "Europe/Moscow", SignUp: mailing.SignUpOpen,
		Now: func() time.Time { return h.now },
		CheckRelay: func(_ context.Context, r app.RelaySettings, step func(string, error)) {
			h.tried = append(h.tried, r)
			if h.failing != "" {
				step(h.failing, mailing.Fault(mailing.Invalid, "smtp_auth_refused", "reply", "535 5.7.8 no"))
			}
		},
		MailRelay: func(_ context.Context, r app.RelaySettings, to string, message []byte) error {
			h.mailed = append(h.mailed, relayMail{r.Name, to, string(message)})
			return nil
		},
		AskDNS: func(_ context.Context, q mailing.DomainQuestion) []mailing.Finding {
			h.asked = append(h.asked, q)
			return h.findings
		},
		Examples: func(lang string) (app.ExampleSet, error) {
			return app.ExampleSet{
				Contacts: []mailing.Contact{{Email: "eva@example.com", FirstName: lang}, {Email: "ben@example.com"}},
				Message:  app.MessageForm{Subject: "Hello", Format: mailing.FormatText, Body: "Hello"},
			}, nil
		},
	}, s, auth.NewKeys([]byte(strings.Repeat("k", auth.MinSecret))))
	return h
}

// person makes an active account with the role.
func (h *house) person(t *testing.T, email string, role mailing.Role) mailing.Account {
	t.Helper()
	a := storetest.Account(t, h.store, email)
	a.Role = role
	must(t, h.store.SetRole(t.Context(), a.ID, role))
	return a
}

// mail is one of Vestnik's own mails, as the ledger holds it.
type mail struct {
	to, subject, body string
	vars              map[string]any
}

// mails lists the mails that wait to be sent, oldest first.
func (h *house) mails(t *testing.T) []mail {
	t.Helper()
	rows, err := h.store.Writer().QueryContext(t.Context(), `select d.email, d.vars, v.subject, v.body from deliveries d
join runs r on r.id = d.run_id join versions v on v.id = r.version_id
where r.kind in ('system', 'test') order by d.id`)
	must(t, err)
	defer rows.Close()
	var list []mail
	for rows.Next() {
		var m mail
		var sealed string
		must(t, rows.Scan(&m.to, &sealed, &m.subject, &m.body))
		m.vars, err = h.OpenVars(m.to, sealed)
		must(t, err)
		list = append(list, m)
	}
	must(t, rows.Err())
	return list
}

// last is the value of a field of the latest mail.
func (h *house) last(t *testing.T, field string) string {
	t.Helper()
	mails := h.mails(t)
	if len(mails) == 0 {
		t.Fatal("there is no mail")
	}
	value, _ := mails[len(mails)-1].vars[field].(string)
	if value == "" {
		t.Fatalf("the latest mail, %q, has no %s", mails[len(mails)-1].subject, field)
	}
	return value
}

func (h *house) rows(t *testing.T, query string, values ...any) (n int) {
	t.Helper()
	must(t, h.store.Writer().QueryRowContext(t.Context(), query, values...).Scan(&n))
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is the code of err, "ok" for none, and the whole text of what is our fault.
func answer(err error) string {
	switch code := mailing.CodeOf(err); {
	case err == nil:
		return "ok"
	case code == "":
		return "internal: " + err.Error()
	default:
		return code
	}
}

func want(t *testing.T, err error, code string) {
	t.Helper()
	if got := answer(err); got != code {
		t.Fatalf("got %s, want %s", got, code)
	}
}

// fields are those that err complains about, sorted.
func fields(err error) string {
	var problems mailing.Problems
	errors.As(err, &problems)
	var names []string
	for _, p := range problems {
		names = append(names, p.Field+":"+p.Code)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// later moves the time on.
func (h *house) later(d time.Duration) { h.now = h.now.Add(d) }

// testHash is that of password; to make one takes a while.
var testHash = sync.OnceValues(func() (string, error) { return auth.NewHasher(1).Hash(context.Background(), password) })
