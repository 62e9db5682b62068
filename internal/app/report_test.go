package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// sentRun is a run that a node sends as the test says.
type sentRun struct {
	*house
	t       *testing.T
	owner   mailing.Account
	mailing mailing.Mailing
	node    store.Node
	id      int64
	held    map[string]store.Leased
}

func newSentRun(t *testing.T, h *house, emails ...string) *sentRun {
	t.Helper()
	r := &sentRun{house: h, t: t, held: map[string]store.Leased{}, owner: h.person(t, "owner@example.org", mailing.RoleUser)}
	for _, email := range emails {
		storetest.Contact(t, h.store, r.owner.ID, email)
	}
	r.mailing = storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: r.owner.ID})
	r.node = storetest.Node(t, h.store, "one")
	r.id = storetest.Run(t, h.store, r.mailing).ID
	r.lease()
	return r
}

func (r *sentRun) lease() {
	r.t.Helper()
	list, err := r.store.Lease(r.t.Context(), r.node, r.id, r.now, 10_000)
	must(r.t, err)
	for _, d := range list {
		r.held[d.Email] = d
	}
}

func (r *sentRun) settle(state mailing.DeliveryState, reply mailing.Reply, emails ...string) {
	r.t.Helper()
	results := map[mailing.DeliveryState]mailing.AttemptResult{
		mailing.Sent: mailing.AttemptAccepted, mailing.Failed: mailing.AttemptFailed,
		mailing.Deferred: mailing.AttemptDeferred, mailing.InDoubt: mailing.AttemptInDoubt,
	}
	var outcomes []store.Outcome
	for _, email := range emails {
		d := r.held[email]
		o := store.Outcome{DeliveryID: d.ID, Epoch: r.node.Epoch, Tries: d.Tries, State: state, Attempt: &mailing.Attempt{
			DeliveryID: d.ID, RunID: r.id, MailingID: r.mailing.ID, OwnerID: r.owner.ID, Email: email, At: r.now, Node: r.node.Name,
			Host: "mx.example.org:25", Stage: "dot", Result: results[state], Reply: reply,
		}}
		switch state {
		case mailing.Failed:
			o.Reason = mailing.ReasonRefused
		case mailing.Deferred:
			o.DueAt = r.now.Add(5 * time.Minute)
		}
		outcomes = append(outcomes, o)
	}
	must(r.t, r.store.Settle(r.t.Context(), r.node, outcomes, r.now))
}

var (
	accepted   = mailing.Reply{Code: 250, Enhanced: "2.0.0", Text: "Ok"}
	noSuchUser = mailing.Reply{Code: 550, Enhanced: "5.1.1", Text: "<no@bk.ru>: no such user"}
	greylisted = mailing.Reply{Code: 451, Enhanced: "4.7.1", Text: "Greylisting in action"}
	blocked    = mailing.Reply{Code: 550, Enhanced: "5.7.1", Text: "blocked using zen.spamhaus.org"}
)

// openedRun is a run of ten of which some are sent, one was put off before, and one waits
// to be tried again.
func openedRun(t *testing.T, h *house) *sentRun {
	r := newSentRun(t, h, "a@mail.ru", "no@bk.ru", "no2@list.ru", "b@ya.ru", "c@yandex.ru", "d@gmail.com", "e@gmail.com",
		"f@example.org", "g@example.org", "late@example.org")
	r.settle(mailing.Deferred, greylisted, "f@example.org", "g@example.org")
	r.settle(mailing.Sent, accepted, "a@mail.ru", "b@ya.ru", "c@yandex.ru", "d@gmail.com")
	r.settle(mailing.Failed, noSuchUser, "no@bk.ru", "no2@list.ru")
	r.settle(mailing.Failed, blocked, "e@gmail.com")
	r.now = r.now.Add(10 * time.Minute)
	r.lease()
	r.settle(mailing.Sent, accepted, "f@example.org")
	r.settle(mailing.InDoubt, mailing.Reply{}, "late@example.org")
	return r
}

