package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// install makes the database one that a service was set up on.
func (h *harness) install() {
	h.t.Helper()
	if _, err := h.store.Installation(context.Background(), store.Installation{Instance: "one"}, time.Now()); err != nil {
		h.t.Fatal(err)
	}
}

// restore makes the database one that was restored a moment ago.
func (h *harness) restore() {
	h.t.Helper()
	ctx := context.Background()
	seen, _, err := h.store.CheckIn(ctx, "here", store.Sighting{}, time.Now().Add(-48*time.Hour))
	if err != nil {
		h.t.Fatal(err)
	}
	if _, _, err := h.store.CheckIn(ctx, "there", seen, time.Now()); err != nil {
		h.t.Fatal(err)
	}
}

func TestHold(t *testing.T) {
	h := newHarness(t)
	h.install()
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
	owner := h.account("anna@example.org", mailing.RoleUser)
	h.things(owner, "client")
	due := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: owner.ID, NextAt: time.Now().Add(-time.Hour)})
	user := h.signIn(owner)
	if err := h.app.RequestReset(context.Background(), app.Visitor{}, manager.account.Email); err != nil {
		t.Fatal(err)
	}
	end := func(word mailing.HoldEnd) url.Values { return url.Values{"end": {string(word)}} }

	h.run("on ordinary days no page speaks of it", func(t *testing.T) {
		admin.get("/profile").lacks("main .note")
		admin.get("/hold").expect(http.StatusOK).shows(".nothing-title", "Ничего не удерживается").lacks("form[action=/hold]")
		admin.post("/hold", end(mailing.HoldGoOn)).expect(http.StatusConflict)
	})
	h.restore()
	h.run("every page says so to an admin, with the way to decide", func(t *testing.T) {
		for _, path := range []string{"/", "/mailings", "/profile", "/no/such/page"} {
			p := admin.get(path).shows(".note.tone-warning", "восстановлена из копии или перенесена")
			p.one(".note a[href=/hold]")
			checkTranslated(t, p)
		}
	})
	h.run("others are told no more than that mailings wait, and strangers nothing", func(t *testing.T) {
		for _, c := range []*client{manager, user} {
			c.get("/profile").expect(http.StatusOK).shows("main .note.tone-neutral", "Рассылки сейчас ждут").lacks("a[href=/hold]")
			c.get("/hold").expect(http.StatusNotFound)
			c.post("/hold", end(mailing.HoldGoOn)).expect(http.StatusNotFound)
			c.post("/hold", end(mailing.HoldCopy)).expect(http.StatusNotFound)
		}
		h.visitor().get("/login").expect(http.StatusOK).lacks(".note")
	})
	h.run("to send by hand is refused, and says why", func(t *testing.T) {
		user.post(at(due.ID, "/send"), nil).expect(http.StatusConflict).shows(".nothing-text, .nothing-title", "восстановлена")
	})
	h.run("the page shows what waits, in both languages", func(t *testing.T) {
		p := admin.get("/hold").expect(http.StatusOK)
		p.shows(".note", "не знает ни о чём после").shows(".card", "anna@example.org").shows(".card", "manager@example.org")
		p.one(`.card a[href="` + at(due.ID, "") + `"]`)
		checkTranslated(t, p)
		checkTranslated(t, admin.lang("en").get("/hold").shows("h1", "Restored database").shows(".card", "Left to send"))
		admin.lang("ru")
	})
	h.run("an unknown word decides nothing", func(t *testing.T) {
		admin.post("/hold", end("perhaps")).expect(http.StatusUnprocessableEntity)
		admin.get("/profile").shows(".note.tone-warning", "восстановлена")
	})
	h.run("an admin lets it go on, which is logged", func(t *testing.T) {
		p := admin.submit(admin.get("/hold"), "#go-on form", nil)
		admin.follow(p).shows(".flash", "Отправка продолжается").lacks("a[href=/hold]")
		if log := h.log.String(); !strings.Contains(log, "email=admin@example.org") || !strings.Contains(log, "end=go_on") {
			t.Errorf("the log is %s", log)
		}
		user.get("/profile").lacks("main .note")
	})
	h.run("or keeps it as a copy", func(t *testing.T) {
		if _, err := h.store.StartHold(context.Background(), time.Now()); err != nil {
			t.Fatal(err)
		}
		p := admin.submit(admin.get("/hold").shows(".note", "по решению человека"), "#copy form", nil)
		admin.follow(p).shows(".flash", "приостановлено рассылок: 2")
		m, err := h.store.Mailing(context.Background(), due.ID)
		if err != nil || m.Status != mailing.StatusPaused {
			t.Errorf("the mailing is %s, %v", m.Status, err)
		}
	})
}
