package web_test

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
	"vestnik/internal/web"
)

// things are one of each kind that somebody can own.
// A relay is nobody's own, and only there for those who manage relays.
type things struct{ contact, message, mailing, run, delivery, imported, relay int64 }

func (h *harness) things(owner mailing.Account) things {
	h.t.Helper()
	ctx := context.Background()
	contact := storetest.Contact(h.t, h.store, owner.ID, "client@example.org")
	message := storetest.Message(h.t, h.store, mailing.Message{OwnerID: owner.ID})
	m := storetest.Mailing(h.t, h.store, mailing.Mailing{OwnerID: owner.ID, MessageID: message.ID})
	run := storetest.Run(h.t, h.store, m)
	deliveries, _, err := h.store.Deliveries(ctx, store.DeliveryFilter{RunID: run.ID}, store.Page{Limit: 1})
	if err != nil || len(deliveries) != 1 {
		h.t.Fatalf("the run has %d deliveries: %v", len(deliveries), err)
	}
	imported, err := h.app.ImportContacts(ctx, owner, "list.csv", strings.NewReader("email\nbroken\n"))
	if err != nil {
		h.t.Fatal(err)
	}
	relay, err := h.app.CreateRelay(ctx, app.Operator, someRelay("Почта", 10))
	if err != nil {
		h.t.Fatal(err)
	}
	return things{contact.ID, message.ID, m.ID, run.ID, deliveries[0].ID, imported.ID, relay}
}

// path fills in a route's pattern; false for one that names nobody's thing.
func (t things) path(pattern string) (string, bool) {
	_, path, _ := strings.Cut(pattern, " ")
	ids := map[string]int64{
		"/clients/{id}": t.contact, "/messages/{id}": t.message, "/mailings/{id}": t.mailing,
		"/runs/{id}": t.run, "/clients/imports/{id}": t.imported, "/relays/{id}": t.relay,
	}
	for prefix, id := range ids {
		if strings.HasPrefix(path, prefix) {
			path = strings.Replace(path, "{id}", strconv.FormatInt(id, 10), 1)
			return strings.Replace(path, "{delivery}", strconv.FormatInt(t.delivery, 10), 1), true
		}
	}
	return "", false
}

// changes are forms that would do something if they were let.
var changes = url.Values{
	"email": {"taken@example.org"}, "first_name": {"Eve"}, "subject": {"Stolen"}, "format": {"text"}, "body": {"stolen"},
	"why": {"because"}, "word": {"again"}, "to": {"eve@example.org"}, "id": {"1"}, "host": {"evil.example.org"}, "from_email": {"eve@example.org"},
}

func TestWhatIsNotOnesOwnIsAnsweredAsWhatIsNotThere(t *testing.T) {
	h := newHarness(t)
	theirs := h.things(h.account("owner@example.org", mailing.RoleUser))
	missing := things{1, 2, 3, 4, 5, 6, 7}
	visitor := h.signIn(h.account("eve@example.org", mailing.RoleUser))
	tried := 0
	for _, route := range h.web.Routes() {
		path, owned := theirs.path(route.Pattern)
		if !owned {
			if strings.Contains(route.Pattern, "{id}") && !strings.Contains(route.Pattern, "/demo/") {
				t.Errorf("%s names a thing that this test does not know", route.Pattern)
			}
			continue
		}
		tried++
		h.run(route.Pattern, func(t *testing.T) {
			nowhere, _ := missing.path(route.Pattern)
			foreign, none := visit(visitor, route, path), visit(visitor, route, nowhere)
			if foreign.status != 404 || none.status != 404 {
				t.Fatalf("somebody else's: %d, missing: %d; both should be 404", foreign.status, none.status)
			}
			if a, b := strings.ReplaceAll(foreign.body, path, ""), strings.ReplaceAll(none.body, nowhere, ""); unescaped(a, path) != unescaped(b, nowhere) {
				t.Errorf("somebody else's and missing are told apart:\n%s\n%s", a, b)
			}
		})
	}
	if tried < 25 {
		t.Errorf("only %d routes name things; the test has lost them", tried)
	}
	h.unchanged(t, theirs)
}

func visit(c *client, route web.Route, path string) *page {
	if strings.HasPrefix(route.Pattern, "POST ") {
		return c.post(path, changes)
	}
	return c.get(path)
}

// unescaped drops the path where a form carries it percent-encoded.
func unescaped(body, path string) string {
	return strings.ReplaceAll(body, url.QueryEscape(path), "")
}

// unchanged makes sure that none of the visits had an effect.
func (h *harness) unchanged(t *testing.T, theirs things) {
	t.Helper()
	ctx := context.Background()
	contact, err := h.store.Contact(ctx, theirs.contact)
	if err != nil || contact.Email != "client@example.org" || contact.Suppression.Reason != "" {
		t.Errorf("the contact was changed: %+v %v", contact, err)
	}
	message, err := h.store.Message(ctx, theirs.message)
	if err != nil || message.Subject == "Stolen" {
		t.Errorf("the message was changed: %+v %v", message, err)
	}
	m, err := h.store.Mailing(ctx, theirs.mailing)
	if err != nil || m.Status == mailing.StatusDisabled || m.Status == mailing.StatusPaused {
		t.Errorf("the mailing was changed: %+v %v", m, err)
	}
	run, err := h.store.Run(ctx, theirs.run)
	if err != nil || !run.State.Open() {
		t.Errorf("the run was changed: %+v %v", run, err)
	}
	relay, err := h.app.Relay(ctx, app.Operator, theirs.relay)
	if want := someRelay("Почта", 10); err != nil || relay.Host != want.Host || relay.FromEmail != want.FromEmail {
		t.Errorf("the relay was changed: %+v %v", relay, err)
	}
}
