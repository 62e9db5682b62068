package web_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// shop is whose things are on the pages that are walked and pictured: somebody with
// clients, messages, and mailings that have gone well and badly.
type shop struct {
	first, last string   // of the owner
	people      []string // "first name, last name, what is noted of them"
	messages    []app.MessageForm
	why         string // a mailing was disabled
	posts       []app.PostForm
}

// shopSize is how many clients a shop has: more than stand on a page.
const shopSize = 64

var shops = map[string]shop{
	"ru": {
		first: "Анна", last: "Петрова", why: "Жалуются, что письма приходят ночью: поменяйте время.",
		people: []string{
			"Мария, Орлова, любит улуны", "Борис, Ёлкин, ", "Вера, Соколова, просила писать реже", "Глеб, Морозов, ",
			"Дарья, Лебедева, с весенней ярмарки", "Егор, Белов, ", "Жанна, Новикова, ", "Захар, Кузьмин, берёт в подарок",
			"Ирина, Васильева, ", "Константин, Вознесенский, оптовый клиент", "Лидия, Фёдорова, ", "Максим, Зайцев, ",
			"Нина, Павлова, ", "Олег, Смирнов, ", "Полина, Андреева, ", "Роман, Цветков, ",
		},
		messages: []app.MessageForm{
			{Subject: "Чай нового урожая уже здесь", Format: mailing.FormatMarkdown, Body: "# Здравствуйте, {{ first_name | default: \"друг\" }}!\n\nНа этой неделе приехал **улун весеннего сбора**. Его мало: двенадцать килограммов на всех.\n\n- [Тегуаньинь](https://tea.example.com/tieguanyin) с запахом сирени\n- Габа с мёдом и сухофруктами\n\nЗаходите в пятницу: завариваем и рассказываем.\n"},
			{Subject: "Расписание чаепитий на месяц", Format: mailing.FormatMarkdown, Body: "Здравствуйте, {{ first_name | default: \"друг\" }}!\n\n| день | чай |\n|---|---|\n| 5 | белые чаи |\n| 19 | пуэры |\n"},
			{Subject: "Спасибо за покупку", Format: mailing.FormatText, Body: "Здравствуйте, {{ first_name | default: \"друг\" }}!\n\nСпасибо, что вы с нами.\n"},
			{Subject: "Осенняя распродажа", Format: mailing.FormatHTML, Body: "<h1>Осень в чашке</h1><p>{{ first_name }}, до воскресенья всё на четверть дешевле.</p>"},
			{Subject: "Приглашение на открытие второго магазина", Format: mailing.FormatText, Body: "{{ first_name | default: \"Друзья\" }}, приходите 12-го в семь вечера!\n"},
		},
		posts: []app.PostForm{{Title: "Как мы выбираем улуны", Body: "Короткий рассказ о поездке.\n\n## Весна\n\nСобирать начинают в апреле.\n"}},
	},
	"en": {
		first: "Ann", last: "Peters", why: "People complain about mails at night: choose another time.",
		people: []string{
			"Mary, Eagle, likes oolong", "Bob, Firth, ", "Vera, Falcon, asked for fewer mails", "Gus, Frost, ",
			"Daria, Swan, from the spring fair", "Edgar, White, ", "Joan, Newman, ", "Zach, Smith, buys presents",
			"Irene, Bass, ", "Constantine, Featherstonehaugh, wholesale", "Lydia, Field, ", "Max, Hare, ",
			"Nina, Paul, ", "Oliver, Meek, ", "Pauline, Andrews, ", "Rowan, Flower, ",
		},
		messages: []app.MessageForm{
			{Subject: "The new harvest is here", Format: mailing.FormatMarkdown, Body: "# Hello, {{ first_name | default: \"friend\" }}!\n\nThis week brings **spring oolong**, twelve kilos for all of us.\n\n- [Tieguanyin](https://tea.example.com/tieguanyin) that smells of lilac\n- Gaba with honey and dried fruit\n\nCome on Friday: we brew and tell.\n"},
			{Subject: "Tea tastings of the month", Format: mailing.FormatMarkdown, Body: "Hello, {{ first_name | default: \"friend\" }}!\n\n| day | tea |\n|---|---|\n| 5 | white teas |\n| 19 | pu-erh |\n"},
			{Subject: "Thank you for your order", Format: mailing.FormatText, Body: "Hello, {{ first_name | default: \"friend\" }}!\n\nThank you for being with us.\n"},
			{Subject: "Autumn sale", Format: mailing.FormatHTML, Body: "<h1>Autumn in a cup</h1><p>{{ first_name }}, all is a quarter off until Sunday.</p>"},
			{Subject: "Our second shop opens: come and see", Format: mailing.FormatText, Body: "{{ first_name | default: \"Friends\" }}, come on the 12th at seven!\n"},
		},
		posts: []app.PostForm{{Title: "How we choose oolong", Body: "A short story of a journey.\n\n## Spring\n\nPicking begins in April.\n"}},
	},
}

