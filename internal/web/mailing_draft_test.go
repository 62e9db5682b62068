package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

// types sends the form of a page with changes as the script does while somebody types.
func (c *client) types(on *page, changes url.Values) *page {
	c.h.t.Helper()
	c.header.Set("HX-Request", "true")
	defer c.header.Del("HX-Request")
	return c.submit(on, theForm, changes)
}

// drafts lists what the owner of the room has typed and not applied.
func (m room) drafts() []mailing.Draft {
	m.h.t.Helper()
	drafts, err := m.h.app.Drafts(ctx, m.owner, 100)
	if err != nil {
		m.h.t.Fatal(err)
	}
	return drafts
}

// deeds is how many there are in the audit log.
func (h *harness) deeds() (n int) {
	h.t.Helper()
	if err := h.store.Writer().QueryRow("select number from deed_chain").Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestDraftOfANewMailing(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	on := anna.get("/mailings/new")
	path := at(mustInt(t, on.attr("input[name=id]", "value")), "")

	h.run("looking at the page, and sending it untouched, leaves nothing", func(t *testing.T) {
		anna.types(on, nil).expect(http.StatusOK)
		anna.submit(on, theForm, url.Values{"do": {"content"}}).expect(http.StatusOK).shows("details[open] .fold-title", "Содержание")
		if n := len(anna.drafts()); n != 0 {
			t.Errorf("there are %d drafts", n)
		}
	})
	deeds := h.deeds()
	h.run("what is typed is kept, once, and is no deed", func(t *testing.T) {
		for _, name := range []string{"Мага", "Магазин", "Магазин"} {
			p := anna.types(on, url.Values{"from_name": {name}}).expect(http.StatusOK)
			p.shows("[hx-swap-oob=innerHTML:#saved]", "Сохранено в черновике")
			if got := p.header.Get("HX-Replace-Url"); got != path+"/edit" {
				t.Errorf("the address becomes %q", got)
			}
		}
		if n := len(anna.drafts()); n != 1 {
			t.Errorf("there are %d drafts", n)
		}
		if h.deeds() != deeds || len(anna.mailings()) != 0 {
			t.Error("typing has done something")
		}
	})
	h.run("it is there on another device, with all that was typed", func(t *testing.T) {
		other := h.signIn(anna.owner)
		other.get("/mailings").shows(".lines", "Рассылка без письма").shows(".lines", "Новая рассылка")
		p := other.get(path+"/edit").expect(http.StatusOK).shows("#saved", "Сохранено в черновике")
		if got := p.attr("input[name=from_name]", "value"); got != "Магазин" {
			t.Errorf("the name is %q", got)
		}
	})
	h.run("a page that does not know of the latest change does not undo it", func(t *testing.T) {
		stale := anna.get(path + "/edit")
		anna.types(anna.get(path+"/edit"), url.Values{"from_name": {"Лавка"}}).expect(http.StatusOK)
		told := anna.types(stale, url.Values{"reply_to": {"old@example.org"}}).expect(http.StatusConflict)
		told.shows("[hx-swap-oob=innerHTML:#saved]", "в другом окне")
		p := anna.submit(stale, theForm, url.Values{"reply_to": {"old@example.org"}, "do": {"review"}}).expect(http.StatusConflict)
		p.shows(".note", "Что оставить?").shows("a[href="+path+"/edit]", "Показать те изменения")
		if got := p.attr("input[name=reply_to]", "value"); got != "old@example.org" {
			t.Errorf("what was typed is %q", got)
		}
		if now := anna.get(path + "/edit"); now.attr("input[name=from_name]", "value") != "Лавка" || now.attr("input[name=reply_to]", "value") != anna.owner.Email {
			t.Error("the other page's change is gone")
		}
		anna.submit(p, theForm, url.Values{"do": {"force"}}).expect(http.StatusSeeOther)
		if got := anna.get(path+"/edit").attr("input[name=reply_to]", "value"); got != "old@example.org" {
			t.Errorf("what the person wants to keep is %q", got)
		}
	})
	h.run("to others it is not there", func(t *testing.T) {
		for _, role := range []mailing.Role{mailing.RoleUser, mailing.RoleManager, mailing.RoleAdmin} {
			other := h.signIn(h.account(string(role)+"@example.org", role))
			other.get(path + "/edit").expect(http.StatusNotFound)
			other.post(path+"/discard", nil).expect(http.StatusNotFound)
			for _, do := range []string{"", "apply"} {
				form := with(anna.filled(), "id", strings.TrimPrefix(path, "/mailings/"), "do", do, "from_name", "Чужая")
				if status := other.post("/mailings/new", form).status; status != http.StatusNotFound {
					t.Errorf("a %s who does %q to it is answered %d", role, do, status)
				}
			}
		}
		if got := anna.get(path+"/edit").attr("input[name=from_name]", "value"); got == "Чужая" {
			t.Error("they have changed it")
		}
	})
	h.run("a message that is deleted is to be chosen again", func(t *testing.T) {
		gone := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.owner.ID, Subject: "Удалённое"})
		anna.submit(anna.get(path+"/edit"), theForm, url.Values{"message": {fmt.Sprint(gone.ID)}, "do": {"review"}}).expect(http.StatusSeeOther)
		anna.get("/mailings").shows(".lines", "Удалённое")
		if err := h.app.DeleteMessage(ctx, anna.owner, gone.ID); err != nil {
			t.Fatal(err)
		}
		anna.get("/mailings").expect(http.StatusOK).shows(".lines", "Рассылка без письма")
		anna.get(path+"/edit").expect(http.StatusOK).shows("#review .tone-danger", "Выберите письмо")
	})
	h.run("the mailing that is made of it is a deed, and the draft is gone", func(t *testing.T) {
		before := h.deeds()
		form := applying(url.Values{"message": {fmt.Sprint(anna.message.ID)}, "frequency": {"once"}})
		p := anna.get(path + "/edit")
		done := anna.submit(p, theForm, form).expect(http.StatusSeeOther)
		if done.location() != path || h.deeds() != before+1 || len(anna.drafts()) != 0 {
			t.Errorf("it leads to %s, with %d deeds and %d drafts", done.location(), h.deeds()-before, len(anna.drafts()))
		}
		anna.follow(done).shows(".facts", "old@example.org").lacks(".note")
		if late := anna.types(p, url.Values{"from_name": {"Поздно"}}); late.status != http.StatusSeeOther || len(anna.drafts()) != 0 {
			t.Errorf("what comes in late is answered %d and leaves %d drafts", late.status, len(anna.drafts()))
		}
	})
	h.run("one that is not wanted is deleted", func(t *testing.T) {
		on := anna.get("/mailings/new")
		anna.types(on, url.Values{"from_name": {"Лишнее"}})
		list := anna.get("/mailings")
		anna.submit(list, ".lines form", nil).expect(http.StatusSeeOther)
		anna.get("/mailings").lacks(".lines").shows(".flash", "Черновик удалён")
		anna.get(at(mustInt(t, on.attr("input[name=id]", "value")), "/edit")).expect(http.StatusNotFound)
	})
}

