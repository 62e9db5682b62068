package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestTimeline(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	contact := storetest.Contact(t, h.store, anna.ID, "ivan@example.com")
	path := pathOf("/clients/", contact.ID)
	h.run("it begins with how the client came", func(t *testing.T) {
		c.get(path).shows(".timeline", "Клиент добавлен").shows(".timeline-date", "23 ноября 2026")
		made := c.follow(c.post("/clients/new", url.Values{"email": {"vera@example.com"}}))
		made.shows(".timeline", "Клиент добавлен").shows(".timeline", "Кто: вы")
		imported, err := h.app.ImportContacts(ctx, anna, "список.csv", strings.NewReader("email\nimported@example.com\n"))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range h.contacts(anna) {
			if one.Email == "imported@example.com" {
				p := c.get(pathOf("/clients/", one.ID)).shows(".timeline", "импортом из файла").shows(".timeline", "список.csv")
				p.one(".timeline a[href=" + pathOf("/clients/imports/", imported.ID) + "/report]")
			}
		}
	})
	h.run("every mail is on it with what the server said, and leads to its delivery", func(t *testing.T) {
		h.sent(anna, "Осенняя распродажа", mailing.Failed, contact)
		h.sent(anna, "Новости", mailing.Deferred, contact)
		h.sent(anna, "Привет", mailing.Sent, contact)
		p := c.get(path).shows(".timeline-moment:has-text(Осенняя)", "Сервер отказал").shows(".timeline-moment:has-text(Осенняя) .code", "550 5.7.1")
		p.shows(".timeline-moment:has-text(Новости)", "подождать").shows(".timeline-moment:has-text(Новости) .code", "greylisted")
		p.shows(".timeline-moment:has-text(Привет)", "Сервер принял письмо").lacks(".timeline-moment:has-text(Привет) .code")
		for _, link := range p.find(".timeline a") {
			c.get(attribute(link, "href")).expect(http.StatusOK).shows("main", "ivan@example.com")
		}
		c.lang("en").get(path).shows("h2", "Timeline").shows(".timeline", "The server refused")
		c.lang("ru")
	})
	h.run("so is what people did, and who", func(t *testing.T) {
		c.post(path+"/edit", url.Values{"email": {"ivan@example.com"}, "first_name": {"Пётр"}, "last_name": {"Сидоров"}}).expect(http.StatusSeeOther)
		c.post(path+"/suppress", nil).expect(http.StatusSeeOther)
		p := c.get(path).shows(".timeline-moment:has-text(изменён)", "Имя").shows(".timeline-moment:has-text(исключён)", "Кто: вы")
		if n := len(p.find(".timeline-moment:has-text(исключён)")); n != 1 {
			t.Errorf("the same is told %d times", n)
		}
		c.post(path+"/unsuppress", nil).expect(http.StatusSeeOther)
		c.get(path).shows(".timeline", "снова получает")
	})
	h.run("a mail that was not even tried says why", func(t *testing.T) {
		c.post(path+"/suppress", nil).expect(http.StatusSeeOther)
		m := storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID}, contact.ID)
		storetest.Run(t, h.store, m)
		c.get(path).shows(".timeline-moment:has-text(не отправлялось)", "владелец решил не писать")
	})
	h.run("a bounce is told, of which there is no deed", func(t *testing.T) {
		gone := storetest.Contact(t, h.store, anna.ID, "gone@example.com")
		_, err := h.store.Suppress(ctx, mailing.Suppression{OwnerID: anna.ID, Email: gone.Email, Reason: mailing.ReasonBounced, CreatedAt: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		c.get(pathOf("/clients/", gone.ID)).shows(".timeline", "Адрес не работает")
	})
	h.run("a manager sees the mails, and not who did what", func(t *testing.T) {
		p := h.signIn(h.account("manager@example.org", mailing.RoleManager)).get(path).shows(".timeline", "Осенняя распродажа")
		if strings.Contains(p.text(".timeline"), "изменён") {
			t.Error("it tells of deeds")
		}
		h.signIn(h.account("admin@example.org", mailing.RoleAdmin)).get(path).shows(".timeline", "Кто: anna@example.org")
	})
}

func TestALongTimelineIsLeafedThrough(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	contact := storetest.Contact(t, h.store, anna.ID, "ivan@example.com")
	first := h.sent(anna, "Письмо", mailing.Sent, contact)
	var delivery int64
	if err := h.store.Writer().QueryRow("select id from deliveries where run_id = $1", first.ID).Scan(&delivery); err != nil {
		t.Fatal(err)
	}
	for i := range 99 { // the oldest is that of the run itself
		h.exec(`insert into attempts (delivery_id, run_id, mailing_id, owner_id, email, at, duration_us, node, host, tls, stage, result, code, enhanced, reply)
select delivery_id, run_id, mailing_id, owner_id, email, at + $1, duration_us, node, host, tls, stage, result, code, enhanced, reply
from attempts where delivery_id = $2 order by id limit 1`, (i+1)*1000, delivery)
	}
	c := h.signIn(anna)
	seen, pages := 0, 0
	for p := c.get(pathOf("/clients/", contact.ID)); ; pages++ {
		seen += len(p.find(".timeline-moment"))
		more := p.find(".pager a:has-text(Раньше)")
		if len(more) == 0 {
			break
		}
		p = c.get(attribute(more[0], "href")).expect(http.StatusOK)
		p.one(".pager a:has-text(последним)")
	}
	if seen != 100+1 || pages < 3 {
		t.Errorf("%d events on %d pages", seen, pages+1)
	}
}