// open gives the owner a shop. What the paths of the walk name is the busiest of each.
func (h *harness) open(owner mailing.Account, lang string) things {
	h.t.Helper()
	s, now := shops[lang], time.Now()
	h.exec("update accounts set first_name = $2, last_name = $3 where id = $1", owner.ID, s.first, s.last)
	set := h.things(owner, "shop")
	contacts := h.customers(owner, s, now)
	messages := make([]mailing.Message, len(s.messages))
	for i, form := range s.messages {
		messages[i] = storetest.Message(h.t, h.store, mailing.Message{
			OwnerID: owner.ID, Subject: form.Subject, Format: form.Format, Body: form.Body, CreatedAt: now.AddDate(0, 0, -20+i),
		})
	}
	weekly := h.plans(owner, messages[0], mailing.StatusRunning, now, mailing.Rule{Frequency: mailing.Weekly, Weekdays: []time.Weekday{time.Tuesday, time.Friday}})
	for ago := 3; ago >= 1; ago-- {
		set.run = h.ran(weekly, now.AddDate(0, 0, -7*ago).Add(-3*time.Hour), shopSize+1)
	}
	h.ran(weekly, now.Add(-time.Minute), 40) // goes on
	h.plans(owner, messages[1], mailing.StatusCreated, now, mailing.Rule{Frequency: mailing.Monthly, MonthlyBy: mailing.ByDay, Day: 31})
	done := h.plans(owner, messages[4], mailing.StatusCompleted, now, mailing.Rule{Frequency: mailing.Once})
	h.ran(done, now.AddDate(0, 0, -4), shopSize+1)
	paused := h.plans(owner, messages[2], mailing.StatusPaused, now, mailing.Rule{Frequency: mailing.Daily})
	h.exec("update mailings set stop_by = owner_id, stopped_at = $2 where id = $1", paused.ID, now.Add(-time.Hour).UnixMilli())
	stopped := h.plans(owner, messages[3], mailing.StatusDisabled, now, mailing.Rule{Frequency: mailing.Daily})
	h.exec("update mailings set stop_by = owner_id, stop_why = $2, stopped_at = $3 where id = $1", stopped.ID, s.why, now.Add(-26*time.Hour).UnixMilli())
	for _, post := range s.posts {
		h.post(app.Operator, post)
	}
	set.contact, set.message, set.mailing = contacts[0].ID, messages[0].ID, weekly.ID
	deliveries, _, err := h.store.Deliveries(ctx, store.DeliveryFilter{RunID: set.run}, store.Page{Limit: 1})
	if err != nil {
		h.t.Fatal(err)
	}
	set.delivery = deliveries[0].ID
	return set
}

func (h *harness) customers(owner mailing.Account, s shop, now time.Time) []mailing.Contact {
	h.t.Helper()
	for i := range shopSize {
		part := strings.Split(s.people[i%len(s.people)], ", ")
		c := mailing.Contact{
			OwnerID: owner.ID, FirstName: part[0], LastName: part[1], Comment: part[2],
			Email:     fmt.Sprintf("%s%02d@%s.example", []string{"post", "mail", "hello"}[i%3], i+1, []string{"yandex", "mail", "gmail"}[i/3%3]),
			CreatedAt: now.Add(time.Duration(-i*7) * time.Hour),
		}
		c.UpdatedAt = c.CreatedAt
		if _, err := h.store.CreateContact(ctx, c); err != nil {
			h.t.Fatal(err)
		}
	}
	contacts := h.contacts(owner)
	if _, err := h.app.SuppressContact(ctx, owner, contacts[5].ID); err != nil {
		h.t.Fatal(err)
	}
	return contacts
}

