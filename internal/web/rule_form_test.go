package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

// lastSunday is the day on which Berlin changes its clocks in that month.
func lastSunday(year int, month time.Month) mailing.Date {
	end := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
	return mailing.DateOf(end.AddDate(0, 0, -int(end.Weekday())))
}

func TestDates(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 1)
	dates := func(changes ...string) *page {
		t.Helper()
		anna.header.Set("HX-Request", "true")
		defer anna.header.Del("HX-Request")
		return anna.post("/mailings/new", with(with(anna.filled(), "do", ""), changes...)).expect(http.StatusOK)
	}
	t.Run("they are a part of a page, in words and as five dates", func(t *testing.T) {
		p := dates()
		p.shows("#dates .dates-words", "Каждый вторник и каждую пятницу в 09:30 (Москва)").lacks("h1")
		if got := len(p.find("#dates li")); got != 5 {
			t.Errorf("there are %d dates", got)
		}
	})
	t.Run("they are the same as on the page without scripts", func(t *testing.T) {
		form := with(anna.filled(), "frequency", "daily", "do", "schedule")
		if got, want := anna.follow(anna.post("/mailings/new", form)).expect(http.StatusOK).text("#dates"), dates("frequency", "daily").text("#dates"); got != want {
			t.Errorf("there it is %q, here %q", got, want)
		}
	})
	t.Run("the 31st says what happens in short months", func(t *testing.T) {
		p := dates("frequency", "monthly", "monthly_by", "day", "day", "31", "short_month", "last_day", "start", "2199-01-01")
		p.shows("#dates", "в коротких месяцах — в последний день").shows("#dates li", "чт, 28 февраля 2199 г., 09:30")
	})
	t.Run("the last date is said to be the last", func(t *testing.T) {
		p := dates("frequency", "daily", "end", "count", "count", "2")
		p.shows("#dates", "всего 2 раза").shows("#dates", "Больше отправок не будет")
	})
	t.Run("skipped dates are taken in both ways to write them", func(t *testing.T) {
		p := dates("frequency", "daily", "start", "2199-05-01", "skip", "2.5.2199; 2199-05-03\n04.05.2199")
		p.shows("#dates li", "1 мая 2199 г.").shows("#dates li", "5 мая 2199 г.").shows("#dates", "кроме 2 мая 2199 г.")
		if strings.Contains(p.text("#dates li"), " 2 мая") {
			t.Errorf("the dates are %q", p.text("#dates li"))
		}
	})
	year := time.Now().Year() + 1
	t.Run("a time that the clocks skip is told, and when the mailing goes out instead", func(t *testing.T) {
		day := lastSunday(year, time.March)
		p := dates("frequency", "daily", "start", day.AddDays(-40).String(), "at", "02:30", "zone", "Europe/Berlin")
		p.shows(".dates-note", "02:30 не наступит: рассылка выйдет в 03:00")
	})
	t.Run("a time that comes twice is told, and that the mailing goes out once", func(t *testing.T) {
		day := lastSunday(year, time.October)
		p := dates("frequency", "once", "start", day.String(), "at", "02:30", "zone", "Europe/Berlin")
		p.shows(".dates-note", "02:30 наступит дважды: рассылка выйдет один раз")
	})
	t.Run("where the clocks are left alone nothing is said about them", func(t *testing.T) {
		dates("frequency", "daily").lacks(".dates-note")
	})
	for what, c := range map[string]struct{ field, typed, says string }{
		"no weekday":                     {"weekdays", "", "Выберите день недели"},
		"an interval of none":            {"interval", "0", "раз в 1–366"},
		"an interval in words":           {"interval", "две", "раз в 1–366"},
		"a day that is in no calendar":   {"start", "2027-02-30", "Такого дня нет"},
		"no day":                         {"start", "", "Укажите дату"},
		"a time that is on no clock":     {"at", "24:00", "Время не читается"},
		"a zone that is nowhere":         {"zone", "Mars/Olympus", "Часового пояса"},
		"an end that is not said":        {"end", "date", "Укажите дату"},
		"a number of sendings not given": {"end", "count", "число от 1 до"},
	} {
		t.Run(what+" is answered with what is wrong", func(t *testing.T) {
			p := dates(c.field, c.typed)
			p.shows("#dates", "Здесь появятся").shows("#dates", c.says)
		})
	}
	t.Run("a single time that is over is refused", func(t *testing.T) {
		dates("frequency", "once", "start", "2020-01-01").shows("#dates", "уже прошло")
	})
	t.Run("what began long ago goes on from today", func(t *testing.T) {
		dates("frequency", "daily", "start", "2020-01-01").shows("#dates .dates-words", "Каждый день")
	})
	t.Run("an hour may be written with one digit", func(t *testing.T) {
		dates("at", "9:05").shows("#dates", "09:05")
	})
	t.Run("nothing at all is no fault of ours", func(t *testing.T) {
		anna.header.Set("HX-Request", "true")
		defer anna.header.Del("HX-Request")
		anna.post("/mailings/new", nil).expect(http.StatusOK).shows("#dates", "Здесь появятся")
	})
	t.Run("a visitor who is not signed in is asked to", func(t *testing.T) {
		p := h.visitor().post("/mailings/new", url.Values{"frequency": {"once"}})
		if !strings.HasPrefix(p.location(), "/login") {
			t.Errorf("it leads to %q", p.location())
		}
	})
}
