package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// deferSince has the n-th contact's mail tried again at a moment that is over.
func (s sending) deferSince(n int, due time.Time) {
	s.h.t.Helper()
	d := s.held[address(n)]
	o := store.Outcome{DeliveryID: d.ID, Epoch: s.node.Epoch, Tries: d.Tries, State: mailing.Deferred, DueAt: due}
	if err := s.h.store.Settle(context.Background(), s.node, []store.Outcome{o}, time.Now()); err != nil {
		s.h.t.Fatal(err)
	}
}

func TestARunThatStandsSaysSo(t *testing.T) {
	h := newHarness(t)
	anna := newSending(h, "anna@example.org", 4)
	anna.settle(1, mailing.Sent, mailing.AttemptAccepted, taken)
	anna.deferSince(2, time.Now().Add(-4*time.Minute))
	anna.settle(3, mailing.Deferred, mailing.AttemptDeferred, mailing.Reply{Code: 451, Enhanced: "4.7.1", Text: "Greylisted"})
	live := "#run-live .cluster"
	anna.get(anna.path("")).shows(live, "Отправляется").shows(live, "в секунду").shows("#list", "Следующая попытка вот-вот")
	for _, stop := range []struct {
		do               []string
		lang, state, try string
	}{
		{[]string{"/pause"}, "ru", "Приостановлен", "Следующая попытка когда рассылку продолжат"},
		{[]string{"/resume", "/disable"}, "ru", "Отключён", "Следующая попытка когда рассылку включат"},
		{nil, "en", "Disabled", "Next try when the mailing is enabled"},
	} {
		h.run("a run is shown as "+stop.state, func(t *testing.T) {
			for _, do := range stop.do {
				anna.post(at(anna.mailing.ID, do), nil).expect(http.StatusSeeOther)
			}
			anna.lang(stop.lang)
			p := anna.get(anna.path("")).expect(http.StatusOK).shows(live, stop.state).shows("#list", stop.try).lacks("#run-live .form-hint")
			if words := p.text(live); words != stop.state {
				t.Errorf("it tells a speed: %q", words)
			}
			if strings.Count(p.text("#list"), stop.try) != 1 {
				t.Errorf("what waits for its time, too, is said to wait for a person: %s", p.text("#list"))
			}
			anna.get(anna.delivery(2)).shows(".facts", lastWords(stop.try))
			anna.get(at(anna.mailing.ID, "")).shows(".rows .state", stop.state)
			anna.get("/").shows("#latest .state", stop.state)
		})
	}
}

// lastWords are a sentence without its first two words.
func lastWords(sentence string) string { return strings.SplitN(sentence, " ", 3)[2] }

func TestWhileAllCanBeTakenBackNothingLessIsOffered(t *testing.T) {
	h := newHarness(t)
	r := newRoom(h, "anna@example.org", 2)
	m := r.mailing(every(mailing.Daily))
	on := r.follow(r.post(at(m.ID, "/send"), nil).expect(http.StatusSeeOther)).shows(".recall", "Не отправлять").lacks(".acts")
	t.Run("a pause in between can be ended", func(t *testing.T) {
		r.post(at(m.ID, "/pause"), url.Values{}).expect(http.StatusSeeOther)
		r.get(on.path).shows(".acts", "Продолжить").shows("#run-live .state", "Приостановлен").lacks("#cancel-run")
	})
}
