package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

const theForm = "form[id=mailing]"

// filled is a form of a mailing that can be made: weekly, to all.
func (m room) filled() url.Values {
	return url.Values{
		"do": {"apply"}, "audience": {"all"}, "message": {strconv.FormatInt(m.message.ID, 10)}, "doubt": {"never_twice"},
		"frequency": {"weekly"}, "interval": {"1"}, "start": {tomorrow().String()}, "at": {"09:30"},
		"zone": {"Europe/Moscow"}, "weekdays": {"2", "5"}, "end": {"never"},
	}
}

func with(form url.Values, changes ...string) url.Values {
	for i := 0; i+1 < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	return form
}

// applying are changes of a form that is then applied.
func applying(changes url.Values) url.Values {
	if changes == nil {
		changes = url.Values{}
	}
	changes.Set("do", "apply")
	return changes
}

// mailings lists all that the owner of the room has.
func (m room) mailings() []mailing.Mailing {
	m.h.t.Helper()
	rows, _, err := m.h.app.Mailings(context.Background(), m.owner, app.MailingFilter{}, app.Page{Limit: 100})
	if err != nil {
		m.h.t.Fatal(err)
	}
	all := make([]mailing.Mailing, len(rows))
	for i, row := range rows {
		all[i] = row.Mailing
	}
	return all
}

// saved is the id of the mailing whose page an answer leads to.
func saved(t *testing.T, done *page) int64 {
	t.Helper()
	id, err := strconv.ParseInt(strings.TrimPrefix(done.location(), "/mailings/"), 10, 64)
	if err != nil {
		t.Fatalf("it leads to %s", done.location())
	}
	return id
}

func (m room) chosenOf(id int64) []int64 {
	m.h.t.Helper()
	ids, err := m.h.app.ChosenContacts(context.Background(), m.owner, id)
	if err != nil {
		m.h.t.Fatal(err)
	}
	return ids
}

