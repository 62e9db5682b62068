package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"vestnik/internal/mailing"
)

func TestChangesThatAreTypedBackAreNone(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	m := anna.mailing(every(mailing.Weekly))
	saved := "[hx-swap-oob=innerHTML:#saved]"
	h.run("the draft goes with the last difference", func(t *testing.T) {
		on := anna.get(at(m.ID, "/edit"))
		anna.types(on, url.Values{"from_name": {"Магазин"}}).expect(http.StatusOK).shows(saved, "ещё не применены")
		anna.types(on, url.Values{"from_name": {"Магазин"}, "frequency": {"daily"}}).expect(http.StatusOK).shows(saved, "ещё не применены")
		anna.types(on, nil).expect(http.StatusOK).shows(saved, "Изменений нет")
		anna.get(at(m.ID, "")).lacks(".note")
		if n := len(anna.drafts()); n != 0 {
			t.Errorf("there are %d drafts", n)
		}
	})
	h.run("what a schedule has no use for makes no difference", func(t *testing.T) {
		on := anna.get(at(m.ID, "/edit"))
		anna.types(on, url.Values{"from_name": {"Магазин"}}).expect(http.StatusOK)
		anna.types(on, url.Values{"day": {"7"}}).expect(http.StatusOK).shows(saved, "Изменений нет")
	})
	h.run("a page that began with a draft goes on after it is gone", func(t *testing.T) {
		anna.types(anna.get(at(m.ID, "/edit")), url.Values{"from_name": {"Магазин"}}).expect(http.StatusOK)
		on := anna.get(at(m.ID, "/edit"))
		answer := anna.types(on, url.Values{"from_name": {""}}).expect(http.StatusOK).shows(saved, "Изменений нет")
		seen := answer.attr("#seen", "value")
		if seen == on.attr("#seen", "value") {
			t.Fatalf("it still goes by the draft that is gone, of %s", seen)
		}
		anna.types(on, url.Values{"from_name": {"Лавка"}, "seen": {seen}}).expect(http.StatusOK).shows(saved, "ещё не применены")
	})
	h.run("what cannot be read is kept, not dropped", func(t *testing.T) {
		on := anna.get(at(m.ID, "/edit"))
		anna.types(on, url.Values{"interval": {"often"}}).expect(http.StatusOK).shows(saved, "ещё не применены")
	})
	h.run("the mailing's page offers to discard them, and asks first", func(t *testing.T) {
		on := anna.get(at(m.ID, "")).shows(".note", "Отменить изменения").shows(".note", "Посмотреть и применить").shows("#discard", "Отменить изменения?")
		anna.follow(anna.submit(on, "#discard form", nil).expect(http.StatusSeeOther)).shows(".flash", "Изменения отменены").lacks(".note")
	})
}

func TestWhatCannotBeReadIsMarkedWhileItIsTyped(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	on := anna.get("/mailings/new").lacks("[data-error-of]")
	for _, of := range []struct{ lang, example string }{{"ru", "08.03.2027"}, {"en", "2027-03-08"}} {
		h.run("in "+of.lang, func(t *testing.T) {
			anna.lang(of.lang)
			daily := url.Values{"frequency": {"daily"}, "skip": {of.example + ", 32.13"}}
			anna.types(on, daily).expect(http.StatusOK).shows("[hx-swap-oob=innerHTML:#unreadable]", "32.13").
				shows("[data-error-of=field-skip]", of.example)
			anna.get("/mailings/new").shows("#field-skip-hint", of.example)
		})
	}
	h.run("what is readable, empty or not looked at is not", func(t *testing.T) {
		for _, typed := range []url.Values{
			{"frequency": {"daily"}, "skip": {"08.03.2027"}}, {"frequency": {"daily"}, "end": {"date"}, "until": {""}}, {"skip": {"32.13"}},
		} {
			anna.types(on, typed).expect(http.StatusOK).lacks("[data-error-of]")
		}
	})
	h.run("what is stored is shown as the hint has it", func(t *testing.T) {
		anna.lang("ru")
		rule := every(mailing.Daily)
		rule.Skip = []mailing.Date{{Year: 2199, Month: 3, Day: 8}}
		anna.get(at(anna.mailing(rule).ID, "/edit")).shows("#field-skip", "08.03.2199")
	})
}
