package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// reportStepRest is how many times as long as a step took the next one waits, in the
// background. Chosen.
const reportStepRest = 3

// reportProviders is how many providers are told apart. Chosen: as many as one reads.
const reportProviders = 10

// reportSlots are the slots of the time chart. The smallest is taken by which a run has
// no more than reportMost.
var reportSlots = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// reportMost is more bars than a phone can tell apart. Chosen.
const reportMost = 60

func slotFor(span time.Duration) time.Duration {
	for _, slot := range reportSlots {
		if span/slot < reportMost {
			return slot
		}
	}
	return reportSlots[len(reportSlots)-1]
}

// reportMaking is a report that is being made, in steps.
type reportMaking struct {
	*App
	ctx  context.Context
	run  mailing.Run
	rest int // how many times as long as a step took the next one waits
	r    Report

	rows      int64 // deliveries that are there
	dropped   int64 // of these, those that were tried and then skipped
	points    map[int64]*ReportPoint
	last      int64 // the slot in which the run ended
	providers map[string]*ReportProvider
	causes    map[mailing.Cause]*ReportCause
}

func (a *App) makeReport(ctx context.Context, run mailing.Run, rest int) (Report, error) {
	end := run.FinishedAt
	if end.IsZero() {
		end = a.Now()
	}
	m := &reportMaking{
		App: a, ctx: ctx, run: run, rest: rest, points: map[int64]*ReportPoint{},
		providers: map[string]*ReportProvider{}, causes: map[mailing.Cause]*ReportCause{},
	}
	m.r = Report{
		Counts: run.Counts, Over: !run.State.Open(), Slot: slotFor(end.Sub(run.CreatedAt)), MadeAt: a.Now(),
		Skipped: map[mailing.Reason]int64{},
	}
	m.last = end.UnixMilli() / m.r.Slot.Milliseconds()
	for _, part := range []func() error{m.tally, m.tellCauses, m.tellPutOff} {
		if err := part(); err != nil {
			return Report{}, err
		}
	}
	m.finish()
	return m.r, nil
}

// step does one of many, and rests after it.
func (m *reportMaking) step(do func() error) error {
	began := time.Now()
	err := do()
	took := time.Since(began)
	m.r.Took += took
	if err != nil || m.rest == 0 {
		return err
	}
	select {
	case <-m.ctx.Done():
		return m.ctx.Err()
	case <-time.After(time.Duration(m.rest) * took):
		return nil
	}
}