func TestNewMailing(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	message := strconv.FormatInt(anna.message.ID, 10)
	t.Run("who comes with a message has one button to press, which sends it", func(t *testing.T) {
		on := anna.get("/mailings/new?message=" + message).expect(http.StatusOK)
		on.shows("#audience", "Получат 3 клиента").shows("#dates", "Сразу").shows("#review[open] .btn-primary", "Отправить 3 клиентам сейчас")
		done := anna.submit(on, theForm, applying(url.Values{}))
		anna.follow(done.expect(http.StatusSeeOther)).shows(".page-lead", "Вручную")
	})
	t.Run("once is tomorrow morning", func(t *testing.T) {
		on := anna.get("/mailings/new").expect(http.StatusOK)
		on.shows("#content[open]", "Письмо").shows("#review", "Выберите письмо")
		done := anna.submit(on, theForm, applying(url.Values{"message": {message}, "frequency": {"once"}}))
		anna.follow(done.expect(http.StatusSeeOther)).shows(".flash", "запланирована. Первое письмо уйдёт").shows(".page-lead", "Один раз")
		all := anna.mailings()
		m := all[slices.IndexFunc(all, func(m mailing.Mailing) bool { return !m.NextAt.IsZero() })]
		want := mailing.Rule{Frequency: mailing.Once, Start: tomorrow(), At: mailing.Clock{Hour: 10}, Zone: "Europe/Moscow"}
		if !reflect.DeepEqual(m.Rule, want) || m.Audience != mailing.AudienceAll || m.Doubt != mailing.NeverTwice || m.Weight != mailing.WeightNormal {
			t.Errorf("it is %+v", m)
		}
	})
	t.Run("all that is wrong is said at once, beside what was typed", func(t *testing.T) {
		before := len(anna.mailings())
		form := with(anna.filled(), "start", "30.02.2027", "at", "25:00", "message", "", "reply_to", "nobody", "audience", "chosen")
		form.Del("weekdays")
		p := anna.post("/mailings/new", form).expect(http.StatusUnprocessableEntity)
		for name, typed := range map[string]string{"start": "30.02.2027", "at": "25:00", "reply_to": "nobody"} {
			if got := p.attr("input[name="+name+"]", "value"); got != typed {
				t.Errorf("%s is %q now", name, got)
			}
		}
		p.shows("#field-start-error", "Такого дня нет").shows("#field-at-error", "Время не читается")
		p.shows("#field-message-error", "Выберите письмо").shows("#field-reply_to-error", "«nobody»")
		p.shows("#audience .field-error", "Выберите хотя бы одного клиента").shows(".note[role=alert]", "Исправьте 5 полей")
		ways := p.find(".fault-list a")
		if len(ways) != 5 {
			t.Errorf("%d faults lead to their fields, want 5", len(ways))
		}
		for _, way := range ways {
			p.one(attribute(way, "href"))
		}
		p.shows("#review .tone-danger", "Выберите хотя бы одного клиента").shows("#review .tone-danger", "Время не читается")
		if len(anna.mailings()) != before {
			t.Error("something was made")
		}
	})
	t.Run("a date to skip that cannot be read is not skipped over", func(t *testing.T) {
		before := len(anna.mailings())
		p := anna.post("/mailings/new", with(anna.filled(), "skip", "2027-01-01, завтра")).expect(http.StatusUnprocessableEntity)
		p.shows("#field-skip-error", "«завтра» — не дата").shows("textarea[name=skip]", "2027-01-01, завтра")
		if len(anna.mailings()) != before {
			t.Error("something was made")
		}
	})
	t.Run("a rule that never fires is refused where the schedule is", func(t *testing.T) {
		day := tomorrow().String()
		p := anna.post("/mailings/new", with(anna.filled(), "frequency", "daily", "end", "date", "until", day, "skip", day))
		p.expect(http.StatusUnprocessableEntity).shows("#schedule .note", "никогда не отправится")
	})
	t.Run("somebody else's message is no message", func(t *testing.T) {
		boris := newRoom(h, "boris@example.org", 1)
		form := with(anna.filled(), "message", strconv.FormatInt(boris.message.ID, 10))
		p := anna.post("/mailings/new", form).expect(http.StatusUnprocessableEntity)
		p.shows("#field-message-error", "Выберите письмо")
		if strings.Contains(p.text("select[name=message]"), boris.message.Subject+" "+boris.message.Subject) {
			t.Error("its subject is shown")
		}
	})
	t.Run("the page speaks English too", func(t *testing.T) {
		p := anna.lang("en").get("/mailings/new")
		for _, title := range []string{"1 Audience", "2 Content", "3 Schedule", "4 Review"} {
			p.shows(".fold-title", title)
		}
		p.shows("#dates", "At once").shows("#review", "Choose the message")
	})
}

