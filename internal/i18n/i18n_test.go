package i18n

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"vestnik/internal/mailing"
)

func printers(t *testing.T) (ru, en *Printer) {
	t.Helper()
	catalog, err := New()
	if err != nil {
		t.Fatal(err)
	}
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	return catalog.For(Russian).In(moscow), catalog.For(English).In(moscow)
}

// spaced writes spaces that do not break as "~", to be seen in a failure.
func spaced(text string) string { return strings.ReplaceAll(text, noBreakSpace, "~") }

func expect(t *testing.T, got, want string) {
	t.Helper()
	if spaced(got) != want {
		t.Errorf("got  %s\nwant %s", spaced(got), want)
	}
}

func TestMatch(t *testing.T) {
	cases := []struct{ name, header, kept, want string }{
		{"a browser that asks for Russian gets it", "ru-RU,ru;q=0.9,en-US;q=0.8", "", "ru"},
		{"a browser that prefers English gets it", "en-US,en;q=0.9,ru;q=0.8", "", "en"},
		{"quality counts, not order", "en;q=0.5, ru;q=0.9", "", "ru"},
		{"the first language that we speak is taken", "de,ru;q=0.7,en;q=0.3", "", "ru"},
		{"who speaks neither gets English", "de-DE,fr;q=0.5", "", "en"},
		{"who asks for nothing gets English", "", "", "en"},
		{"a malformed header gets English", ";;;q=\x00", "", "en"},
		{"what was kept wins over the browser", "en-US", "ru", "ru"},
		{"a kept language that we do not speak is ignored", "ru", "tlh", "ru"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Match(c.header, c.kept); got != c.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	ru, en := printers(t)
	t.Run("a text is in the printer's language", func(t *testing.T) {
		expect(t, ru.T("action.save"), "Сохранить")
		expect(t, en.T("action.save"), "Save")
		if ru.Lang() != "ru" || en.Lang() != "en" {
			t.Errorf("languages %s, %s", ru.Lang(), en.Lang())
		}
	})
	t.Run("parameters are filled in and never read as a template", func(t *testing.T) {
		expect(t, ru.T("list.and", "before", "{{.last}}", "last", "<b>"), "{{.last}} и <b>")
	})
	t.Run("a missing text shows its key", func(t *testing.T) {
		expect(t, ru.T("no.such"), "no.such")
		expect(t, ru.N("no.such", 3), "no.such")
	})
	t.Run("an unknown language is answered in English", func(t *testing.T) {
		catalog, err := New()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, catalog.For("tlh").T("action.save"), "Save")
	})
	t.Run("Russian counts by one, few and many", func(t *testing.T) {
		for count, want := range map[int64]string{
			1: "1 день назад", 2: "2 дня назад", 4: "4 дня назад", 5: "5 дней назад", 11: "11 дней назад",
			12: "12 дней назад", 21: "21 день назад", 22: "22 дня назад", 111: "111 дней назад", 1001: "1~001 день назад",
		} {
			expect(t, ru.N("relative.days_ago", count), want)
		}
	})
	t.Run("English counts by one and other", func(t *testing.T) {
		expect(t, en.N("relative.days_ago", 1), "1 day ago")
		expect(t, en.N("relative.days_ago", 21), "21 days ago")
	})
	t.Run("a key in two files is refused", func(t *testing.T) {
		files := fstest.MapFS{
			"locales/ru/a.json": {Data: []byte(`{"x.y": "один"}`)},
			"locales/ru/b.json": {Data: []byte(`{"x.y": "два"}`)},
		}
		if _, err := load(files); err == nil || !strings.Contains(err.Error(), "x.y") {
			t.Errorf("got %v", err)
		}
	})
}

func TestErrors(t *testing.T) {
	ru, en := printers(t)
	t.Run("a wrong code says so in the fixed words", func(t *testing.T) {
		expect(t, ru.Error(mailing.Fault(mailing.Invalid, "code_wrong")), "Неверный код!")
	})
	t.Run("the sentence holds the parameters", func(t *testing.T) {
		err := fmt.Errorf("app: register: %w", mailing.FieldFault(mailing.Invalid, "password", "password_too_short", "min", 8))
		expect(t, ru.Error(err), "Пароль слишком короткий: нужно не меньше 8 знаков.")
	})
	t.Run("a parameter of our vocabulary is translated", func(t *testing.T) {
		fault := mailing.Fault(mailing.Conflict, "mailing_status", "status", "paused", "event", "pause")
		expect(t, ru.Error(fault), "Статус рассылки — «Приостановлена», и сейчас этого сделать нельзя.")
		if fault.Params["status"] != "paused" {
			t.Error("the error itself was changed")
		}
	})
	t.Run("several problems give each sentence once", func(t *testing.T) {
		var problems mailing.Problems
		problems.Add("start", "date_missing")
		problems.Add("until", "date_missing")
		problems.Add("weekdays", "weekdays_empty")
		expect(t, en.Error(problems.Err()), "Enter a date. Choose at least one day of the week.")
	})
	t.Run("our own fault is never shown", func(t *testing.T) {
		for _, err := range []error{errors.New("pq: password authentication failed"), mailing.Fault(mailing.Invalid, "no_such_code")} {
			expect(t, en.Error(err), "Something broke on our side. It is in our log; please try again a little later.")
		}
	})
}

func TestNumbers(t *testing.T) {
	ru, en := printers(t)
	cases := []struct {
		n      int64
		ru, en string
	}{
		{0, "0", "0"},
		{999, "999", "999"},
		{1204, "1~204", "1,204"},
		{1234567, "1~234~567", "1,234,567"},
		{-1000, "−1~000", "−1,000"},
		{-999, "−999", "−999"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%d is grouped in threes", c.n), func(t *testing.T) {
			expect(t, ru.Number(c.n), c.ru)
			expect(t, en.Number(c.n), c.en)
		})
	}
	t.Run("a share has one digit behind the point", func(t *testing.T) {
		expect(t, ru.Percent(973, 1000), "97,3~%")
		expect(t, en.Percent(1, 3), "33.3%")
		expect(t, en.Percent(5, 5), "100.0%")
		expect(t, en.Percent(0, 0), "0.0%")
	})
	t.Run("almost all is not all, and almost nothing is not nothing", func(t *testing.T) {
		expect(t, en.Percent(99_999, 100_000), "99.9%")
		expect(t, en.Percent(1, 100_000), "0.1%")
	})
}

