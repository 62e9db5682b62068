package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// sending is a run of a mailing by hand, with a node that sends it.
type sending struct {
	room
	mailing mailing.Mailing
	id      int64
	node    store.Node
	held    map[string]store.Leased // by address
}

func newSending(h *harness, email string, contacts int) sending {
	h.t.Helper()
	ctx := context.Background()
	s := sending{room: newRoom(h, email, contacts), held: map[string]store.Leased{}}
	s.mailing = s.room.mailing(every(mailing.Daily))
	var err error
	if s.id, err = h.app.SendNow(ctx, s.owner, s.mailing.ID); err != nil {
		h.t.Fatal(err)
	}
	for done := false; !done; {
		if done, err = h.store.FillRun(ctx, s.id, time.Now()); err != nil {
			h.t.Fatal(err)
		}
	}
	if s.node, err = h.store.StartNode(ctx, email, time.Now(), time.Now().Add(time.Hour)); err != nil {
		h.t.Fatal(err)
	}
	leased, err := h.store.Lease(ctx, s.node, s.id, time.Now(), contacts)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, d := range leased {
		s.held[d.Email] = d
	}
	return s
}

func (s sending) path(more string) string { return fmt.Sprintf("/runs/%d%s", s.id, more) }

func address(n int) string { return fmt.Sprintf("client%06d@example.com", n) }

// settle says what became of the n-th contact's mail.
func (s sending) settle(n int, state mailing.DeliveryState, result mailing.AttemptResult, reply mailing.Reply) {
	s.h.t.Helper()
	d := s.held[address(n)]
	o := store.Outcome{DeliveryID: d.ID, Epoch: s.node.Epoch, Tries: d.Tries, State: state, Attempt: &mailing.Attempt{
		DeliveryID: d.ID, RunID: s.id, MailingID: s.mailing.ID, OwnerID: s.owner.ID, Email: d.Email, At: time.Now(),
		Duration: 120 * time.Millisecond, Node: s.node.Name, Host: "mx.example.org:25", TLS: "TLS1.3", Stage: "dot",
		Result: result, Reply: reply,
	}}
	switch state {
	case mailing.Deferred:
		o.DueAt = time.Now().Add(5 * time.Minute)
	case mailing.Failed:
		o.Reason = mailing.ReasonRefused
	}
	if err := s.h.store.Settle(context.Background(), s.node, []store.Outcome{o}, time.Now()); err != nil {
		s.h.t.Fatal(err)
	}
}

var taken = mailing.Reply{Code: 250, Enhanced: "2.0.0", Text: "Ok: queued"}

// allOutcomes is a run of five of which one each is sent, deferred, refused, in
// doubt and not tried yet.
func allOutcomes(h *harness, email string) sending {
	s := newSending(h, email, 5)
	s.settle(1, mailing.Sent, mailing.AttemptAccepted, taken)
	s.settle(2, mailing.Deferred, mailing.AttemptDeferred, mailing.Reply{Code: 451, Enhanced: "4.7.1", Text: "Greylisted"})
	s.settle(3, mailing.Failed, mailing.AttemptFailed, mailing.Reply{Code: 550, Enhanced: "5.1.1", Text: "No such user\nnor ever was"})
	s.settle(4, mailing.InDoubt, mailing.AttemptInDoubt, mailing.Reply{})
	return s
}

func (s sending) delivery(n int) string {
	return s.path(fmt.Sprintf("/deliveries/%d", s.held[address(n)].ID))
}

