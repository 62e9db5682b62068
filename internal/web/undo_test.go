package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

func TestUndoSend(t *testing.T) {
	h := newHarness(t)
	t.Run("what was sent is taken back from its page", func(t *testing.T) {
		r := newRoom(h, "anna@example.org", 2)
		m := r.mailing(every(mailing.Daily))
		on := r.follow(r.post(at(m.ID, "/send"), nil).expect(http.StatusSeeOther)).expect(http.StatusOK)
		on.shows(".recall", "Письма уйдут через").shows(".recall [role=status]", "Отправка начнётся в").shows("#run-live .state", "Ждёт отправки")
		on.lacks(".acts").lacks("#cancel-run").lacks(".flash")
		back := r.follow(r.submit(on, ".recall form", nil).expect(http.StatusSeeOther)).expect(http.StatusOK)
		back.shows(".flash", "ни одного письма не ушло").shows("table", "Отозван")
		gone := r.get(on.path).expect(http.StatusOK)
		gone.shows(".note", "отозвали до отправки").lacks(".recall").lacks("#list").lacks("#cancel-run")
		if n := len(r.sentAt(m.ID)); n != 0 {
			t.Errorf("it was sent %d times", n)
		}
	})
	t.Run("too late, the page says what can still be done", func(t *testing.T) {
		boris := newSending(h, "boris@example.org", 2)
		late := boris.follow(boris.post(boris.path("/undo"), nil).expect(http.StatusSeeOther))
		late.shows(".flash.tone-warning", "Уже поздно").shows(".acts", "Отменить отправку").lacks(".recall")
	})
	t.Run("a paused run can be resumed where it stands", func(t *testing.T) {
		eva := newSending(h, "eva@example.org", 2)
		on := eva.get(eva.path("")).shows(".acts", "Приостановить")
		paused := eva.follow(eva.submit(on, `.acts form[action="`+at(eva.mailing.ID, "/pause")+`"]`, nil))
		paused.shows(".undo-toast", "приостановлена").shows(".acts", "Продолжить").shows("#run-live .note", "Приостановлена")
		again := eva.follow(eva.submit(paused, ".undo-toast form", nil))
		again.shows(".flash", "продолжается").shows(".acts", "Приостановить")
		if again.path != eva.path("") {
			t.Errorf("it comes back to %s", again.path)
		}
	})
	t.Run("a manager may disable it, and says why", func(t *testing.T) {
		gleb := newSending(h, "gleb@example.org", 2)
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		p := manager.get(gleb.path("")).lacks("#cancel-run").shows(".acts", "Вы назовёте причину")
		form := manager.get(p.attr(".acts a", "href")).expect(http.StatusOK)
		done := manager.follow(manager.submit(form, "main form", url.Values{"why": {"Жалобы"}}))
		done.shows(".undo-toast", "отключена").shows(".acts", "Включить")
		gleb.get(gleb.path("")).lacks(`.acts form[action="` + at(gleb.mailing.ID, "/enable") + `"]`)
	})
}

// sentAt are the moments at which the mailing was sent, by its own word.
func (r room) sentAt(id int64) (at []time.Time) {
	m, err := r.h.store.Mailing(context.Background(), id)
	if err != nil {
		r.h.t.Fatal(err)
	}
	if !m.LastAt.IsZero() {
		at = append(at, m.LastAt)
	}
	return at
}

