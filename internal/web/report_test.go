package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestReport(t *testing.T) {
	h := newHarness(t)
	anna := allOutcomes(h, "anna@example.org")
	t.Run("it tells what became of the run, by step, over time and by provider", func(t *testing.T) {
		p := anna.get(anna.path("")).expect(http.StatusOK)
		p.shows("#report h2", "Отчёт").shows(".funnel", "Получатели 5").shows(".funnel", "Пробовали отправить 4").shows(".funnel", "25,0")
		p.shows(".time-table", "Отправлено").shows("#report .rows", "example.com")
		if data := p.attr("[data-chart]", "data-chart"); !strings.Contains(data, `"good":[`) {
			t.Errorf("the chart draws %s", data)
		}
		if p.attr("#report", "hx-get") == "" {
			t.Error("the report of an open run is not renewed")
		}
	})
	t.Run("it says why, what that means and what to do, and who it is about", func(t *testing.T) {
		p := anna.get(anna.path(""))
		p.shows(".causes", "Нет такого ящика").shows(".causes", "не знает такого адреса").shows(".causes", "Что делать: Уточните адрес")
		p.shows(".causes", "серые списки").shows(".causes", "550 5.1.1 No such user").shows("#list", "Нет такого ящика")
		link := p.attr(".causes a[href="+anna.path("/causes/mailbox_unknown")+"]", "href")
		on := anna.get(link).expect(http.StatusOK).shows("h1", "Нет такого ящика").shows("#list", address(3)).shows("#list", "No such user")
		if n := len(on.find("#list tbody tr")); n != 1 {
			t.Errorf("%d recipients are listed", n)
		}
		anna.get(anna.path("/causes/tls")).expect(http.StatusOK).shows(".nothing-text", "никому")
		anna.get(anna.path("/causes/nonsense")).expect(http.StatusNotFound)
	})
	t.Run("each server's answer is explained beside it", func(t *testing.T) {
		anna.get(anna.delivery(3)).shows(".cause-note", "Нет такого ящика").shows(".cause-note", "Что делать")
		anna.get("/logs").shows(".cause-note", "Просят зайти позже")
	})
	t.Run("the recipients can be kept as a file", func(t *testing.T) {
		path := anna.get(anna.path("?state=failed")).attr("a[href^="+anna.path("/recipients.csv")+"]", "href")
		if path != anna.path("/recipients.csv?state=failed") {
			t.Fatalf("the link is %q", path)
		}
		file := anna.get(path).expect(http.StatusOK)
		if lines := strings.Split(strings.TrimSpace(file.body), "\n"); !strings.Contains(file.body, address(3)+";Не отправлено;сервер отказал;1;550;5.1.1;") ||
			!strings.Contains(file.body, "Нет такого ящика") || len(lines) != 3 { // the answer has two lines
			t.Errorf("the file is\n%s", file.body)
		}
	})
	t.Run("why it is not over yet is told in plain words", func(t *testing.T) {
		anna.get(anna.path("")).shows("#run-live .slow-list", "1 письмо отложил сервер получателя").shows(".slow-list", "первое письмо от незнакомца")
	})
	t.Run("it speaks English too", func(t *testing.T) {
		p := anna.lang("en").get(anna.path(""))
		p.shows(".causes", "No such mailbox").shows(".causes", "What to do: Ask the person").shows(".funnel", "25.0% of those tried")
		p.shows(".slow-list", "1 message was put off")
		anna.lang("ru")
	})
	t.Run("a manager sees it, and has no file", func(t *testing.T) {
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		manager.get(anna.path("")).shows(".causes", "Нет такого ящика").lacks("a[href^=" + anna.path("/recipients.csv") + "]")
		manager.get(anna.path("/recipients.csv")).expect(http.StatusForbidden)
	})
	t.Run("to another user neither report nor file is there", func(t *testing.T) {
		boris := h.signIn(h.account("boris@example.org", mailing.RoleUser))
		for _, more := range []string{"/causes/mailbox_unknown", "/recipients.csv"} {
			boris.get(anna.path(more)).expect(http.StatusNotFound)
		}
	})
}

func TestRunsOfAMailingAreCompared(t *testing.T) {
	h := newHarness(t)
	anna := allOutcomes(h, "anna@example.org")
	anna.get(anna.path("")).lacks(".run-steps").lacks("#run-trend")
	// The mail server of the first run may be asked again after a minute at the earliest.
	if _, err := h.store.Writer().Exec("update runs set created_at = created_at - 120000, scheduled_for = scheduled_for - 120000"); err != nil {
		t.Fatal(err)
	}
	done := anna.post(at(anna.mailing.ID, "/send"), url.Values{}).expect(http.StatusSeeOther)
	second := done.location()
	p := anna.get(second).expect(http.StatusOK).shows("#run-trend", "этот запуск")
	if href := p.attr(".run-steps [rel=prev]", "href"); href != anna.path("") {
		t.Errorf("the run before is %s", href)
	}
	if n := len(p.find("#run-trend tbody tr")); n != 2 || len(p.find(".trend rect")) != 4 {
		t.Errorf("%d runs are compared", n)
	}
	first := anna.get(anna.path(""))
	if href := first.attr(".run-steps [rel=next]", "href"); href != second {
		t.Errorf("the next run is %s, want %s", href, fmt.Sprint(second))
	}
}
