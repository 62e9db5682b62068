package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

// nobodys is an id of nothing; it is long, so that it stands nowhere else on a page.
const nobodys = 4_444_444_444_444_444

// What a path names is in the matrix; these are the ids in forms and queries.
func TestAForeignIDInAFormIsOneThatIsNotThere(t *testing.T) {
	h := newAccessHarness(t)
	w := newAccessWorld(h)
	eve, other := w.accounts["user"], w.other
	hers, theirs := w.of(eve), w.of(other)
	c := h.planted(eve)
	id := func(n int64) string { return strconv.FormatInt(n, 10) }
	mailingOf := func() []int64 {
		t.Helper()
		chosen, err := h.app.ChosenContacts(ctx, eve, hers.mailing)
		if err != nil {
			t.Fatal(err)
		}
		return chosen
	}
	// alike sends the form with the foreign and with a missing id: the answers are to be
	// the same, and nothing is to happen to what is not Eve's.
	alike := func(t *testing.T, status int, send func(id int64) *page, foreign, missing int64) {
		t.Helper()
		deeds, was := w.deeds(t), w.state(theirs)
		c.get("/profile") // has shown what was done before
		a := send(foreign).expect(status)
		c.get("/profile")
		b := send(missing).expect(status)
		told := difference(without(a, foreign), without(b, missing))
		if told != "" || a.location() != b.location() {
			t.Errorf("they are told apart: %s", told)
		}
		if w.state(theirs) != was {
			t.Error("what is not hers was changed")
		}
		if n := w.deeds(t); status >= 400 && n != deeds {
			t.Errorf("what was refused has left %d deeds", n-deeds)
		}
	}
	// fromOnePage is a form with all that a page makes, which differs from one page to the next.
	draft := h.app.NewMailingID()
	fromOnePage := func(path string, form url.Values) url.Values {
		t.Helper()
		seen := int64(0)
		if path != "/mailings/new" {
			seen = h.stored(hers.mailing).UpdatedAt.UnixMilli()
		}
		return with(form, "id", id(draft), "writer", "the page", "seen", id(seen))
	}
	h.run("a message in one's own mailing", func(t *testing.T) {
		for _, path := range []string{"/mailings/new", fmt.Sprintf("/mailings/%d/edit", hers.mailing)} {
			alike(t, http.StatusUnprocessableEntity, func(id int64) *page { return c.post(path, fromOnePage(path, mailingForm(id))) }, theirs.message, nobodys)
		}
	})
	h.run("contacts chosen for one's own mailing", func(t *testing.T) {
		form := func(ids ...string) url.Values {
			f := mailingForm(hers.message)
			f.Set("audience", "chosen")
			f["contacts"] = ids
			return f
		}
		path := fmt.Sprintf("/mailings/%d/edit", hers.mailing)
		c.post(path, form(id(hers.contact), id(theirs.contact))).expect(http.StatusSeeOther)
		if chosen := mailingOf(); len(chosen) != 1 || chosen[0] != hers.contact {
			t.Errorf("chosen are %v, want %d only", chosen, hers.contact)
		}
		find := func(ids int64) *page {
			return c.post(path, fromOnePage(path, with(form(id(ids)), "do", "search")))
		}
		alike(t, http.StatusOK, find, theirs.contact, nobodys)
	})
	h.run("many contacts to delete", func(t *testing.T) {
		alike(t, http.StatusSeeOther, func(id int64) *page {
			return c.post("/clients/delete", url.Values{"id": {strconv.FormatInt(id, 10)}})
		}, theirs.contact, nobodys)
		before := w.deeds(t)
		c.post("/clients/delete", url.Values{"id": {id(theirs.contact), "1"}}).expect(http.StatusSeeOther)
		if w.deeds(t) != before {
			t.Error("there is a deed of what was not done")
		}
	})
	h.run("a contact whose fields fill a test or a preview", func(t *testing.T) {
		for _, path := range []string{"/messages/preview", "/messages/test"} {
			alike(t, http.StatusNotFound, func(id int64) *page {
				return c.post(path, url.Values{
					"subject": {"x"}, "format": {"text"}, "body": {"{{ email }}"}, "to": {"me@example.net"},
					"contact": {strconv.FormatInt(id, 10)},
				})
			}, theirs.contact, nobodys)
		}
	})
	h.run("a message that a draft belongs to", func(t *testing.T) {
		alike(t, http.StatusNotFound, func(id int64) *page {
			return c.post("/messages/test", url.Values{
				"subject": {"x"}, "format": {"text"}, "body": {"y"}, "to": {"me@example.net"}, "message": {strconv.FormatInt(id, 10)},
			})
		}, theirs.message, nobodys)
	})
	h.run("another's delivery in one's own run", func(t *testing.T) {
		path := func(delivery int64) string { return fmt.Sprintf("/runs/%d/deliveries/%d", hers.run, delivery) }
		alike(t, http.StatusNotFound, func(id int64) *page { return c.get(path(id)) }, theirs.delivery, 123_456)
		alike(t, http.StatusNotFound, func(id int64) *page {
			return c.post(path(id), url.Values{"word": {"again"}})
		}, theirs.delivery, 123_456)
	})
}