func TestDates(t *testing.T) {
	ru, en := printers(t)
	at := time.Date(2026, 3, 30, 22, 5, 0, 0, time.UTC) // the next day in Moscow
	t.Run("a time is shown in the printer's zone", func(t *testing.T) {
		expect(t, ru.Date(at), "31 марта 2026~г.")
		expect(t, en.Date(at), "31 March 2026")
		expect(t, ru.DateTime(at), "31 марта 2026~г., 01:05")
		expect(t, en.DateTimeZone(at), "31 March 2026, 01:05 (Moscow)")
		expect(t, ru.DateTimeZone(at), "31 марта 2026~г., 01:05 (Москва)")
		expect(t, ru.ShortDateTime(at), "31.03.2026 01:05")
		expect(t, en.ShortDateTime(at), "2026-03-31 01:05")
		expect(t, en.In(time.UTC).DateTimeZone(at), "30 March 2026, 22:05 (UTC)")
	})
	t.Run("no time is a dash", func(t *testing.T) {
		for _, got := range []string{
			ru.Date(time.Time{}), ru.Day(mailing.Date{}), ru.Clock(time.Time{}), ru.DateTime(time.Time{}),
			ru.DateTimeZone(time.Time{}), ru.ShortDateTime(time.Time{}), ru.Relative(time.Time{}, at),
		} {
			expect(t, got, "—")
		}
	})
	t.Run("a zone without a name of ours keeps its city", func(t *testing.T) {
		expect(t, ru.Zone("America/Port_of_Spain"), "Port of Spain")
		expect(t, ru.Zone("America/Argentina/Salta"), "Salta")
	})
}

func TestRelative(t *testing.T) {
	ru, en := printers(t)
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	cases := []struct {
		ahead  time.Duration
		ru, en string
	}{
		{0, "только что", "just now"},
		{-59 * time.Second, "только что", "just now"},
		{10 * time.Second, "меньше чем через минуту", "in less than a minute"},
		{-time.Minute, "1 минуту назад", "1 minute ago"},
		{-5 * time.Minute, "5 минут назад", "5 minutes ago"},
		{3 * time.Hour, "через 3 часа", "in 3 hours"},
		{-21 * time.Hour, "21 час назад", "21 hours ago"},
		{24 * time.Hour, "через 1 день", "in 1 day"},
		{-29 * 24 * time.Hour, "29 дней назад", "29 days ago"},
		{-30 * 24 * time.Hour, "1 марта 2026~г.", "1 March 2026"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s from now is %s", c.ahead, c.en), func(t *testing.T) {
			expect(t, ru.Relative(now.Add(c.ahead), now), c.ru)
			expect(t, en.Relative(now.Add(c.ahead), now), c.en)
		})
	}
}

func TestDuration(t *testing.T) {
	ru, en := printers(t)
	cases := []struct {
		d      time.Duration
		ru, en string
	}{
		{0, "0~мс", "0~ms"},
		{350 * time.Millisecond, "350~мс", "350~ms"},
		{12*time.Second + 900*time.Millisecond, "12~с", "12~s"},
		{3*time.Minute + 5*time.Second, "3~мин 5~с", "3~min 5~s"},
		{2 * time.Hour, "2~ч", "2~h"},
		{2*time.Hour + 59*time.Second, "2~ч", "2~h"},
		{97*time.Hour + time.Minute, "4~дн. 1~ч", "4~d 1~h"},
		{-time.Second, "−1~с", "−1~s"},
	}
	for _, c := range cases {
		t.Run(c.d.String()+" is told in its two largest units", func(t *testing.T) {
			expect(t, ru.Duration(c.d), c.ru)
			expect(t, en.Duration(c.d), c.en)
		})
	}
}

func BenchmarkPlainText(b *testing.B) {
	catalog, err := New()
	if err != nil {
		b.Fatal(err)
	}
	p := catalog.For(Russian)
	for b.Loop() {
		p.T("action.save")
	}
}

func BenchmarkPlural(b *testing.B) {
	catalog, err := New()
	if err != nil {
		b.Fatal(err)
	}
	p := catalog.For(Russian)
	for b.Loop() {
		p.N("relative.days_ago", 5)
	}
}