func TestRun(t *testing.T) {
	h := newHarness(t)
	anna := allOutcomes(h, "anna@example.org")
	t.Run("it shows how far it has come, in numbers and last answers", func(t *testing.T) {
		p := anna.get(anna.path("")).expect(http.StatusOK)
		p.shows("h1", "Осенняя распродажа").shows(".page-lead", "Вручную").shows(".gauge", "3 из 5")
		for _, want := range []string{"1 Отправлено", "1 Не отправлено", "0 Пропущено", "1 Под вопросом", "1 Ждут", "1 Отложено"} {
			p.shows(".tallies", want)
		}
		p.shows(".answers", "250 2.0.0 Ok: queued").shows(".answers", "Ответа не было").shows(".note", "1 письмо под вопросом")
		if got := p.attr("#run-live", "hx-sse:connect"); !strings.HasPrefix(got, anna.path("/events?acts=")) {
			t.Errorf("it listens to %q", got)
		}
		p.shows("noscript", "Обновить страницу")
	})
	for tab, want := range map[string]string{
		"": "1 2 3 4 5", "waiting": "2 5", "sent": "1", "failed": "3", "in_doubt": "4", "skipped": "", "nonsense": "1 2 3 4 5",
	} {
		t.Run("the tab "+tab+" lists the recipients it is named for", func(t *testing.T) {
			p := anna.get(anna.path("?sort=email&state=" + tab)).expect(http.StatusOK)
			var got []string
			for n := range 5 {
				if strings.Contains(p.text("#list"), address(n+1)) {
					got = append(got, fmt.Sprint(n+1))
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("it lists %v, want %s", got, want)
			}
		})
	}
	t.Run("recipients are searched by address", func(t *testing.T) {
		p := anna.get(anna.path("?q=000003"))
		p.shows("#list", address(3)).shows("#list .state", "Не отправлено").shows("#list", "Нет такого ящика")
		anna.get(anna.path("?q=nobody")).shows("#list", "Здесь никого нет")
	})
	t.Run("a recipient's page has the server's whole answer", func(t *testing.T) {
		p := anna.get(anna.delivery(3)).expect(http.StatusOK)
		p.shows("h1", address(3)).shows("pre", "550 5.1.1 No such user nor ever was").shows(".card", "mx.example.org:25 · TLS1.3")
		anna.get(anna.delivery(5)).shows(".nothing-title", "Попыток ещё не было")
		anna.get(anna.delivery(2)).shows(".facts", "Следующая попытка")
	})
	t.Run("it speaks English too", func(t *testing.T) {
		p := anna.lang("en").get(anna.path(""))
		p.shows(".tallies", "1 In doubt").shows(".gauge", "3 of 5").shows(".note", "1 message is in doubt")
		anna.lang("ru")
	})
}

func TestRunOfAnother(t *testing.T) {
	h := newHarness(t)
	anna := allOutcomes(h, "anna@example.org")
	t.Run("to another user it is not there", func(t *testing.T) {
		boris := newSending(h, "boris@example.org", 1)
		for _, path := range []string{anna.path(""), anna.path("/events"), anna.delivery(1)} {
			boris.get(path).expect(http.StatusNotFound)
		}
		for _, path := range []string{anna.path("/cancel"), anna.path("/continue"), anna.delivery(4)} {
			boris.post(path, url.Values{"word": {"again"}}).expect(http.StatusNotFound)
		}
		// Another's delivery under one's own run.
		boris.get(boris.path(fmt.Sprintf("/deliveries/%d", anna.held[address(1)].ID))).expect(http.StatusNotFound)
	})
	t.Run("a manager sees all of it and changes nothing", func(t *testing.T) {
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		p := manager.get(anna.path("")).expect(http.StatusOK).shows(".answers", "Ok: queued")
		p.lacks("#cancel-run").lacks(`#list form[method=post]`)
		manager.get(anna.delivery(3)).expect(http.StatusOK).shows("pre", "No such user")
		manager.post(anna.path("/cancel"), nil).expect(http.StatusForbidden)
		manager.post(anna.delivery(4), url.Values{"word": {"sent"}}).expect(http.StatusForbidden)
	})
}

func TestRunActions(t *testing.T) {
	h := newHarness(t)
	ctx := context.Background()
	t.Run("a doubt is ended by the owner's word", func(t *testing.T) {
		anna := allOutcomes(h, "anna@example.org")
		on := anna.get(anna.path("?state=in_doubt"))
		on.shows("#list .row-actions", "Оно дошло").shows("#list .row-actions", "Отправить ещё раз")
		done := anna.post(anna.delivery(4), url.Values{"word": {"sent"}, "back": {on.path}}).expect(http.StatusSeeOther)
		anna.follow(done).shows(".flash", "отмечено как отправленное").shows(".tallies", "2 Отправлено")
		anna.get(anna.path("")).lacks("#run-live .note.tone-warning")
		anna.post(anna.delivery(4), url.Values{"word": {"nonsense"}}).expect(http.StatusUnprocessableEntity)
	})
	t.Run("what is in doubt can be sent again", func(t *testing.T) {
		boris := allOutcomes(h, "boris@example.org")
		on := boris.get(boris.delivery(4)).shows(".note", "Неизвестно, дошло ли")
		done := boris.post(on.path, url.Values{"word": {"again"}}).expect(http.StatusSeeOther)
		boris.follow(done).shows(".flash", "ещё раз").shows(".tallies", "2 Ждут")
	})
	t.Run("a run that the server refuses says why and can go on", func(t *testing.T) {
		eva := newSending(h, "eva@example.org", 2)
		if err := h.store.HaltRun(ctx, eva.id, "535 5.7.8 Authentication failed"); err != nil {
			t.Fatal(err)
		}
		on := eva.get(eva.path("")).shows(".note", "535 5.7.8 Authentication failed").shows(".note", "не принимает наши письма")
		done := eva.submit(on, `form[action="`+eva.path("/continue")+`"]`, nil).expect(http.StatusSeeOther)
		eva.follow(done).shows(".flash", "продолжается").lacks("#run-live .note")
	})
	t.Run("a run whose mailing is paused says what it waits for", func(t *testing.T) {
		gleb := newSending(h, "gleb@example.org", 2)
		gleb.post(at(gleb.mailing.ID, "/pause"), nil).expect(http.StatusSeeOther)
		gleb.get(gleb.path("")).shows("#run-live .note", "«Приостановлена»")
	})
	t.Run("a cancelled run sends nothing more", func(t *testing.T) {
		ivan := newSending(h, "ivan@example.org", 300)
		on := ivan.get(ivan.path(""))
		done := ivan.submit(on, `form[action="`+ivan.path("/cancel")+`"]`, nil).expect(http.StatusSeeOther)
		p := ivan.follow(done).shows(".flash", "отменена").shows("#run-live .state", "Отменён")
		p.lacks("#cancel-run")
		if strings.Contains(p.body, "hx-sse:connect") {
			t.Error("the page goes on listening")
		}
	})
}

// listen asks for a run's events over a real connection. The function returned
// gives the next event: its name, and its data as a page.
func (s sending) listen(ctx context.Context) func() (string, *page) {
	t := s.h.t
	t.Helper()
	server := httptest.NewServer(s.h.web)
	t.Cleanup(server.Close) // waits until the handler has ended
	in, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+s.path("/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range s.jar.Cookies(&url.URL{Scheme: "http", Host: s.host, Path: "/"}) {
		in.AddCookie(cookie)
	}
	answer, err := server.Client().Do(in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() }) // it is read to its end, or cut off
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("the answer is %d %s", answer.StatusCode, got)
	}
	lines := bufio.NewScanner(answer.Body)
	return func() (string, *page) { return nextEvent(s.h, lines) }
}