func TestSendWhenMade(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	on := anna.get("/mailings/new")
	p := anna.submit(on, theForm, url.Values{"message": {strconv.FormatInt(anna.message.ID, 10)}, "frequency": {"now"}, "do": {"review"}})
	p = anna.follow(p.expect(http.StatusSeeOther)).shows("#review button", "Отправить 3 клиентам сейчас").shows("#schedule", "Сразу")
	done := anna.submit(p, theForm, applying(nil)).expect(http.StatusSeeOther)
	if !strings.HasPrefix(done.location(), "/runs/") {
		t.Fatalf("it leads to %s", done.location())
	}
	anna.follow(done).shows("[data-recall]", "Письма уйдут").shows("h1", "Осенняя распродажа")
	m := anna.mailings()[0]
	if !m.NextAt.IsZero() || m.Rule.Frequency != mailing.Once {
		t.Errorf("it goes out again: %+v", m)
	}
	t.Run("a second click makes and sends nothing", func(t *testing.T) {
		again := anna.submit(p, theForm, applying(nil)).expect(http.StatusSeeOther)
		if again.location() != at(m.ID, "") {
			t.Errorf("it leads to %s", again.location())
		}
		runs, err := h.store.RunsOfMailing(ctx, m.ID, 10)
		if err != nil || len(runs) != 1 || len(anna.mailings()) != 1 {
			t.Errorf("there are %d runs of %d mailings, %v", len(runs), len(anna.mailings()), err)
		}
	})
	t.Run("what was made before the service died is sent by a second click, and once", func(t *testing.T) {
		p := anna.submit(anna.get("/mailings/new"), theForm, url.Values{"message": {strconv.FormatInt(anna.message.ID, 10)}, "frequency": {"now"}, "do": {"review"}})
		p = anna.follow(p.expect(http.StatusSeeOther))
		id, err := strconv.ParseInt(p.attr(`input[name="id"]`, "value"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.app.CreateMailing(ctx, anna.owner, app.MailingForm{
			ID: id, Now: true, MessageID: anna.message.ID, Audience: mailing.AudienceAll, Doubt: mailing.NeverTwice, Rule: every(mailing.Once),
		})
		if err != nil {
			t.Fatal(err)
		}
		if to := anna.submit(p, theForm, applying(nil)).expect(http.StatusSeeOther).location(); !strings.HasPrefix(to, "/runs/") {
			t.Errorf("it leads to %s", to)
		}
		anna.submit(p, theForm, applying(nil)).expect(http.StatusSeeOther)
		if runs, err := h.store.RunsOfMailing(ctx, id, 10); err != nil || len(runs) != 1 {
			t.Errorf("there are %d runs, %v", len(runs), err)
		}
	})
	t.Run("what is there already has a button for that, and not this choice", func(t *testing.T) {
		anna.get(at(m.ID, "/edit")).lacks("#frequency-now")
		anna.post(at(m.ID, "/edit"), with(anna.filled(), "frequency", "now")).expect(http.StatusUnprocessableEntity)
	})
}

func TestEditMailing(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	skip := []mailing.Date{tomorrow().AddDays(40), tomorrow().AddDays(41)}
	until := tomorrow().AddDays(900)
	rules := map[string]mailing.Rule{
		"once":                          every(mailing.Once),
		"every third day":               {Frequency: mailing.Daily, Interval: 3, Skip: skip},
		"on two days of the week":       {Frequency: mailing.Weekly, Weekdays: []time.Weekday{time.Monday, time.Sunday}, Count: 12},
		"on the 31st or not at all":     {Frequency: mailing.Monthly, MonthlyBy: mailing.ByDay, Day: 31, ShortMonth: mailing.ShortMonthSkip},
		"on the last day of a quarter":  {Frequency: mailing.Monthly, Interval: 3, MonthlyBy: mailing.ByLastDay, Until: until},
		"on the last Friday of a month": {Frequency: mailing.Monthly, MonthlyBy: mailing.ByWeekday, Nth: mailing.NthLast, Weekday: time.Friday},
	}
	for name, rule := range rules {
		t.Run("applying the form untouched changes nothing of a mailing "+name, func(t *testing.T) {
			rule.Start, rule.At, rule.Zone = tomorrow(), mailing.Clock{Hour: 7, Minute: 5}, "Asia/Omsk"
			m := anna.mailing(rule)
			on := anna.get(at(m.ID, "/edit")).expect(http.StatusOK)
			anna.submit(on, theForm, nil).expect(http.StatusSeeOther)
			anna.get(at(m.ID, "")).lacks(".note")
			done := anna.submit(on, theForm, applying(nil)).expect(http.StatusSeeOther)
			anna.follow(done).shows(".flash", "сохранена")
			if got := h.stored(m.ID).Rule; !reflect.DeepEqual(got, rule.Tidy()) {
				t.Errorf("the rule is %+v now, want %+v", got, rule.Tidy())
			}
		})
	}
	t.Run("while it is being sent the page says what changes count for", func(t *testing.T) {
		m := anna.mailing(every(mailing.Daily))
		anna.get(at(m.ID, "/edit")).lacks(".note")
		anna.post(at(m.ID, "/send"), nil).expect(http.StatusSeeOther)
		anna.get(at(m.ID, "/edit")).shows(".note", "со следующего запуска")
	})
	t.Run("an admin edits it with its owner's clients and messages", func(t *testing.T) {
		m := anna.mailing(every(mailing.Daily))
		admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
		on := admin.get(at(m.ID, "/edit")).expect(http.StatusOK)
		on.shows("#audience", "client000001@example.com").shows("select[name=message]", anna.message.Subject)
		admin.submit(on, theForm, applying(url.Values{"audience": {"chosen"}, "contacts": {fmt.Sprint(anna.contacts[1].ID)}})).expect(http.StatusSeeOther)
		if got := anna.chosenOf(m.ID); !reflect.DeepEqual(got, []int64{anna.contacts[1].ID}) {
			t.Errorf("chosen: %v", got)
		}
	})
}

func TestWeightOfAMailing(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 3)
	m := anna.mailing(every(mailing.Daily))
	edit := func(changes url.Values) *page {
		t.Helper()
		return anna.submit(anna.get(at(m.ID, "/edit")).expect(http.StatusOK), theForm, applying(changes))
	}
	t.Run("a normal one is not worth a word", func(t *testing.T) {
		if text := anna.get(at(m.ID, "")).text(".facts"); strings.Contains(text, "Вес") {
			t.Errorf("the page says %q", text)
		}
	})
	t.Run("another one is kept, shown, and stays when the form is applied untouched", func(t *testing.T) {
		done := edit(url.Values{"weight": {"high"}}).expect(http.StatusSeeOther)
		anna.follow(done).shows(".facts", "Вес Высокий")
		edit(nil).expect(http.StatusSeeOther)
		if got := h.stored(m.ID).Weight; got != mailing.WeightHigh {
			t.Errorf("it is %q now", got)
		}
	})
	t.Run("one that there is not is refused", func(t *testing.T) {
		edit(url.Values{"weight": {"heavy"}}).expect(http.StatusUnprocessableEntity).shows("#field-weight-error", "Выберите")
	})
	t.Run("a new mailing may have one, too", func(t *testing.T) {
		id := saved(t, anna.post("/mailings/new", with(anna.filled(), "weight", "low")).expect(http.StatusSeeOther))
		if got := h.stored(id).Weight; got != mailing.WeightLow {
			t.Errorf("it is %q", got)
		}
	})
}

func TestChooseClients(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 250)
	boris := storetest.Account(t, h.store, "boris@example.org")
	stranger := storetest.Contact(t, h.store, boris.ID, "stranger@example.org")
	id := func(n int) string { return strconv.FormatInt(anna.contacts[n-1].ID, 10) }
	find := func(on *page, changes url.Values) *page {
		t.Helper()
		changes.Set("do", "search")
		return anna.submit(on, theForm, changes).expect(http.StatusOK)
	}
	ticked := func(p *page) int { return len(p.find("input[name=contacts][checked]")) }

	t.Run("finding shows the page anew with all that was typed", func(t *testing.T) {
		form := with(anna.filled(), "audience", "chosen", "search", "client000007", "from_name", "Магазин", "skip", "01.05.2027", "do", "search")
		p := anna.post("/mailings/new", form).expect(http.StatusOK)
		p.shows("#audience legend", "Найден 1 клиент").shows("#schedule textarea", "01.05.2027")
		if got := p.attr("input[name=from_name]", "value"); got != "Магазин" {
			t.Errorf("the name is %q", got)
		}
		if got := len(p.find("input[name=weekdays][checked]")); got != 2 {
			t.Errorf("%d weekdays are chosen", got)
		}
		p.lacks(".field-error")
	})
	t.Run("who is ticked stays chosen from one search to the next, and who is unticked does not", func(t *testing.T) {
		p := anna.post("/mailings/new", with(anna.filled(), "audience", "chosen", "search", "client00000", "do", "search"))
		p = find(p, url.Values{"contacts": {id(3), id(4)}, "search": {"client00020"}})
		p.shows("#audience", "Выбрано 2 клиента").shows("#audience", "Также выбраны")
		p = find(p, url.Values{"contacts": {id(3), id(200)}, "search": {"client00011"}})
		if got := ticked(p); got != 2 {
			t.Fatalf("%d are ticked", got)
		}
		done := anna.submit(p, theForm, applying(nil)).expect(http.StatusSeeOther)
		m := saved(t, done)
		if got := anna.chosenOf(m); len(got) != 2 || !strings.Contains(fmt.Sprint(got), id(3)) || !strings.Contains(fmt.Sprint(got), id(200)) {
			t.Errorf("chosen: %v", got)
		}
		anna.follow(done).shows(".facts", "Выбранные клиенты").shows(".facts", "Получат 2 клиента")
	})
	t.Run("all that are found can be chosen at once, far more than are shown", func(t *testing.T) {
		p := anna.post("/mailings/new", with(anna.filled(), "audience", "chosen", "do", "all")).expect(http.StatusOK)
		p.shows("#audience", "Выбрано 250 клиентов").shows("#audience", "Показаны первые 100").shows("#audience", "И ещё 50 выбранных")
		if got := ticked(p); got != 200 {
			t.Errorf("%d are ticked", got)
		}
		m := saved(t, anna.submit(p, theForm, applying(nil)).expect(http.StatusSeeOther))
		if got := len(anna.chosenOf(m)); got != 250 {
			t.Fatalf("%d are chosen", got)
		}
		none := anna.submit(anna.get(at(m, "/edit")), theForm, url.Values{"do": {"none"}})
		none.expect(http.StatusOK).shows("#audience", "Выбрано 0 клиентов")
		if got := len(anna.chosenOf(m)); got != 250 {
			t.Errorf("%d are chosen before it is applied", got)
		}
		anna.get(at(m, "/edit")).shows("#audience", "Выбрано 0 клиентов")
	})
	t.Run("somebody else's client cannot be chosen", func(t *testing.T) {
		form := with(anna.filled(), "audience", "chosen", "do", "search")
		form["contacts"] = []string{fmt.Sprint(stranger.ID), "x", "-1", "", id(1)}
		p := anna.post("/mailings/new", form).expect(http.StatusOK)
		p.shows("#audience", "Выбран 1 клиент").shows("#audience", "Получит 1 клиент")
		if strings.Contains(p.body, stranger.Email) {
			t.Error("the page says who that is")
		}
	})
	t.Run("more than a form may name are refused, and the rest is shown again", func(t *testing.T) {
		before := len(anna.mailings())
		m := anna.mailing(every(mailing.Daily))
		ids := make([]string, 50_000)
		for i := range ids {
			ids[i] = strconv.Itoa(i + 1)
		}
		full := `{"Audience":"chosen","Chosen":[` + strings.Join(ids, ",") + `]}`
		keep := func(id int64, isNew bool, seen time.Time) {
			_, err := h.app.SaveDraft(context.Background(), anna.owner, mailing.Draft{MailingID: id, Form: full}, isNew, seen)
			if err != nil {
				t.Fatal(err)
			}
		}
		id := h.app.NewMailingID()
		keep(id, true, time.Time{})
		keep(m.ID, false, m.UpdatedAt)
		form := with(anna.filled(), "id", strconv.FormatInt(id, 10), "audience", "chosen", "from_name", "Магазин", "contacts", "50001")
		p := anna.post("/mailings/new", form).expect(http.StatusUnprocessableEntity)
		p.shows("#audience .field-error", "не больше 50")
		if got := p.attr("input[name=from_name]", "value"); got != "Магазин" {
			t.Errorf("the name is %q", got)
		}
		anna.post(at(m.ID, "/edit"), form).expect(http.StatusUnprocessableEntity).shows("#audience .field-error", "не больше 50")
		if len(anna.mailings()) != before+1 {
			t.Error("one was made")
		}
	})
	t.Run("without clients it says where to add them", func(t *testing.T) {
		eva := newRoom(h, "eva@example.org", 0)
		eva.get("/mailings/new").shows("#audience a[href=/clients]", "Клиенты")
	})
}

func TestANewMailingIsFromWhoeverWritesIt(t *testing.T) {
	h := newHarness(t)
	anna := newRoom(h, "anna@example.org", 1)
	p := anna.get("/mailings/new").expect(http.StatusOK)
	if name, to := p.attr("input[name=from_name]", "value"), p.attr("input[name=reply_to]", "value"); name != "Анна Петрова" || to != "anna@example.org" {
		t.Errorf("it is from %q, and answers go to %q", name, to)
	}
}
