package server_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

// greylist refuses the first try for every recipient, and all for those whose
// address begins with "gone".
type greylist struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (g *greylist) answer(stage smtpsink.Stage, e smtpsink.Envelope) smtpsink.Reply {
	if stage != smtpsink.StageRcpt {
		return smtpsink.Reply{}
	}
	to := e.To[len(e.To)-1]
	if strings.HasPrefix(to, "gone") {
		return smtpsink.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such mailbox"}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen[to] {
		return smtpsink.Reply{}
	}
	g.seen[to] = true
	return smtpsink.Reply{Code: 451, Enhanced: "4.7.1", Text: "greylisted, come again"}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		const n = 20
		h := newHouse(t, url)
		storetest.Contacts(t, h.store, h.owner.ID, n)
		storetest.Contact(t, h.store, h.owner.ID, "gone@example.com")
		s := newSink(t, smtpsink.Options{Answer: (&greylist{seen: map[string]bool{}}).answer})
		h.serve(s.Addr())
		run := h.sendNow(h.mailing(mailing.NeverTwice))
		await(t, 30*time.Second, "all were tried once", func() bool { return len(h.log(run)) == n+1 })

		t.Run("what a server defers is tried again five minutes later, and the log says why", func(t *testing.T) {
			h.in(t).checkDeferred(run, n)
		})
		t.Run("nothing is tried before its time", func(t *testing.T) {
			if s.Count() != 0 || len(h.log(run)) != n+1 {
				t.Errorf("%d were sent and %d tried, want none and %d", s.Count(), len(h.log(run)), n+1)
			}
		})
		// Five minutes pass.
		_, err := h.store.Writer().ExecContext(t.Context(), "update deliveries set due_at = due_at - 300000 where run_id = $1 and state = 1", run)
		if err != nil {
			t.Fatal(err)
		}
		h.awaitEnd(run, 30*time.Second)
		t.Run("the second try arrives, and the run ends by itself", func(t *testing.T) {
			h := h.in(t)
			h.account(run, s.Copies(), 1)
			if c := h.run(run).Counts; c.Sent != n || c.Failed != 1 {
				t.Errorf("the run counts %+v, want %d sent and 1 failed", c, n)
			}
			if tries := len(h.log(run)); tries != 2*n+1 {
				t.Errorf("%d attempts are on record, want %d", tries, 2*n+1)
			}
		})
		t.Run("a mailbox that is not there is tried once, and the client is marked", func(t *testing.T) {
			h.in(t).checkGone(run)
		})
	})
}

func (h *house) checkDeferred(run int64, n int) {
	h.t.Helper()
	due := map[int64]time.Time{}
	for _, d := range h.deliveries(run) {
		if d.State == mailing.Deferred {
			due[d.ID] = d.DueAt
		}
	}
	if len(due) != n {
		h.t.Errorf("%d are deferred, want %d", len(due), n)
	}
	for _, a := range h.log(run) {
		if strings.HasPrefix(a.Email, "gone") {
			continue
		}
		if a.Result != mailing.AttemptDeferred || a.Stage != "rcpt" || a.Reply.String() != "451 4.7.1 greylisted, come again" {
			h.t.Errorf("an attempt says %+v", a)
		}
		if wait := due[a.DeliveryID].Sub(a.At); wait < 5*time.Minute || wait > 5*time.Minute+30*time.Second {
			h.t.Errorf("%s is tried again after %s, want five minutes", a.Email, wait)
		}
	}
}

func (h *house) checkGone(run int64) {
	h.t.Helper()
	var tries []mailing.Attempt
	for _, a := range h.log(run) {
		if a.Email == "gone@example.com" {
			tries = append(tries, a)
		}
	}
	if len(tries) != 1 || tries[0].Result != mailing.AttemptFailed || tries[0].Reply.String() != "550 5.1.1 no such mailbox" {
		h.t.Errorf("its attempts are %+v, want one that failed with the server's words", tries)
	}
	for _, d := range h.deliveries(run) {
		if d.Email == "gone@example.com" && (d.State != mailing.Failed || d.Tries != 1) {
			h.t.Errorf("its delivery is %s after %d tries", d.State, d.Tries)
		}
	}
	marked, err := h.store.Suppressed(h.t.Context(), h.owner.ID, "gone@example.com")
	if err != nil || !marked {
		h.t.Errorf("the client is marked: %v, %v", marked, err)
	}
}