// nextEvent reads one event; "end" at the end.
func nextEvent(h *harness, lines *bufio.Scanner) (string, *page) {
	h.t.Helper()
	name, data, seen := "", &strings.Builder{}, false
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "event":
			name, seen = value, true
		case field == "data":
			data.WriteString(value + "\n")
			seen = true
		case field == "" && value == "" && seen:
			out := httptest.NewRecorder()
			out.WriteString(data.String())
			return name, h.page("event", out)
		}
	}
	return "end", nil
}

// outWithin is how soon who is blocked sees no more: a second is promised, and slow
// machines are given four.
const outWithin = 5 * time.Second

func TestRunEvents(t *testing.T) {
	h := newHarness(t)
	t.Run("they follow the run until it is over, and then have the page loaded anew", func(t *testing.T) {
		anna := newSending(h, "anna@example.org", 2)
		next := anna.listen(context.Background())
		_, first := next()
		first.shows(".gauge", "0 из 2").lacks("h1")
		anna.settle(1, mailing.Sent, mailing.AttemptAccepted, taken)
		_, second := next()
		second.shows(".gauge", "1 из 2").shows(".answers", address(1))
		anna.settle(2, mailing.Sent, mailing.AttemptAccepted, taken)
		_, last := next()
		last.shows(".gauge", "2 из 2").shows(".state", "Завершён")
		if name, _ := next(); name != "done" {
			t.Errorf("then comes %q", name)
		}
		if name, _ := next(); name != "end" {
			t.Errorf("and then %q", name)
		}
	})
	t.Run("of a run that is over there is one", func(t *testing.T) {
		boris := newSending(h, "boris@example.org", 1)
		boris.settle(1, mailing.Sent, mailing.AttemptAccepted, taken)
		p := boris.get(boris.path("/events")).expect(http.StatusOK)
		if got := strings.Count(p.body, "\n\n"); got != 2 || !strings.Contains(p.body, "event: done") {
			t.Errorf("%d events: %s", got, p.body)
		}
	})
	t.Run("who is blocked sees no more", func(t *testing.T) {
		eva := newSending(h, "eva@example.org", 2)
		next := eva.listen(context.Background())
		next()
		if err := h.store.Block(context.Background(), eva.owner.ID, 0, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		blocked := time.Now()
		eva.get(eva.path("")).expect(http.StatusSeeOther)
		eva.settle(1, mailing.Sent, mailing.AttemptAccepted, taken)
		if name, p := next(); name != "done" || p.text("body") != "" {
			t.Errorf("then comes %q %s", name, p.text("body"))
		}
		if name, _ := next(); name != "end" {
			t.Errorf("and then %q", name)
		}
		if took := time.Since(blocked); took > outWithin {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("they end when the browser goes away", func(t *testing.T) {
		ctx, leave := context.WithCancel(context.Background())
		next := newSending(h, "gleb@example.org", 2).listen(ctx)
		next()
		leave() // the cleanup of listen hangs unless the handler ends
	})
}
