package app

import (
	"context"
	"time"

	"vestnik/internal/cache"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// SentDay is how many mails of mailings went out by runs that began on a day.
type SentDay struct {
	Day   mailing.Date
	Mails int64
}

// SentDays counts what the actor's mailings have sent, or everybody's, on each of the last
// days of the zone, today being the last.
func (a *App) SentDays(ctx context.Context, actor mailing.Account, everyone bool, days int, zone *time.Location) ([]SentDay, error) {
	owner, err := scope(actor, everyone, mailing.ViewAnyMailing)
	if err != nil {
		return nil, err
	}
	// A day more than is asked for, so that what is kept serves all zones.
	since := a.Now().Add(-time.Duration(days+1) * 24 * time.Hour).Truncate(store.SlotLength)
	key := numbersKey(owner)
	key.Name = "sent"
	slots, err := cache.Read(ctx, a.Cache, key, func(ctx context.Context) ([]store.SentSlot, error) {
		return a.store.SentSince(ctx, owner, since)
	})
	if err != nil {
		return nil, err
	}
	return byDay(slots, mailing.DateOf(a.Now().In(zone)).AddDays(1-days), days, zone), nil
}

// byDay adds up slots by the days of a zone, from the first on.
func byDay(slots []store.SentSlot, first mailing.Date, days int, zone *time.Location) []SentDay {
	list := make([]SentDay, days)
	index := make(map[mailing.Date]int, days)
	for i := range list {
		list[i].Day = first.AddDays(i)
		index[list[i].Day] = i
	}
	for _, slot := range slots {
		at := time.UnixMilli(slot.Slot * store.SlotLength.Milliseconds()).In(zone)
		if i, ok := index[mailing.DateOf(at)]; ok {
			list[i].Mails += slot.Mails
		}
	}
	return list
}

// Amiss is what somebody has to look after; each of the lists holds a few, the newest
// first.
type Amiss struct {
	Halted  []RunRow     // refused by the mail server
	Waiting []RunRow     // for their owner's day to be over, as many mails as they may send having gone out
	Doubted []RunRow     // with deliveries that wait for a person's word
	Failed  []RunRow     // at their end, without one mail that was accepted
	Stopped []MailingRow // paused or disabled by somebody else than their owner
}

// Empty reports whether all is well.
func (n Amiss) Empty() bool {
	return len(n.Halted)+len(n.Waiting)+len(n.Doubted)+len(n.Failed)+len(n.Stopped) == 0
}

const (
	// openLooked is among how many of the open runs those are looked for that do not get
	// on. Chosen: more than go on at once.
	openLooked = 20
	// failedFor is for how long a run that failed is told; chosen.
	failedFor = 7 * 24 * time.Hour
)

// Amiss finds what of the actor's things, or of everybody's, has to be looked after,
// most of each kind at once.
func (a *App) Amiss(ctx context.Context, actor mailing.Account, everyone bool, most int64) (n Amiss, err error) {
	owner, err := scope(actor, everyone, mailing.ViewAnyMailing)
	if err != nil {
		return n, err
	}
	open, err := a.store.OpenRuns(ctx, owner, openLooked)
	if err != nil {
		return n, err
	}
	if err := a.sortOpen(ctx, open, int(most), &n); err != nil {
		return n, err
	}
	if n.Doubted, err = a.store.DoubtedRuns(ctx, owner, most); err != nil {
		return n, err
	}
	if n.Failed, err = a.store.FailedRuns(ctx, owner, a.Now().Add(-failedFor), most); err != nil {
		return n, err
	}
	for _, status := range []mailing.Status{mailing.StatusDisabled, mailing.StatusPaused} {
		stopped := store.MailingFilter{Owner: owner, Status: status, Halted: true, Others: true}
		rows, _, err := a.store.Mailings(ctx, stopped, Page{Desc: true, Limit: most, Uncounted: true})
		if err != nil {
			return n, err
		}
		n.Stopped = append(n.Stopped, rows...)
	}
	for _, list := range [][]RunRow{n.Halted, n.Waiting, n.Doubted, n.Failed} {
		for i := range list {
			a.maskHalt(actor, &list[i].Run)
		}
	}
	return n, nil
}

// sortOpen notes those of the open runs that do not get on.
func (a *App) sortOpen(ctx context.Context, open []RunRow, most int, n *Amiss) error {
	for _, run := range open {
		if run.Halt != "" {
			if len(n.Halted) < most {
				n.Halted = append(n.Halted, run)
			}
			continue
		}
		if run.Counts.Waiting() == 0 || len(n.Waiting) == most {
			continue
		}
		quota, err := a.quotaAwaited(ctx, run.Run)
		if err != nil {
			return err
		}
		if quota.PerDay > 0 {
			n.Waiting = append(n.Waiting, run)
		}
	}
	return nil
}