func TestReport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		r := openedRun(t, h)
		ctx := t.Context()
		report := func() app.ReportView {
			t.Helper()
			v, err := h.Report(ctx, r.owner, r.id)
			must(t, err)
			return v
		}
		t.Run("while it is open it tells what there is", func(t *testing.T) {
			v := report()
			if v.Over || v.Making || v.Tried != 10 || v.Tries != 11 {
				t.Errorf("it is %+v", v.Report)
			}
		})
		r.settle(mailing.Deferred, greylisted, "g@example.org")
		r.now = r.now.Add(time.Hour)
		r.lease()
		r.settle(mailing.Failed, greylisted, "g@example.org") // tried for too long
		t.Run("when it is over its numbers are the ledger's", func(t *testing.T) { r.compare(t, report()) })
		t.Run("it is made once", func(t *testing.T) {
			made := report().MadeAt
			r.now = r.now.Add(time.Hour)
			if again := report().MadeAt; !again.Equal(made) {
				t.Errorf("it is made again at %v", again)
			}
		})
		t.Run("and again when a person has changed the run", func(t *testing.T) {
			must(t, h.ResolveDoubt(ctx, r.owner, r.id, r.held["late@example.org"].ID, "sent"))
			v := report()
			r.compare(t, v)
			if v.Counts.InDoubt != 0 {
				t.Errorf("it counts %+v", v.Counts)
			}
		})
		t.Run("nobody else sees it", func(t *testing.T) {
			_, err := h.Report(ctx, h.person(t, "other@example.org", mailing.RoleUser), r.id)
			want(t, err, "not_found")
		})
	})
}

// compare checks a report of the run that is over against the rows themselves.
func (r *sentRun) compare(t *testing.T, v app.ReportView) {
	t.Helper()
	rows, err := r.store.CountDeliveries(t.Context(), r.id)
	must(t, err)
	var sent, failed, all, tries int64
	for _, p := range append(v.Providers, v.Rest) {
		sent, failed, all, tries = sent+p.Sent, failed+p.Failed, all+p.All, tries+p.Tries
	}
	if sent != rows[mailing.Sent] || failed != rows[mailing.Failed] || all != 10 || tries != int64(r.rows(t, "select count(*) from attempts where run_id = $1", r.id)) {
		t.Errorf("by provider %d sent, %d failed of %d in %d tries; the ledger has %v", sent, failed, all, tries, rows)
	}
	sent, failed = 0, 0
	for _, p := range v.Points {
		sent, failed = sent+p.Sent, failed+p.Failed
	}
	if sent != rows[mailing.Sent] || failed != rows[mailing.Failed] {
		t.Errorf("over time %d sent and %d failed; the ledger has %v", sent, failed, rows)
	}
	got := map[mailing.Cause]string{}
	var doubts int64
	for _, c := range v.Causes {
		doubts += c.InDoubt
		if c.Cause != mailing.CauseInDoubt {
			got[c.Cause] = fmt.Sprint(c.Failed, c.Waiting, c.PutOff)
		}
	}
	if s := fmt.Sprint(got); s != "map[blocklisted:1 0 0 greylisted:1 0 3 mailbox_unknown:2 0 0]" || doubts != rows[mailing.InDoubt] {
		t.Errorf("the causes are %s, and %d in doubt", s, doubts)
	}
	if name := v.Providers[0].Name + v.Providers[1].Name; !strings.Contains(name, "Mail.ru") && !strings.Contains(name, "example.org") {
		t.Errorf("the largest provider is %s", name)
	}
	if !v.Over || v.Counts.Audience != 10 || v.Partly {
		t.Errorf("it is %+v", v.Report)
	}
	for _, c := range v.Causes {
		if strings.Contains(c.Example, "no@bk.ru") {
			t.Errorf("an example names somebody: %s", c.Example)
		}
	}
}

