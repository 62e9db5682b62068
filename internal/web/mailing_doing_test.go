package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestMailingSaysWhatItDoes(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	m := anna.mailing(every(mailing.Daily))
	h.run("the page says in words what it waits for, and how stopping differs", func(t *testing.T) {
		p := anna.get(at(m.ID, "")).shows(".facts .state", "Создана").shows(".facts", "Ждёт срока: ").shows(".facts", "«Отключить» — когда")
		if facts := p.text(".facts"); !strings.Contains(facts, "09:30") {
			t.Errorf("the time is missing: %s", facts)
		}
		anna.lang("en").get(at(m.ID, "")).shows(".facts", "Waits until ")
		anna.lang("ru")
	})
	h.run("what was stopped is named, on the page that it was done from", func(t *testing.T) {
		anna.follow(anna.post(at(m.ID, "/pause"), nil)).shows(".undo-toast", "«Осенняя распродажа» приостановлена").shows(".facts", "пока её не продолжат")
		anna.get("/mailings").shows("tbody", "пока не продолжат")
		anna.follow(anna.post(at(m.ID, "/resume"), nil)).shows(".flash", "«Осенняя распродажа» продолжается")
	})
	h.run("two clocks stand in a row only where they differ, and its times are by one of them", func(t *testing.T) {
		if row := anna.get("/mailings").text("tbody"); strings.Count(row, "09:30") != 2 || strings.Contains(row, "Москва") {
			t.Errorf("the row is %s", row)
		}
		tokyo := every(mailing.Daily)
		tokyo.Zone = "Asia/Tokyo"
		boris := newRoom(h, "boris@example.org", 1)
		boris.mailing(tokyo)
		if row := boris.get("/mailings").text("tbody"); strings.Count(row, "09:30") != 2 || !strings.Contains(row, "Токио") {
			t.Errorf("the row is %s", row)
		}
	})
	h.run("who sends it twice within a day is told", func(t *testing.T) {
		anna.get(at(m.ID, "/send")).expect(http.StatusOK).lacks(".note.tone-warning")
		h.sendAll(m, anna)
		anna.get(at(m.ID, "/send")).shows(".note.tone-warning", "Это письмо уже ушло").shows(".note.tone-warning", "3 получателям")
	})
}

// sendAll sends a mailing by hand, and all of it is taken.
func (h *harness) sendAll(m mailing.Mailing, owner room) {
	h.t.Helper()
	path := owner.post(at(m.ID, "/send"), nil).expect(http.StatusSeeOther).location()
	runs, err := h.store.LiveRuns(ctx)
	if err != nil || len(runs) != 1 {
		h.t.Fatalf("%s: %d runs go on, %v", path, len(runs), err)
	}
	node, soon := storetest.Node(h.t, h.store, "node"), time.Now().Add(time.Minute)
	leased, err := h.store.Lease(ctx, node, runs[0].ID, soon, len(owner.contacts))
	if err != nil || len(leased) != len(owner.contacts) {
		h.t.Fatalf("%d mails are sent, %v", len(leased), err)
	}
	var outcomes []store.Outcome
	for _, l := range leased {
		outcomes = append(outcomes, outcome(node, l, owner.owner, m, mailing.Sent))
	}
	if err := h.store.Settle(ctx, node, outcomes, time.Now()); err != nil {
		h.t.Fatal(err)
	}
}

func TestAttentionIsForWhatOthersStopped(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 1)
	own, others := anna.mailing(every(mailing.Daily)), anna.mailing(every(mailing.Weekly))
	anna.post(at(own.ID, "/pause"), nil).expect(http.StatusSeeOther)
	anna.get("/").lacks("#attention")
	manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
	manager.post(at(others.ID, "/disable"), url.Values{"why": {"жалобы"}}).expect(http.StatusSeeOther)
	if lines := anna.get("/").shows("#attention", "жалобы").find("#attention .line"); len(lines) != 1 {
		t.Errorf("%d mailings want attention, not the one that somebody else has stopped", len(lines))
	}
}

func TestSendAgainToBoxesThatAreNotThere(t *testing.T) {
	h := newHarness(t)
	anna := newSending(h, "anna@example.org", 1)
	anna.settle(1, mailing.Failed, mailing.AttemptFailed, mailing.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such user"})
	if _, err := h.store.Suppress(ctx, mailing.Suppression{
		OwnerID: anna.owner.ID, Email: address(1), Reason: mailing.ReasonBounced, CreatedAt: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	on := anna.get(anna.path("")).shows(".acts", "Посмотрите, кому его можно отправить ещё раз")
	ask := anna.get(on.attr(".acts a", "href")).shows(".note", "Повторять пока некому").shows(".again-why", "такого ящика нет")
	ask.one("#field-dead[required]")
	if strings.Contains(ask.text(".again-why"), "0 ") {
		t.Errorf("it says %s", ask.text(".again-why"))
	}
	anna.lang("en").get(ask.path).shows(".note", "There is nobody to send it to yet")
}

func TestNotesAreSeenBesideTheSection(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 1)
	odd := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.owner.ID, Subject: "Акция", Body: "Здравствуйте, {{ nick }}!"})
	path := "/mailings/new?message=" + strconv.FormatInt(odd.ID, 10)
	p := anna.get(path).shows("#content-line .tone-warning", "Можно отправлять, но посмотрите").shows("#content-line", "1 замечание")
	p.lacks("#content-line .tone-success")
	fine := "/mailings/new?message=" + strconv.FormatInt(anna.message.ID, 10)
	anna.get(fine).shows("#content-line .tone-success", "Готово").lacks("#content-line .tone-warning")
}
