package i18n

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
)

func date(text string) mailing.Date {
	d, err := mailing.ParseDate(text)
	if err != nil {
		panic(err) // a slip in the table of a test
	}
	return d
}

func TestRuleWords(t *testing.T) {
	ru, en := printers(t)
	weekly := func(days ...time.Weekday) mailing.Rule {
		return mailing.Rule{Frequency: mailing.Weekly, Weekdays: days}
	}
	monthly := func(by mailing.MonthlyBy, change func(*mailing.Rule)) mailing.Rule {
		rule := mailing.Rule{Frequency: mailing.Monthly, MonthlyBy: by}
		change(&rule)
		return rule
	}
	nth := func(n int, d time.Weekday, interval int) mailing.Rule {
		return monthly(mailing.ByWeekday, func(r *mailing.Rule) { r.Nth, r.Weekday, r.Interval = n, d, interval })
	}
	onDay := func(n int, short mailing.ShortMonth, interval int) mailing.Rule {
		return monthly(mailing.ByDay, func(r *mailing.Rule) { r.Day, r.ShortMonth, r.Interval = n, short, interval })
	}
	const at, atEn, from, fromEn = " в 09:00 (Москва)", " at 09:00 (Moscow)", ", начиная со 2 марта 2026~г.", ", starting on 2 March 2026"
	cases := []struct {
		name   string
		rule   mailing.Rule
		ru, en string
	}{
		{
			"once names the day",
			mailing.Rule{Frequency: mailing.Once},
			"один раз, 2 марта 2026~г.," + at, "once, on 2 March 2026," + atEn,
		},
		{"every day", mailing.Rule{Frequency: mailing.Daily}, "каждый день" + at, "every day" + atEn},
		{
			"every other day counts from the start",
			mailing.Rule{Frequency: mailing.Daily, Interval: 2},
			"раз в 2 дня" + at + from, "every 2 days" + atEn + fromEn,
		},
		{
			"21 days take the singular in Russian",
			mailing.Rule{Frequency: mailing.Daily, Interval: 21},
			"раз в 21 день" + at + from, "every 21 days" + atEn + fromEn,
		},
		{"a masculine weekday", weekly(time.Tuesday), "каждый вторник" + at, "every Tuesday" + atEn},
		{"a feminine weekday", weekly(time.Wednesday), "каждую среду" + at, "every Wednesday" + atEn},
		{"a neuter weekday", weekly(time.Sunday), "каждое воскресенье" + at, "every Sunday" + atEn},
		{"two of a gender share the word", weekly(time.Thursday, time.Monday), "каждый понедельник и четверг" + at, "every Monday and Thursday" + atEn},
		{"the word is repeated where the gender changes", weekly(time.Friday, time.Tuesday), "каждый вторник и каждую пятницу" + at, "every Tuesday and Friday" + atEn},
		{
			"three weekdays are listed", weekly(time.Monday, time.Wednesday, time.Friday),
			"каждый понедельник, каждую среду и пятницу" + at, "every Monday, Wednesday and Friday" + atEn,
		},
		{
			"the working week has a name", weekly(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday),
			"каждый будний день" + at, "every working day" + atEn,
		},
		{
			"all weekdays are every day", weekly(0, 1, 2, 3, 4, 5, 6),
			"каждый день" + at, "every day" + atEn,
		},
		{
			"every other week",
			mailing.Rule{Frequency: mailing.Weekly, Interval: 2, Weekdays: []time.Weekday{time.Tuesday, time.Saturday}},
			"раз в 2 недели по вторникам и субботам" + at + from, "every 2 weeks on Tuesday and Saturday" + atEn + fromEn,
		},
		{"a day that every month has", onDay(15, "", 1), "каждый месяц 15-го числа" + at, "every month on the 15th" + atEn},
		{"the 31st says what short months do", onDay(31, "", 1), "каждый месяц 31-го числа (в коротких месяцах — в последний день)" + at, "every month on the 31st (in shorter months, on the last day)" + atEn},
		{"short months may be skipped", onDay(29, mailing.ShortMonthSkip, 1), "каждый месяц 29-го числа (короткие месяцы пропускаются)" + at, "every month on the 29th (shorter months are skipped)" + atEn},
		{"every quarter", onDay(3, "", 3), "раз в 3 месяца 3-го числа" + at + from, "every 3 months on the 3rd" + atEn + fromEn},
		{"12th is not 12nd", onDay(12, "", 1), "каждый месяц 12-го числа" + at, "every month on the 12th" + atEn},
		{"22nd is", onDay(22, "", 1), "каждый месяц 22-го числа" + at, "every month on the 22nd" + atEn},
		{
			"the last day", monthly(mailing.ByLastDay, func(*mailing.Rule) {}),
			"каждый месяц в последний день месяца" + at, "every month on the last day of the month" + atEn,
		},
		{"the second Tuesday", nth(2, time.Tuesday, 1), "каждый 2-й вторник месяца" + at, "every 2nd Tuesday of the month" + atEn},
		{"the first Wednesday", nth(1, time.Wednesday, 1), "каждую 1-ю среду месяца" + at, "every 1st Wednesday of the month" + atEn},
		{"the last Sunday", nth(mailing.NthLast, time.Sunday, 1), "каждое последнее воскресенье месяца" + at, "every last Sunday of the month" + atEn},
		{"the second Friday every other month", nth(2, time.Friday, 2), "раз в 2 месяца, во 2-ю пятницу месяца," + at + from, "every 2 months on the 2nd Friday of the month" + atEn + fromEn},
		{
			"an end by date",
			mailing.Rule{Frequency: mailing.Daily, Until: date("2026-12-31")},
			"каждый день" + at + ", по 31 декабря 2026~г.", "every day" + atEn + ", until 31 December 2026",
		},
		{
			"an end by count",
			mailing.Rule{Frequency: mailing.Daily, Count: 22},
			"каждый день" + at + ", всего 22 раза", "every day" + atEn + ", 22 times in all",
		},
		{
			"a few skipped days are named",
			mailing.Rule{Frequency: mailing.Daily, Skip: []mailing.Date{date("2026-05-09"), date("2026-05-01")}},
			"каждый день" + at + ", кроме 1 мая 2026~г. и 9 мая 2026~г.", "every day" + atEn + ", except on 1 May 2026 and 9 May 2026",
		},
		{
			"many skipped days are counted",
			mailing.Rule{Frequency: mailing.Daily, Skip: []mailing.Date{date("2026-05-01"), date("2026-05-02"), date("2026-05-03"), date("2026-05-04")}},
			"каждый день" + at + ", кроме 4 дат", "every day" + atEn + ", except on 4 days",
		},
	}
	t.Run("the third of a month takes the ordinary preposition", func(t *testing.T) {
		rule := mailing.Rule{Frequency: mailing.Daily, Interval: 5, Start: date("2026-03-03"), At: mailing.Clock{Hour: 23, Minute: 5}, Zone: "UTC"}
		expect(t, ru.RuleWords(rule), "раз в 5 дней в 23:05 (UTC), начиная с 3 марта 2026~г.")
	})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Start, c.rule.At, c.rule.Zone = date("2026-03-02"), mailing.Clock{Hour: 9}, "Europe/Moscow"
			if err := c.rule.Check(); err != nil {
				t.Fatalf("the rule is no rule: %v", err)
			}
			expect(t, ru.RuleWords(c.rule), c.ru)
			expect(t, en.RuleWords(c.rule), c.en)
		})
	}
}