func TestReportInTheBackground(t *testing.T) {
	h := newHouse(t)
	var asked []int64
	h.App.ReportSoon = func(_ context.Context, id int64) error {
		asked = append(asked, id)
		return nil
	}
	r := openedRun(t, h)
	ctx := t.Context()
	t.Run("it is asked for when a run has ended", func(t *testing.T) {
		h.RunsMoved(ctx, nil, []mailing.Run{{ID: r.id, MailingID: r.mailing.ID}, {ID: 7}})
		if fmt.Sprint(asked) != fmt.Sprint([]int64{r.id}) {
			t.Errorf("asked for are %v", asked)
		}
	})
	t.Run("what is kept is what would be made at once", func(t *testing.T) {
		must(t, h.MakeReport(ctx, r.id))
		v, err := h.Report(ctx, r.owner, r.id)
		must(t, err)
		if v.Tried != 10 || v.Took == 0 || v.Making {
			t.Errorf("it is %+v", v)
		}
	})
	t.Run("of a run that is gone there is none, and that is no fault", func(t *testing.T) { must(t, h.MakeReport(ctx, 1)) })
	t.Run("of a large run it is not made while somebody waits", func(t *testing.T) {
		asked = nil
		_, err := h.store.Writer().ExecContext(ctx, "update runs set audience = 100000 where id = $1", r.id)
		must(t, err)
		r.now = r.now.Add(time.Hour)
		v, err := h.Report(ctx, r.owner, r.id)
		must(t, err)
		if !v.Making || v.Tried != 10 || len(asked) != 1 {
			t.Errorf("it is %+v, asked for %v", v, asked)
		}
	})
	t.Run("when the details are gone, it says so and tells no part as the whole", func(t *testing.T) {
		_, err := h.store.Writer().ExecContext(ctx, "delete from deliveries where run_id = $1", r.id)
		must(t, err)
		must(t, h.store.CancelRun(ctx, r.id, r.now))
		must(t, h.MakeReport(ctx, r.id))
		v, err := h.Report(ctx, r.owner, r.id)
		must(t, err)
		if !v.Partly || len(v.Points)+len(v.Providers)+len(v.Causes) > 0 {
			t.Errorf("it is %+v", v)
		}
	})
}

func TestRecipientsOfACause(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		r := openedRun(t, h)
		ctx := t.Context()
		t.Run("they are listed page by page, each once", func(t *testing.T) {
			var got []string
			mark, more := app.RecipientMark{}, true
			for more {
				var list []app.Recipient
				var err error
				list, mark, more, err = h.RecipientsOf(ctx, r.owner, r.id, mailing.CauseMailboxUnknown, mark, 1)
				must(t, err)
				for _, one := range list {
					got = append(got, one.Email+" "+one.Last.Reply.Enhanced)
				}
			}
			if fmt.Sprint(got) != "[no@bk.ru 5.1.1 no2@list.ru 5.1.1]" && fmt.Sprint(got) != "[no2@list.ru 5.1.1 no@bk.ru 5.1.1]" {
				t.Errorf("listed are %q", got)
			}
		})
		t.Run("those that wait and those in doubt, too", func(t *testing.T) {
			for cause, email := range map[mailing.Cause]string{mailing.CauseInDoubt: "late@example.org", mailing.CauseBlocklisted: "e@gmail.com"} {
				list, _, more, err := h.RecipientsOf(ctx, r.owner, r.id, cause, app.RecipientMark{}, 10)
				must(t, err)
				if len(list) != 1 || list[0].Email != email || more {
					t.Errorf("of %s there are %+v", cause, list)
				}
			}
		})
		t.Run("a manager sees them masked where the settings say so", func(t *testing.T) {
			boss, manager := h.person(t, "boss@example.org", mailing.RoleAdmin), h.person(t, "manager@example.org", mailing.RoleManager)
			must(t, h.ChangeSettings(ctx, boss, map[string]string{"mask_clients": "true"}))
			list, _, _, err := h.RecipientsOf(ctx, manager, r.id, mailing.CauseMailboxUnknown, app.RecipientMark{}, 10)
			must(t, err)
			if text := fmt.Sprint(list); strings.Contains(text, "no@bk.ru") || !strings.Contains(text, "n…@b….ru") {
				t.Errorf("they see %s", text)
			}
			want(t, h.ExportRecipients(ctx, manager, r.id, nil, &strings.Builder{}, recipientWords), "forbidden")
		})
	})
}

var recipientWords = app.RecipientWords{
	Columns: []string{"recipient", "outcome"},
	Time:    func(at time.Time) string { return at.Format(time.DateTime) },
	State:   mailing.DeliveryState.String,
	Reason:  func(r mailing.Reason) string { return string(r) },
	Cause:   func(c mailing.Cause) string { return string(c) },
}

