package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestHomeOfAVisitor(t *testing.T) {
	h := newHarness(t)
	h.run("a visitor is welcomed", func(t *testing.T) {
		p := h.visitor().get("/").expect(http.StatusOK).shows("h1", "не теряются")
		p.one("main a[href=/register]")
		p.one("main a[href=/login]")
		p.one("main a[href=/demo]")
		h.visitor().lang("en").get("/").shows("h1", "do not get lost")
		h.visitor().fromFar().get("/").lacks("main a[href=/demo]")
	})
}

func TestHome(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	steps := ".stage:has-text(сделано)"
	h.run("a new person is led from step to step until something was sent", func(t *testing.T) {
		c.get("/").expect(http.StatusOK).shows("#set-up .stage:has-text(следующий)", "Добавьте клиента").lacks(steps)
		storetest.Contacts(t, h.store, anna.ID, 3)
		message := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Новости"})
		p := c.get("/").shows("#set-up .stage:has-text(следующий)", "Создайте рассылку").shows(".gauge-words", "2 из 4").shows("#main", "Сделано шагов")
		if got := len(p.find(steps)); got != 2 {
			t.Errorf("%d steps are done", got)
		}
		m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID, NextAt: time.Now().Add(26 * time.Hour)})
		storetest.Run(t, h.store, m)
		c.get("/").lacks("#set-up")
	})
	h.run("the numbers are there and lead to their lists", func(t *testing.T) {
		p := c.get("/")
		p.shows(".stat:has-text(Отправлено за 30 дней) .stat-value", "0").one(".stat .sparkline[role=img][aria-label^=За]")
		p.shows(".stat:has-text(Количество рассылок) .stat-value", "1").shows(".stat:has-text(Количество активных рассылок) .stat-value", "1")
		p.shows(".stat:has-text(Количество клиентов) .stat-value", "3")
		for _, link := range p.find(".stat-link") {
			c.get(attribute(link, "href")).expect(http.StatusOK)
		}
	})
	h.run("the active ones are those that the number counts", func(t *testing.T) {
		storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, Status: mailing.StatusCompleted})
		p := c.get(c.get("/").attr(".stat-link:has-text(активных)", "href"))
		if n := len(p.find("tbody .state")); n != 1 {
			t.Errorf("%d are listed", n)
		}
	})
	h.run("a list may be imported in place of the first client, and a message need not be begun from nothing", func(t *testing.T) {
		fresh := h.signIn(h.account("new@example.org", mailing.RoleUser)).get("/")
		fresh.one("#set-up a[href=/clients/import]")
		fresh.one("#set-up a[href=/messages/starters]")
	})
	h.run("what comes next and what was is told, and can be opened", func(t *testing.T) {
		p := c.get("/").shows("#next", "Новости").shows("#next .countdown", "через 1 день").shows("#latest", "отправлено 0 из 3")
		for _, link := range p.find("#next a, #latest a") {
			c.get(attribute(link, "href")).expect(http.StatusOK)
		}
	})
	h.run("what needs attention is told", func(t *testing.T) {
		c.get("/").lacks("#attention")
		m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID})
		run := storetest.Run(t, h.store, m)
		m.Status, m.StopWhy, m.StoppedAt = mailing.StatusDisabled, "жалобы", time.Now()
		if err := h.store.SetMailingStatus(t.Context(), m, mailing.StatusCreated); err != nil {
			t.Fatal(err)
		}
		if err := h.store.HaltRun(t.Context(), run.ID, "550 5.7.1 no"); err != nil {
			t.Fatal(err)
		}
		c.get("/").shows("#attention", "Отключена").shows("#attention", "жалобы").shows("#attention", "Остановлен")
	})
	h.run("a manager switches between their own and everybody's", func(t *testing.T) {
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager)).lang("en")
		value := ".stat:has-text(Mailings) .stat-value"
		own := manager.get("/").shows(value, "0")
		everyone := manager.get(own.attr(".tab:has-text(Everyone)", "href")).shows(value, "3").shows("#latest", "Анна Петрова").lacks("#set-up")
		for _, link := range everyone.find(".stat-link") {
			manager.get(attribute(link, "href")).expect(http.StatusOK)
		}
		c.get("/?scope=all").expect(http.StatusOK).lacks(".tab")
	})
	h.run("a user sees nothing of others", func(t *testing.T) {
		p := h.signIn(h.account("boris@example.org", mailing.RoleUser)).get("/?scope=all")
		p.shows(".stat:has-text(Количество рассылок) .stat-value", "0").lacks("#next, #latest, #attention")
	})
	h.run("an admin is reminded to connect a mail server", func(t *testing.T) {
		admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
		admin.get("/").one("#set-up a[href=/relays]")
		h.demo = false
		admin.get("/").lacks("#set-up a[href=/relays]")
	})
}

func TestHomeTellsWhatWasSentAndWhatWentWrong(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	contacts := storetest.Contacts(t, h.store, anna.ID, 3)
	// The runs of this package began on a day of their own; here they have just begun.
	today := func(run mailing.Run) {
		h.exec("update runs set created_at = $1 where id = $2", time.Now().UnixMilli(), run.ID)
	}
	today(h.sent(anna, "Дошло", mailing.Sent, contacts...))
	today(h.sent(anna, "Отказ", mailing.Failed, contacts[0]))
	today(h.sent(anna, "Сомнение", mailing.InDoubt, contacts[1]))
	c := h.signIn(anna)
	h.run("what was sent is a number that leads to the log, and a line", func(t *testing.T) {
		p := c.get("/").shows(".stat:has-text(Отправлено за 30 дней) .stat-value", "3")
		if words := p.attr(".sparkline", "aria-label"); !strings.HasSuffix(words, ": 3") {
			t.Errorf("it says %q", words)
		}
		if n := len(strings.Fields(p.attr(".sparkline polyline", "points"))); n != 30 {
			t.Errorf("the line has %d points", n)
		}
		link := p.attr(".stat-link:has-text(Отправлено)", "href")
		c.get(link).expect(http.StatusOK).one("select[name=status] option[selected][value=accepted]")
	})
	h.run("a run that failed, and one that waits for a word, need attention and lead to what to do", func(t *testing.T) {
		p := c.get("/").shows("#attention .line:has-text(Отказ)", "Не ушло ни одного письма: 1 отказ").shows("#attention .line:has-text(Сомнение)", "Ждёт вашего решения")
		for _, link := range p.find("#attention a") {
			c.get(attribute(link, "href")).expect(http.StatusOK)
		}
		if strings.Contains(p.text("#attention"), "Дошло") {
			t.Error("so does one that is in order")
		}
	})
	h.run("so does one that waits for its owner's day to be over", func(t *testing.T) {
		h.exec("update accounts set per_day = 1 where id = $1", anna.ID)
		h.exec("insert into quota_usage (owner_id, minute, mails) values ($1, $2, 1)", anna.ID, time.Now().Unix()/60)
		today(storetest.Run(t, h.store, storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID})))
		c.get("/").shows("#attention", "Суточный лимит исчерпан: 3 письма ждут")
	})
	h.run("everybody's are a manager's to see, with whose they are", func(t *testing.T) {
		p := h.signIn(h.account("manager@example.org", mailing.RoleManager)).get("/?scope=all")
		p.shows("#attention .line:has-text(Отказ)", "Анна Петрова").shows(".stat:has-text(Отправлено за 30 дней) .stat-value", "3")
	})
}
