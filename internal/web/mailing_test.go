package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

// room is a user with some contacts and a message, signed in.
type room struct {
	*client
	owner    mailing.Account
	contacts []mailing.Contact
	message  mailing.Message
}

func newRoom(h *harness, email string, contacts int) room {
	h.t.Helper()
	owner := h.account(email, mailing.RoleUser)
	return room{
		client: h.signIn(owner), owner: owner, contacts: storetest.Contacts(h.t, h.store, owner.ID, contacts),
		message: storetest.Message(h.t, h.store, mailing.Message{OwnerID: owner.ID, Subject: "Осенняя распродажа"}),
	}
}

// tomorrow is the next day in Moscow.
func tomorrow() mailing.Date { return mailing.DateOf(time.Now().UTC().Add(3 * time.Hour)).AddDays(1) }

// every is a rule from tomorrow on, at 09:30 in Moscow.
func every(f mailing.Frequency) mailing.Rule {
	return mailing.Rule{
		Frequency: f, Start: tomorrow(), At: mailing.Clock{Hour: 9, Minute: 30}, Zone: "Europe/Moscow",
		Weekdays: []time.Weekday{time.Tuesday, time.Friday}, MonthlyBy: mailing.ByDay, Day: 31,
	}
}

// mailing adds a mailing of the room's message to all its contacts.
func (m room) mailing(rule mailing.Rule) mailing.Mailing {
	m.h.t.Helper()
	added, err := m.h.app.CreateMailing(context.Background(), m.owner, app.MailingForm{
		MessageID: m.message.ID, Audience: mailing.AudienceAll, Rule: rule, Doubt: mailing.NeverTwice,
	})
	if err != nil {
		m.h.t.Fatal(err)
	}
	return added
}