func mustInt(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestChangesOfAMailing(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	m := anna.mailing(every(mailing.Weekly))
	deeds := h.deeds()
	h.run("they count for nothing until they are applied, and its page says so", func(t *testing.T) {
		anna.types(anna.get(at(m.ID, "/edit")), url.Values{"from_name": {"Магазин"}}).expect(http.StatusOK).
			shows("[hx-swap-oob=innerHTML:#saved]", "ещё не применены")
		if h.stored(m.ID).FromName != "" || h.deeds() != deeds {
			t.Error("the mailing has changed")
		}
		anna.get(at(m.ID, "")).shows(".note", "ещё не применены").shows(`.note a[href^="`+at(m.ID, "/edit")+`"]`, "применить")
		anna.get("/mailings").shows(".lines", "Изменения не применены").shows(".lines", "Осенняя распродажа")
	})
	h.run("a manager, who may not apply them, is told nothing of them", func(t *testing.T) {
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		manager.get(at(m.ID, "")).expect(http.StatusOK).lacks(".note")
		manager.post(at(m.ID, "/discard"), nil).expect(http.StatusForbidden)
	})
	h.run("they are discarded, and the mailing is as it was", func(t *testing.T) {
		done := anna.submit(anna.get(at(m.ID, "/edit")), `form[action="`+at(m.ID, "/discard")+`"]`, nil).expect(http.StatusSeeOther)
		anna.follow(done).shows(".flash", "Изменения отменены").lacks(".note")
		if got := anna.get(at(m.ID, "/edit")).attr("input[name=from_name]", "value"); got != "" || len(anna.drafts()) != 0 {
			t.Errorf("the name is %q, and there are %d drafts", got, len(anna.drafts()))
		}
	})
	h.run("they are applied as one deed", func(t *testing.T) {
		deeds := h.deeds()
		anna.types(anna.get(at(m.ID, "/edit")), url.Values{"from_name": {"Лавка"}}).expect(http.StatusOK)
		done := anna.submit(anna.get(at(m.ID, "/edit?at=review")), theForm, applying(nil)).expect(http.StatusSeeOther)
		anna.follow(done).shows(".facts", "Лавка").lacks(".note")
		if h.deeds() != deeds+1 || len(anna.drafts()) != 0 {
			t.Errorf("there are %d deeds and %d drafts", h.deeds()-deeds, len(anna.drafts()))
		}
	})
	h.run("they go with the mailing", func(t *testing.T) {
		anna.types(anna.get(at(m.ID, "/edit")), url.Values{"from_name": {"Прощай"}}).expect(http.StatusOK)
		if err := h.app.DeleteMailing(ctx, anna.owner, m.ID); err != nil || len(anna.drafts()) != 0 {
			t.Errorf("there are %d drafts, %v", len(anna.drafts()), err)
		}
	})
}

func TestReview(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 5)
	for i, reason := range []mailing.Reason{mailing.ReasonUnsubscribed, mailing.ReasonBounced} {
		_, err := h.store.Suppress(ctx, mailing.Suppression{OwnerID: anna.owner.ID, Email: anna.contacts[i].Email, Reason: reason})
		if err != nil {
			t.Fatal(err)
		}
	}
	named, err := h.app.CreateMessage(ctx, anna.owner, app.MessageForm{
		Subject: "{{ first_name }}, новости", Format: mailing.FormatMarkdown, Body: `Здравствуйте, {{ last_name | default: "друг" }}! {{ coupon }}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.exec("update contacts set first_name = ''")
	review := func(changes ...string) *page {
		form := with(anna.filled(), append([]string{"message", fmt.Sprint(named.ID), "do", "review"}, changes...)...)
		return anna.follow(anna.post("/mailings/new", form).expect(http.StatusSeeOther)).expect(http.StatusOK)
	}
	h.run("it says whom it reaches, and why not all", func(t *testing.T) {
		p := review()
		p.shows("#rail", "5 → 3: 1 отписался, у 1 нет такого ящика").shows("#audience .reach", "Получат 3 клиента")
		p.shows("#review .tone-success", "Получат 3 клиента")
		chosen := review("audience", "chosen", "contacts", fmt.Sprint(anna.contacts[0].ID))
		chosen.shows("#audience", "1 → 0: 1 отписался").shows("#review .tone-danger", "Отправлять некому")
	})
	h.run("it says who will see a gap, where a merge field has no default", func(t *testing.T) {
		p := review()
		p.shows("#lacking", "У 3 клиентов нет имени").shows("#review .tone-warning", "У 3 клиентов нет имени").shows("#review .tone-warning", "coupon")
		if strings.Contains(p.text("#review"), "фамилии") {
			t.Errorf("it says %q", p.text("#review"))
		}
	})
	h.run("it shows the line of the inbox", func(t *testing.T) {
		review("from_name", "Чайная лавка").shows(".inbox-sender", "Чайная лавка").shows(".inbox-subject", "Анна, новости").
			shows(".inbox-preheader", "Здравствуйте, Иванова!")
	})
	h.run("each finding leads to the section that mends it", func(t *testing.T) {
		p := review("start", "2020-01-01", "frequency", "once").shows("#review .tone-danger", "Это время уже прошло")
		if href := attribute(p.find("#review .tone-danger a")[0], "href"); !strings.HasSuffix(href, "/edit?at=schedule") {
			t.Errorf("it leads to %s", href)
		}
		anna.get(attribute(p.find("#review .tone-danger a")[0], "href")).shows("details[open] .fold-title", "Расписание")
		if made := anna.submit(p, theForm, applying(nil)); made.status != http.StatusUnprocessableEntity || len(anna.mailings()) != 0 {
			t.Errorf("it is answered %d", made.status)
		}
	})
	h.run("the button says what it does", func(t *testing.T) {
		review().shows("#review button", "Запустить: первая отправка")
		review("frequency", "now").shows("#review button", "Отправить 3 клиентам сейчас")
		anna.get(at(anna.mailing(every(mailing.Daily)).ID, "/edit")).shows("#review button", "Применить изменения")
	})
	h.run("what the service lacks is said, with a link for who sets it up", func(t *testing.T) {
		review().shows("#review .tone-warning", "Почтовый сервер не настроен").lacks("#review a[href=/relays]")
		h.demo = false
		defer func() { h.demo = true }()
		if _, err := h.app.CreateRelay(ctx, app.Operator, someRelay("r", 10)); err != nil {
			t.Fatal(err)
		}
		review().shows("#review .tone-success", "Почтовый сервер настроен").shows("#review .tone-warning", "не подписываем (DKIM)")
	})
	h.run("a daily limit that will not do is said", func(t *testing.T) {
		h.exec("update accounts set per_day = 2 where id = $1", anna.owner.ID)
		review().shows("#review .tone-warning", "отправлять 2 письма в сутки")
	})
	h.run("nothing is sent while the database is held", func(t *testing.T) {
		h.install()
		h.exec("update installation set held_at = 1, held_why = 'asked'")
		review().shows("#review .tone-warning", "Сейчас рассылки не отправляются")
		review("frequency", "now").shows("#review .tone-danger", "Отправить сейчас нельзя")
	})
}

func TestTestOfAMailing(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	on := anna.get("/mailings/new")
	h.run("without a message there is nothing to send", func(t *testing.T) {
		anna.submit(on, theForm, url.Values{"do": {"test"}}).expect(http.StatusUnprocessableEntity).shows("#field-message-error", "Выберите письмо")
	})
	h.run("it goes to whom was typed, and the page stays", func(t *testing.T) {
		form := url.Values{"do": {"test"}, "message": {fmt.Sprint(anna.message.ID)}, "test_to": {"me@example.net"}, "from_name": {"Лавка"}}
		done := anna.submit(on, theForm, form).expect(http.StatusSeeOther)
		p := anna.follow(done).shows(".flash", "me@example.net").shows("details[open] .fold-title", "Содержание")
		if got := p.attr("input[name=from_name]", "value"); got != "Лавка" {
			t.Errorf("what was typed is %q", got)
		}
	})
	h.run("an address that is none is said", func(t *testing.T) {
		form := url.Values{"do": {"test"}, "message": {fmt.Sprint(anna.message.ID)}, "test_to": {"nobody"}}
		anna.submit(on, theForm, form).expect(http.StatusUnprocessableEntity).shows("#field-test_to-error", "«nobody»")
	})
	h.run("the frame shows the message that is chosen, by a client's eyes and on a dark ground", func(t *testing.T) {
		form := url.Values{"message": {fmt.Sprint(anna.message.ID)}, "contact": {fmt.Sprint(anna.contacts[0].ID)}}
		anna.post("/mailings/preview", form).expect(http.StatusOK).shows(".preview-subject", "Осенняя распродажа").lacks(".preview-dark")
		form.Set("ground", "dark")
		anna.post("/mailings/preview", form).one(".preview-dark")
		anna.post("/mailings/preview", url.Values{"message": {""}}).expect(http.StatusNotFound)
	})
}

func TestManyMessages(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 1)
	anna.get("/mailings/new").lacks("input[name=message_search]")
	for i := range 120 {
		storetest.Message(t, h.store, mailing.Message{OwnerID: anna.owner.ID, Subject: fmt.Sprintf("Выпуск %03d", i+1)})
	}
	on := anna.get("/mailings/new").shows("#content", "Показаны первые 100")
	p := anna.submit(on, theForm, url.Values{"message_search": {"Выпуск 007"}, "do": {"messages"}}).expect(http.StatusOK)
	p.shows("details[open] .fold-title", "Содержание").shows("select[name=message]", "Выпуск 007")
	if n := len(p.find("select[name=message] option")); n != 2 {
		t.Errorf("%d are offered", n)
	}
}