func TestSendAgain(t *testing.T) {
	h := newHarness(t)
	anna := newSending(h, "anna@example.org", 3)
	anna.settle(1, mailing.Sent, mailing.AttemptAccepted, taken)
	anna.settle(2, mailing.Failed, mailing.AttemptFailed, mailing.Reply{Code: 552, Enhanced: "5.2.2", Text: "full"})
	anna.settle(3, mailing.Failed, mailing.AttemptFailed, mailing.Reply{Code: 552, Enhanced: "5.2.2", Text: "full"})
	if _, err := h.store.Suppress(context.Background(), mailing.Suppression{
		OwnerID: anna.owner.ID, Email: address(3), Reason: mailing.ReasonUnsubscribed, CreatedAt: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	on := anna.get(anna.path("")).expect(http.StatusOK).shows(".acts", "2 письма не дошли")
	ask := anna.get(on.attr(`.acts a`, "href")).expect(http.StatusOK)
	ask.shows(".again-sum", "Не дошли 2 письма").shows(".again-why", "1 получатель получит").shows(".again-why", "1 не получит: отписан")
	second := anna.follow(anna.submit(ask, "main form", nil).expect(http.StatusSeeOther)).expect(http.StatusOK)
	second.shows(".page-lead", "Повтор для недошедших").shows(".recall", "Письма уйдут").shows("#list", address(2))
	if text := second.text("#list"); strings.Contains(text, address(1)) || strings.Contains(text, address(3)) {
		t.Errorf("it goes to %s", text)
	}
	first := anna.get(second.attr(".kin a", "href")).expect(http.StatusOK)
	if first.path != on.path || first.attr(".kin a", "href") != second.path {
		t.Errorf("the second leads to %s, the first to %s", first.path, first.attr(".kin a", "href"))
	}
	t.Run("a second click finds that it is done", func(t *testing.T) {
		anna.follow(anna.submit(ask, "main form", nil).expect(http.StatusSeeOther)).shows(".flash.tone-warning", "уже отправили ещё раз")
	})
}

func TestManyDoubtsAreDecidedAtOnce(t *testing.T) {
	h := newHarness(t)
	anna := newSending(h, "anna@example.org", 4)
	for n := range 4 {
		anna.settle(n+1, mailing.InDoubt, mailing.AttemptInDoubt, mailing.Reply{})
	}
	on := anna.get(anna.path("?state=in_doubt")).expect(http.StatusOK).shows(".acts", "О 4 письмах неизвестно").shows("#all-arrived", "Отметить 4 письма")
	form := fieldsOf(on.one("#doubts"))
	form["id"] = on.values(`#list input[name=id]`)[:2]
	form.Set("word", "sent")
	done := anna.follow(anna.post(anna.path("/doubt"), form).expect(http.StatusSeeOther))
	done.shows(".flash", "2 письма отмечены как дошедшие").shows(".tallies", "2 Отправлено").shows(".tallies", "2 Под вопросом")
	anna.follow(anna.submit(done, "#all-again form", nil)).shows(".flash", "2 письма уйдут ещё раз").shows(".tallies", "0 Под вопросом")
	t.Run("of nothing it says so", func(t *testing.T) {
		anna.follow(anna.post(anna.path("/doubt"), url.Values{"word": {"sent"}})).shows(".flash.tone-warning", "Решать нечего")
	})
}

func TestDoubtsOfACancelledRunSendNothingAgain(t *testing.T) {
	h := newHarness(t)
	anna := newSending(h, "anna@example.org", 3)
	for n := range 2 {
		anna.settle(n+1, mailing.InDoubt, mailing.AttemptInDoubt, mailing.Reply{})
	}
	anna.settle(3, mailing.Deferred, mailing.AttemptDeferred, mailing.Reply{Code: 451})
	anna.follow(anna.post(anna.path("/cancel"), nil))
	on := anna.get(anna.path("?state=in_doubt")).shows("#all-again", "Считать 2 письма неотправленными").shows("#list", "Оно не дошло")
	decide := attribute(on.find("#list .rows form")[0], "action")
	one := anna.follow(anna.post(decide, url.Values{"word": {"again"}})).shows(".flash", "неотправленным: запуск отменён")
	anna.follow(anna.submit(one, "#all-again form", nil)).shows(".flash", "1 письмо считается неотправленным").shows(".tallies", "3 Пропущено")
}

// values are the values of all inputs that the selector finds.
func (p *page) values(selector string) (all []string) {
	for _, n := range p.find(selector) {
		all = append(all, attribute(n, "value"))
	}
	return all
}

func TestUndoDeletion(t *testing.T) {
	h := newHarness(t)
	r := newRoom(h, "anna@example.org", 3)
	t.Run("clients come back, one or many", func(t *testing.T) {
		list := r.get("/clients").expect(http.StatusOK)
		ids := list.values("#list input[name=id]")
		deleted := r.follow(r.post("/clients/"+ids[0]+"/delete", nil)).shows(".undo-toast", "Клиент удалён")
		back := r.follow(r.submit(deleted, ".undo-toast form", nil)).expect(http.StatusOK).shows(".flash", "Клиент вернулся")
		if back.path != "/clients/"+ids[0] {
			t.Errorf("it leads to %s", back.path)
		}
		found := r.get("/clients?q=" + url.QueryEscape(address(1))).expect(http.StatusOK)
		deleted = r.follow(r.submit(found, "#list .row-actions form", nil)).shows(".undo-toast", "Клиент удалён")
		if back = r.follow(r.submit(deleted, ".undo-toast form", nil)).shows("#list", address(1)); back.path != found.path {
			t.Errorf("deleted from %s, it leads to %s", found.path, back.path)
		}
		r.get("/profile/activity").shows("#list", "Удалённый клиент возвращён")
		deleted = r.follow(r.post("/clients/delete", url.Values{"id": ids})).shows(".undo-toast", "Удалено 3 клиента").lacks("#list")
		r.follow(r.submit(deleted, ".undo-toast form", nil)).shows(".flash", "Вернулись 3 клиента из 3").shows("#list", address(1))
		r.get("/profile/activity").shows("#list", "Удалённые клиенты возвращены")
		t.Run("a second click finds nothing left", func(t *testing.T) {
			r.follow(r.submit(deleted, ".undo-toast form", nil)).shows(".flash.tone-warning", "Вернуть уже нельзя")
		})
	})
	t.Run("a mailing comes back unless it is being sent: then it is asked about", func(t *testing.T) {
		m := r.mailing(every(mailing.Daily))
		deleted := r.follow(r.post(at(m.ID, "/delete"), nil)).shows(".undo-toast", "Рассылка «Осенняя распродажа» удалена")
		r.get(at(m.ID, "")).expect(http.StatusNotFound)
		back := r.follow(r.submit(deleted, ".undo-toast form", nil)).expect(http.StatusOK).shows(".flash", "Рассылка вернулась")
		gone := r.follow(r.submit(back, `form[action="`+at(m.ID, "/delete")+`"]`, nil))
		if again := r.follow(r.submit(gone, ".undo-toast form", nil)); gone.path != "/mailings" || again.path != at(m.ID, "") {
			t.Errorf("deleted from its page, it leads to %s and back to %s", gone.path, again.path)
		}
		r.post(at(m.ID, "/send"), nil).expect(http.StatusSeeOther)
		ask := r.post(at(m.ID, "/delete"), nil).expect(http.StatusConflict).shows(".page-lead", "сейчас отправляется")
		form := fieldsOf(ask.one("main form"))
		form.Set("sure", "on")
		r.follow(r.post(at(m.ID, "/delete"), form)).shows(".flash", "Рассылка «Осенняя распродажа» удалена").lacks(".undo-toast")
	})
}