func TestAnothersPasskeyOrSessionIsOneThatIsNotThere(t *testing.T) {
	h := newAccessHarness(t)
	eve, other := h.account("eve@example.org", mailing.RoleUser), h.account("other@example.org", mailing.RoleUser)
	h.passkey(other)
	passkey, session := h.passkeyID(other), h.session(other)
	c := h.planted(eve)
	for path, id := range map[string]string{
		"/profile/security/passkeys/rename": passkey, "/profile/security/passkeys/remove": passkey, "/profile/security/sessions/end": session,
	} {
		a := c.post(path, url.Values{"id": {id}, "name": {"mine"}}).expect(http.StatusNotFound)
		b := c.post(path, url.Values{"id": {strconv.Itoa(nobodys)}, "name": {"mine"}}).expect(http.StatusNotFound)
		if told := difference(a.body, b.body); told != "" {
			t.Errorf("%s tells them apart: %s", path, told)
		}
	}
	keys, err := h.store.Passkeys(ctx, other.ID)
	if err != nil || len(keys) != 1 || keys[0].Name != "key" {
		t.Errorf("the passkeys are %+v, %v", keys, err)
	}
	if sessions, err := h.app.Sessions(ctx, other); err != nil || len(sessions) != 1 {
		t.Errorf("the sessions are %+v, %v", sessions, err)
	}
}

func TestListsAndFilesHoldNothingForeign(t *testing.T) {
	h := newAccessHarness(t)
	w := newAccessWorld(h)
	w.of(w.accounts["user"])
	contact, err := h.app.CreateContact(ctx, w.other, mailing.Contact{Email: "secret@example.net"})
	if err != nil {
		t.Fatal(err)
	}
	run := h.sent(w.other, "Тайная рассылка", mailing.Sent, contact)
	c := h.planted(w.accounts["user"])
	for _, query := range []string{
		"", "?q=secret", fmt.Sprintf("?mailing=%d", run.MailingID), fmt.Sprintf("?run=%d", run.ID), "?status=in_progress",
		fmt.Sprintf("?owner=%d", w.other.ID), "?page=1&sort=email", fmt.Sprintf("?kind=contact&thing=%d", contact.ID),
	} {
		for _, path := range []string{"/clients", "/messages", "/mailings", "/logs", "/logs.csv", "/profile/activity", "/", "/clients/import"} {
			p := c.get(path + query).expect(http.StatusOK)
			for _, word := range []string{"secret@example.net", "Тайная"} {
				if strings.Contains(strings.ReplaceAll(p.body, "q=secret", ""), word) {
					t.Errorf("%s%s holds %q", path, query, word)
				}
			}
		}
	}
	for _, path := range []string{"/clients", "/messages", "/mailings", "/logs", "/logs.csv"} {
		if got := c.get(path + "?scope=all"); got.status != http.StatusForbidden && strings.Contains(got.body, "secret@example.net") {
			t.Errorf("%s?scope=all answers %d with what is not hers", path, got.status)
		}
		c.get(path + "?scope=all").expect(http.StatusForbidden)
	}
}

// without is a page with what names a thing taken out. The ids of deliveries are short.
func without(p *page, id int64) string {
	text := strconv.FormatInt(id, 10)
	if id < 1_000_000 {
		text = "deliveries/" + text
	}
	return strings.ReplaceAll(p.body, text, "")
}

// difference is where two pages begin to differ; empty when they do not.
func difference(a, b string) string {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	if at == len(a) && at == len(b) {
		return ""
	}
	from := max(at-60, 0)
	return fmt.Sprintf("…%q and …%q", a[from:min(at+60, len(a))], b[from:min(at+60, len(b))])
}