func TestExportRecipients(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		r := newSentRun(t, h, "a@mail.ru", "no@bk.ru", "wait@example.org")
		r.settle(mailing.Sent, accepted, "a@mail.ru")
		r.settle(mailing.Failed, mailing.Reply{Code: 550, Enhanced: "5.1.1", Text: "=cmd()"}, "no@bk.ru")
		export := func(who mailing.Account, states ...mailing.DeliveryState) (string, error) {
			var out strings.Builder
			err := h.ExportRecipients(t.Context(), who, r.id, states, &out, recipientWords)
			return out.String(), err
		}
		text, err := export(r.owner)
		must(t, err)
		for _, line := range []string{
			"recipient;outcome", "a@mail.ru;sent;;1;250;2.0.0;Ok;;mx.example.org:25;2026-11-23 09:00:00",
			"no@bk.ru;failed;refused;1;550;5.1.1;'=cmd();mailbox_unknown;mx.example.org:25;2026-11-23 09:00:00",
			"wait@example.org;waiting;;0;;;;;;0001-01-01 00:00:00",
		} {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("it has no line %q:\n%s", line, text)
			}
		}
		if text, err = export(r.owner, mailing.Failed); err != nil || strings.Count(text, "\n") != 2 {
			t.Errorf("of those that failed it has\n%s%v", text, err)
		}
		_, err = export(h.person(t, "other@example.org", mailing.RoleUser))
		want(t, err, "not_found")
		_, err = export(h.person(t, "admin@example.org", mailing.RoleAdmin))
		must(t, err)
		if n := r.rows(t, "select count(*) from deeds where action = 'run.export' and owner_id = $1", r.owner.ID); n != 3 {
			t.Errorf("%d deeds tell of it", n)
		}
	})
}

func TestSlowness(t *testing.T) {
	h := newHouse(t)
	r := openedRun(t, h)
	ctx := t.Context()
	slowFor := func(who mailing.Account) string {
		t.Helper()
		p, err := h.Progress(ctx, who, r.id)
		must(t, err)
		var kinds []string
		for _, s := range p.Slow {
			kinds = append(kinds, strings.Join(strings.Fields(s.Kind+" "+s.Name+" "+string(s.Cause)), " "))
		}
		return strings.Join(kinds, ", ")
	}
	slow := func() string { t.Helper(); return slowFor(r.owner) }
	alive := func(until time.Time) {
		t.Helper()
		_, err := h.store.KeepNodeAlive(ctx, r.node, until)
		must(t, err)
	}
	alive(r.now.Add(-time.Second))
	if got := slow(); got != "no_node" {
		t.Errorf("without a node it is slow by %s", got)
	}
	alive(r.now.Add(time.Hour))
	r.settle(mailing.Deferred, greylisted, "g@example.org")
	if got := slow(); got != "deferred greylisted" {
		t.Errorf("it is slow by %s", got)
	}
	// One more waits, and what is on its way by the relays counts.
	must(t, h.ResolveDoubt(ctx, r.owner, r.id, r.held["late@example.org"].ID, "again"))
	boss := h.person(t, "boss@example.org", mailing.RoleAdmin)
	id, err := h.CreateRelay(ctx, boss, app.RelaySettings{
		Kind: app.RelaySMTP, Name: "relay", Host: "mx.example.org", Port: 587, TLS: "starttls", FromEmail: "a@example.org", Weight: 10, Enabled: true,
	})
	must(t, err)
	must(t, h.store.PutHindrances(ctx, r.node.Name, []store.Hindrance{
		{RoadID: id, Kind: store.HindranceLimit, Name: "relay", Since: r.now, Until: r.now.Add(time.Hour)},
	}, r.now))
	must(t, h.store.PutSiteTrouble(ctx, store.SiteTrouble{RelayID: id, Node: "one", Site: "google", Name: "Gmail", Why: "no", Since: r.now, Until: r.now}))
	must(t, h.store.PutSiteTrouble(ctx, store.SiteTrouble{RelayID: id, Node: "one", Site: "b", Name: "their-own.example", Why: "no", Since: r.now, Until: r.now}))
	if got := slow(); got != "limit, refused Gmail, refused, deferred greylisted" {
		t.Errorf("for its owner it is slow by %s", got)
	}
	if got := slowFor(boss); got != "limit relay, refused Gmail, refused their-own.example, deferred greylisted" {
		t.Errorf("for an admin it is slow by %s", got)
	}
	_, err = h.store.StopRelay(ctx, id, "535 no", r.now)
	must(t, err)
	if got := slowFor(boss); !strings.HasPrefix(got, "stopped relay, limit relay") {
		t.Errorf("it is slow by %s", got)
	}
	must(t, h.store.HaltRun(ctx, r.id, "535 no"))
	if got := slow(); got != "" {
		t.Errorf("a run that is halted is slow by %s", got)
	}
}