func (m *reportMaking) tally() error {
	for after, done := int64(store.NoContact), false; !done; {
		err := m.step(func() (err error) {
			var list []store.RunTally
			list, after, done, err = m.store.TallyRun(m.ctx, m.run.ID, after, m.r.Slot)
			for _, t := range list {
				m.add(t)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *reportMaking) add(t store.RunTally) {
	m.rows += t.Deliveries
	m.r.Tried += t.Tried
	m.r.Tries += t.Tries
	name := mailing.ProviderOf(t.Domain)
	p := m.providers[name]
	if p == nil {
		p = &ReportProvider{Name: name}
		m.providers[name] = p
	}
	one := ReportProvider{All: t.Deliveries, Tried: t.Tried, Tries: t.Tries}
	switch t.State {
	case mailing.Sent:
		one.Sent = t.Deliveries
		m.point(t.Slot).Sent += t.Deliveries
	case mailing.Failed:
		one.Failed = t.Deliveries
		m.point(t.Slot).Failed += t.Deliveries
	case mailing.Skipped:
		m.r.Skipped[t.Reason] += t.Deliveries
		m.dropped += t.Tried
	}
	p.add(one)
}

func (p *ReportProvider) add(other ReportProvider) {
	p.All, p.Sent, p.Failed = p.All+other.All, p.Sent+other.Sent, p.Failed+other.Failed
	p.Tried, p.Tries = p.Tried+other.Tried, p.Tries+other.Tries
}

// point is that of a slot. What a person decides when the run is over counts at its end.
func (m *reportMaking) point(slot int64) *ReportPoint {
	slot = min(slot, m.last)
	if m.points[slot] == nil {
		m.points[slot] = &ReportPoint{At: time.UnixMilli(slot * m.r.Slot.Milliseconds()).UTC()}
	}
	return m.points[slot]
}

// causeChunk is how many deliveries are looked at in one step, with their attempts.
const causeChunk = 1_000

// tellCauses asks of each delivery that was not sent what the server said last.
func (m *reportMaking) tellCauses() error {
	for _, state := range []mailing.DeliveryState{mailing.Failed, mailing.InDoubt, mailing.Deferred} {
		for after, done := int64(0), false; !done; {
			err := m.step(func() error {
				list, last, err := m.apart(m.ctx, m.run.ID, state, after, causeChunk)
				for _, d := range list {
					m.count(d, last[d.ID])
					after = d.ID
				}
				done = len(list) < causeChunk
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// apart lists deliveries of a run that something came in between, with the last attempts.
func (a *App) apart(ctx context.Context, runID int64, state mailing.DeliveryState, after, most int64) ([]mailing.Delivery, map[int64]mailing.Attempt, error) {
	list, err := a.store.DeliveriesApart(ctx, runID, state, after, most)
	if err != nil {
		return nil, nil, err
	}
	last, err := a.lastAttempts(ctx, list)
	return list, last, err
}

func (a *App) lastAttempts(ctx context.Context, list []mailing.Delivery) (map[int64]mailing.Attempt, error) {
	ids := make([]int64, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	return a.store.LastAttempts(ctx, ids)
}

// CauseOf is why a delivery was not sent, by the last attempt at it; none when it was, or
// was not tried.
func CauseOf(d mailing.Delivery, last mailing.Attempt) mailing.Cause {
	switch {
	case d.State == mailing.InDoubt:
		return mailing.CauseInDoubt
	case d.State != mailing.Failed && d.State != mailing.Deferred:
		return mailing.CauseNone
	case last.Cause() == mailing.CauseNone:
		return mailing.CauseUnknown
	}
	return last.Cause()
}

func (m *reportMaking) count(d mailing.Delivery, last mailing.Attempt) {
	c := m.cause(CauseOf(d, last), last)
	switch d.State {
	case mailing.Failed:
		c.Failed++
	case mailing.InDoubt:
		c.InDoubt++
	case mailing.Deferred:
		c.Waiting++
	}
}

func (m *reportMaking) cause(cause mailing.Cause, a mailing.Attempt) *ReportCause {
	c := m.causes[cause]
	if c == nil {
		c = &ReportCause{Cause: cause}
		m.causes[cause] = c
	}
	if c.Example == "" {
		c.Example = exampleOf(a)
	}
	return c
}

// exampleRunes is how much of an answer is an example. Chosen: all of most.
const exampleRunes = 400

// exampleOf is an answer that anybody may read.
func exampleOf(a mailing.Attempt) string {
	text := mailing.MaskText(a.Reply.String(), a.Email)
	if utf8.RuneCountInString(text) > exampleRunes {
		text = string([]rune(text)[:exampleRunes]) + "…"
	}
	return text
}

// tellPutOff counts the attempts that servers have put off. When each delivery was tried
// once there are none but those that wait, unless they were skipped since, and no attempt
// has to be looked at.
func (m *reportMaking) tellPutOff() error {
	if m.r.Tries == m.r.Tried && m.dropped == 0 {
		for _, c := range m.causes {
			c.PutOff = c.Waiting
		}
		return nil
	}
	for after, done := int64(0), false; !done; {
		err := m.step(func() (err error) {
			var list []mailing.Attempt
			list, after, done, err = m.store.PutOff(m.ctx, m.run.ID, after)
			for _, a := range list {
				m.cause(a.Cause(), a).PutOff++
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *reportMaking) finish() {
	m.r.Partly = m.rows < m.run.Counts.Audience && m.r.Over
	if m.r.Partly {
		return // some of it would be told as if it were all
	}
	m.finishPoints()
	m.finishProviders()
	for _, c := range m.causes {
		m.r.Causes = append(m.r.Causes, *c)
	}
	slices.SortFunc(m.r.Causes, func(a, b ReportCause) int {
		return cmp.Or(cmp.Compare(b.Failed+b.InDoubt, a.Failed+a.InDoubt), cmp.Compare(b.Waiting, a.Waiting),
			cmp.Compare(b.PutOff, a.PutOff), cmp.Compare(a.Cause, b.Cause))
	})
}

func (m *reportMaking) finishPoints() {
	slots := slices.Sorted(maps.Keys(m.points))
	if len(slots) == 0 {
		return
	}
	for slot := slots[0]; slot <= slots[len(slots)-1]; slot++ {
		m.r.Points = append(m.r.Points, *m.point(slot))
	}
}

func (m *reportMaking) finishProviders() {
	for _, p := range m.providers {
		m.r.Providers = append(m.r.Providers, *p)
	}
	slices.SortFunc(m.r.Providers, func(a, b ReportProvider) int {
		return cmp.Or(cmp.Compare(b.All, a.All), cmp.Compare(a.Name, b.Name))
	})
	if len(m.r.Providers) <= reportProviders+1 {
		return
	}
	for _, p := range m.r.Providers[reportProviders:] {
		m.r.Rest.add(p)
	}
	m.r.RestOf = int64(len(m.r.Providers) - reportProviders)
	m.r.Providers = m.r.Providers[:reportProviders]
}