func (h *harness) stored(id int64) mailing.Mailing {
	h.t.Helper()
	m, err := h.store.Mailing(context.Background(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

func at(id int64, more string) string { return fmt.Sprintf("/mailings/%d%s", id, more) }

func TestMailings(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)

	t.Run("an empty list says the next step", func(t *testing.T) {
		p := anna.get("/mailings").expect(http.StatusOK)
		p.shows("#list", "Рассылок пока нет").shows(`#list a[href="/mailings/new"]`, "Добавить рассылку")
	})
	m := anna.mailing(every(mailing.Weekly))
	t.Run("a row says all that was decided about a mailing", func(t *testing.T) {
		p := anna.get("/mailings").expect(http.StatusOK)
		p.shows(`a[href="`+at(m.ID, "")+`"]`, "Осенняя распродажа").shows("tbody .state", "Создана")
		for _, want := range []string{"09:30", "ждёт срока", "Каждый вторник и каждую пятницу", "все", "только что"} {
			p.shows("tbody", want)
		}
	})
	t.Run("a row has the buttons that make sense now", func(t *testing.T) {
		p := anna.get("/mailings")
		for _, button := range []string{"Отправить сейчас", "Редактировать", "Приостановить", "Отключить", "Удалить"} {
			p.shows(".row-actions", button)
		}
		if text := p.text(".row-actions"); strings.Contains(text, "Включить") || strings.Contains(text, "Продолжить") {
			t.Errorf("the buttons are %q", text)
		}
	})
	t.Run("the list is searched by subject and filtered by status", func(t *testing.T) {
		for query, want := range map[string]int{
			"q=осенн": 1, "q=весна": 0, "status=created": 1, "status=paused": 0, "q=распродажа&status=created": 1,
		} {
			if got := len(anna.get("/mailings?" + query).find("tbody .state")); got != want {
				t.Errorf("%s finds %d mailings, want %d", query, got, want)
			}
		}
	})
	t.Run("a search without a result leads back", func(t *testing.T) {
		anna.get("/mailings?q=весна").shows(`#list a[href="/mailings"]`, "Сбросить")
	})
	t.Run("the list speaks English too", func(t *testing.T) {
		p := newRoom(h, "john@example.org", 1).lang("en").get("/mailings")
		p.shows("h1", "Mailings").shows("#list", "No mailings yet")
	})
	t.Run("a user does not see everybody's mailings", func(t *testing.T) {
		anna.get("/mailings").lacks(".tabs")
		anna.get("/mailings?scope=all").expect(http.StatusForbidden)
	})
}

func TestMailingOfAnother(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	m := anna.mailing(every(mailing.Daily))
	t.Run("to another user it is not there", func(t *testing.T) {
		boris := newRoom(h, "boris@example.org", 1)
		for _, path := range []string{"", "/edit", "/send", "/disable"} {
			boris.get(at(m.ID, path)).expect(http.StatusNotFound)
		}
		for _, path := range []string{"/edit", "/send", "/disable", "/enable", "/pause", "/resume", "/delete"} {
			boris.post(at(m.ID, path), url.Values{"why": {"x"}}).expect(http.StatusNotFound)
		}
		if got := h.stored(m.ID); got.Status != mailing.StatusCreated {
			t.Errorf("it is %s now", got.Status)
		}
	})
	manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
	t.Run("a manager sees it with its owner and may only disable it", func(t *testing.T) {
		p := manager.get("/mailings?scope=all").expect(http.StatusOK)
		p.shows("tbody", "Анна Петрова").shows(".tab[aria-current=page]", "Всех пользователей")
		if got := p.text(".row-actions"); got != "Отключить" {
			t.Errorf("the buttons are %q", got)
		}
		manager.get("/mailings").lacks("tbody")
		manager.get(at(m.ID, "")).expect(http.StatusOK).shows(".facts", "anna@example.org")
		manager.get(at(m.ID, "/edit")).expect(http.StatusForbidden)
		manager.get(at(m.ID, "/send")).expect(http.StatusForbidden)
		manager.post(at(m.ID, "/send"), nil).expect(http.StatusForbidden)
		manager.post(at(m.ID, "/delete"), nil).expect(http.StatusForbidden)
	})
	t.Run("a manager who disables it has to say why", func(t *testing.T) {
		asked := manager.get(at(m.ID, "/disable?back=%2Fmailings%3Fscope%3Dall")).expect(http.StatusOK)
		manager.submit(asked, `form[action="`+at(m.ID, "/disable")+`"]`, nil).expect(http.StatusUnprocessableEntity).
			shows(".field-error", "Заполните это поле").lacks("tbody")
		if got := h.stored(m.ID); got.Status != mailing.StatusCreated {
			t.Fatalf("it is %s now", got.Status)
		}
		done := manager.submit(asked, `form[action="`+at(m.ID, "/disable")+`"]`, url.Values{"why": {"жалобы"}})
		if got := done.expect(http.StatusSeeOther).location(); got != "/mailings?scope=all" {
			t.Errorf("it leads to %s", got)
		}
	})
	t.Run("the owner reads why, and cannot enable it", func(t *testing.T) {
		p := anna.get(at(m.ID, "")).expect(http.StatusOK)
		p.shows(".note", "Рассылка отключена").shows(".note", "жалобы").shows(".facts .state", "Отключена")
		p.lacks(`form[action="` + at(m.ID, "/enable") + `"]`)
		anna.post(at(m.ID, "/enable"), nil).expect(http.StatusForbidden)
		manager.post(at(m.ID, "/enable"), nil).expect(http.StatusSeeOther)
	})
}

func TestMailingActions(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	m := anna.mailing(every(mailing.Daily))
	for _, step := range []struct {
		do     string
		status mailing.Status
		flash  string
	}{
		{"/pause", mailing.StatusPaused, "приостановлена"},
		{"/resume", mailing.StatusCreated, "продолжается"},
		{"/disable", mailing.StatusDisabled, "отключена"},
		{"/enable", mailing.StatusCreated, "включена"},
	} {
		t.Run("the owner can "+strings.TrimPrefix(step.do, "/")+" it by its button", func(t *testing.T) {
			on := anna.get("/mailings?status=" + string(h.stored(m.ID).Status))
			done := anna.submit(on, `form[action="`+at(m.ID, step.do)+`"]`, nil).expect(http.StatusSeeOther)
			if got := h.stored(m.ID).Status; got != step.status {
				t.Errorf("it is %s, want %s", got, step.status)
			}
			if done.location() != on.path {
				t.Errorf("it leads to %s, want %s", done.location(), on.path)
			}
			anna.follow(done).shows(".flash", step.flash)
		})
	}
	t.Run("what makes no sense in its status is refused", func(t *testing.T) {
		anna.post(at(m.ID, "/resume"), nil).expect(http.StatusConflict).shows(".nothing-title", "Создана")
	})
	t.Run("a way back to another site is not taken", func(t *testing.T) {
		done := anna.post(at(m.ID, "/pause"), url.Values{"back": {"//evil.example/"}})
		if got := done.expect(http.StatusSeeOther).location(); got != "/" {
			t.Errorf("it leads to %s", got)
		}
		anna.get(at(m.ID, "/send")).expect(http.StatusConflict)
		anna.post(at(m.ID, "/resume"), nil).expect(http.StatusSeeOther)
	})
	t.Run("deleting it leads to the list, not to the page that is gone", func(t *testing.T) {
		done := anna.post(at(m.ID, "/delete"), url.Values{"back": {at(m.ID, "")}})
		if got := done.expect(http.StatusSeeOther).location(); got != "/mailings" {
			t.Errorf("it leads to %s", got)
		}
		anna.get(at(m.ID, "")).expect(http.StatusNotFound)
	})
}

func TestSendMailing(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	if _, err := h.app.SuppressContact(context.Background(), anna.owner, anna.contacts[0].ID); err != nil {
		t.Fatal(err)
	}
	m := anna.mailing(every(mailing.Daily))
	asked := anna.get(at(m.ID, "/send"))
	t.Run("it says how many will be mailed, and why not all", func(t *testing.T) {
		asked.expect(http.StatusOK).shows("button", "Отправить 2 клиентам сейчас").shows(".facts", "3 → 2: 1 исключён вами")
	})
	t.Run("it leads to the run", func(t *testing.T) {
		sent := anna.submit(asked, `form[action="`+at(m.ID, "/send")+`"]`, nil).expect(http.StatusSeeOther)
		if !strings.HasPrefix(sent.location(), "/runs/") {
			t.Fatalf("it leads to %s", sent.location())
		}
		anna.follow(sent).expect(http.StatusOK).shows("h1", "Осенняя распродажа").shows(".gauge", "1 из 3")
		anna.get(at(m.ID, "")).shows(".rows", "Вручную").shows(".rows", "1 из 3")
	})
	t.Run("a second click mails nobody twice", func(t *testing.T) {
		again := anna.post(at(m.ID, "/send"), nil).expect(http.StatusSeeOther)
		if got := again.location(); got != at(m.ID, "") {
			t.Errorf("it leads to %s", got)
		}
		anna.follow(again).shows(".flash.tone-warning", "только что отправили").shows(".rows", "Вручную")
		runs, err := h.store.RunsOfMailing(context.Background(), m.ID, 10)
		if err != nil || len(runs) != 1 {
			t.Errorf("there are %d runs, %v", len(runs), err)
		}
	})
}

func TestMailingPage(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	m := anna.mailing(every(mailing.Weekly))
	t.Run("it says the rule in words and the next five dates in the mailing's zone", func(t *testing.T) {
		p := anna.get(at(m.ID, "")).expect(http.StatusOK)
		p.shows(".page-lead", "Каждый вторник и каждую пятницу в 09:30 (Москва)").shows(".facts", "Получат 3 клиента")
		dates := p.find(".dates li")
		if len(dates) != 5 {
			t.Fatalf("there are %d dates", len(dates))
		}
		for _, li := range dates {
			text := textOf(li)
			if !strings.Contains(text, "09:30 (Москва)") || !strings.HasPrefix(text, "вт,") && !strings.HasPrefix(text, "пт,") {
				t.Errorf("a date is %q", text)
			}
		}
	})
	t.Run("while it is paused no dates are promised", func(t *testing.T) {
		anna.post(at(m.ID, "/pause"), nil).expect(http.StatusSeeOther)
		anna.get(at(m.ID, "")).lacks(".dates").shows(".note", "Это сделали вы")
	})
	t.Run("it speaks English too", func(t *testing.T) {
		p := anna.lang("en").get(at(m.ID, ""))
		p.shows(".page-lead", "Every Tuesday and Friday at 09:30 (Moscow)").shows(".note", "You paused the mailing")
	})
}