func (h *harness) plans(owner mailing.Account, message mailing.Message, status mailing.Status, now time.Time, rule mailing.Rule) mailing.Mailing {
	h.t.Helper()
	rule.Interval, rule.Zone, rule.At = max(rule.Interval, 1), "Europe/Moscow", mailing.Clock{Hour: 10}
	rule.Start = mailing.DateOf(now.AddDate(0, 0, -30))
	m := mailing.Mailing{OwnerID: owner.ID, MessageID: message.ID, Rule: rule, Status: status, CreatedAt: now.AddDate(0, 0, -30)}
	if status == mailing.StatusCreated || status == mailing.StatusRunning {
		next, _ := rule.Next(now)
		m.NextAt = next
	}
	return storetest.Mailing(h.t, h.store, m)
}

// ran has a run of the mailing begin at a time and be tried for so many people: some are
// refused, some put off, and of one nobody knows.
func (h *harness) ran(m mailing.Mailing, at time.Time, tried int) (run int64) {
	h.t.Helper()
	message, err := h.store.Message(ctx, m.MessageID)
	if err != nil {
		h.t.Fatal(err)
	}
	opening := storetest.OpeningRun(m)
	opening.ScheduledFor, opening.CreatedAt, opening.Kind = at, at, mailing.RunScheduled
	content := store.Content{Subject: message.Subject, Format: message.Format, Body: message.Body}
	if run, err = h.store.OpenManualRun(ctx, opening, content, at); err != nil {
		h.t.Fatal(err)
	}
	for done := false; !done; {
		if done, err = h.store.FillRun(ctx, run, at); err != nil {
			h.t.Fatal(err)
		}
	}
	node, err := h.store.StartNode(ctx, "vestnik-1", at, at.Add(time.Hour))
	if err != nil {
		h.t.Fatal(err)
	}
	leased, err := h.store.Lease(ctx, node, run, at, tried)
	if err != nil {
		h.t.Fatal(err)
	}
	outcomes := make([]store.Outcome, len(leased))
	for i, l := range leased {
		kind := i
		if i == putOff && tried > shopSize {
			kind = 0 // a run that is over has nothing left
		}
		outcomes[i] = came(node, l, m, at.Add(time.Duration(i)*700*time.Millisecond), kind)
	}
	if err := h.store.Settle(ctx, node, outcomes, at.Add(time.Minute)); err != nil {
		h.t.Fatal(err)
	}
	return run
}

// putOff is which mail of a run that goes on is to be tried again.
const putOff = 31

// came is what came of the i-th mail of a run.
func came(node store.Node, l store.Leased, m mailing.Mailing, at time.Time, i int) store.Outcome {
	attempt := &mailing.Attempt{
		DeliveryID: l.ID, RunID: l.RunID, MailingID: m.ID, OwnerID: m.OwnerID, Email: l.Email, At: at,
		Duration: time.Duration(180+37*(i%11)) * time.Millisecond, Node: node.Name, Host: "smtp.example.com:587", TLS: "TLS1.3",
		Stage: "dot", Result: mailing.AttemptAccepted,
		Reply: mailing.Reply{Code: 250, Enhanced: "2.0.0", Text: fmt.Sprintf("Ok: queued as 4X%05d", i)},
	}
	o := store.Outcome{DeliveryID: l.ID, Epoch: node.Epoch, Tries: l.Tries, State: mailing.Sent, Attempt: attempt}
	switch i {
	case 3:
		o.State, o.Reason, o.Suppress = mailing.Failed, mailing.ReasonBounced, true
		attempt.Result, attempt.Stage = mailing.AttemptFailed, "rcpt"
		attempt.Reply = mailing.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such user here"}
	case 11, 17:
		o.State, o.Reason = mailing.Failed, mailing.ReasonRefused
		attempt.Result, attempt.Stage = mailing.AttemptFailed, "dot"
		attempt.Reply = mailing.Reply{Code: 554, Enhanced: "5.7.1", Text: "message looks like spam\nsee https://postmaster.example.com/bulk?code=7313-1"}
	case 23:
		o.State = mailing.InDoubt
		attempt.Result, attempt.Reply = mailing.AttemptInDoubt, mailing.Reply{}
	case putOff:
		o.State, o.DueAt = mailing.Deferred, time.Now().Add(10*time.Minute)
		attempt.Result, attempt.Stage = mailing.AttemptDeferred, "rcpt"
		attempt.Reply = mailing.Reply{Code: 451, Enhanced: "4.7.1", Text: "greylisted, try again in 5 minutes"}
	}
	return o
}

// axeScript is the source of axe-core (npm, MPL-2.0), which looks for what keeps people
// out of a page.
func axeScript() (string, error) {
	text, err := os.ReadFile(filepath.Join("..", "..", "node_modules", "axe-core", "axe.min.js"))
	return string(text), err
}
