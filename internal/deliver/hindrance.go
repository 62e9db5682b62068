package deliver

import (
	"context"
	"slices"
	"sync"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// hindrances are what keeps this node's lanes from sending as fast as they could, for the
// pages of runs. The one who feeds looks, and the one who watches tells the ledger.
type hindrances struct {
	mu     sync.Mutex
	list   []store.Hindrance
	looked time.Time
	told   []store.Hindrance
	isTold bool // anything has been told
}

// hindrancesEvery is how often lanes are asked: as soon as an eye wants to know.
const hindrancesEvery = time.Second

// hindrancesMost is how many are told: there may be thousands of sites. Chosen.
const hindrancesMost = 20

// look asks the lanes.
func (h *hindrances) look(lanes []*lane, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.looked) < hindrancesEvery {
		return
	}
	h.looked = now
	was := h.list
	h.list = nil
	for _, l := range lanes {
		h.list = append(h.list, l.hindrances(now)...)
	}
	h.list = h.list[:min(len(h.list), hindrancesMost)]
	for i := range h.list {
		one := &h.list[i]
		before := slices.IndexFunc(was, func(w store.Hindrance) bool {
			return w.RoadID == one.RoadID && w.Site == one.Site && w.Kind == one.Kind
		})
		if before >= 0 {
			one.Since = was[before].Since
		}
	}
}

// tellHindrances tells the ledger when they have changed.
func (e *Engine) tellHindrances(ctx context.Context, now time.Time) {
	h := &e.hindrances
	h.mu.Lock()
	list := h.list
	same := h.isTold && slices.Equal(list, h.told)
	h.mu.Unlock()
	if same {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := e.Store.PutHindrances(ctx, e.node.Name, list, now); err != nil {
		e.Log.Warn("what hinders sending cannot be told", "node", e.node.Name, "error", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told, h.isTold = list, true
}

// hindrances are those of the lane and of its sites.
func (l *lane) hindrances(now time.Time) (list []store.Hindrance) {
	if one, hindered := l.hindrance(now); hindered {
		list = append(list, one)
	}
	l.sites.mu.Lock()
	defer l.sites.mu.Unlock()
	for _, site := range l.sites.lanes {
		if one, hindered := site.hindrance(now); hindered {
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(a, b store.Hindrance) int { return a.Since.Compare(b.Since) })
	return list
}

// hindrance is the weightiest of the lane's own.
func (l *lane) hindrance(now time.Time) (h store.Hindrance, hindered bool) {
	h = store.Hindrance{RoadID: l.road.ID, Name: l.road.Name, Since: wholeMillis(now)}
	if l.site != nil {
		h.Site, h.Name = l.site.Site, l.site.Name
	}
	complaint := ""
	if said := l.complaint.Load(); said != nil {
		complaint = *said
	}
	switch exhausted := time.Unix(0, l.exhausted.Load()); {
	case l.stalled:
		h.Kind = store.HindranceSilent
	case exhausted.After(now):
		h.Kind, h.Until = store.HindranceLimit, wholeMillis(exhausted)
	case l.gate.isTrying():
		h.Kind, h.Until, h.Why = store.HindranceClosed, wholeMillis(l.gate.until()), complaint
	case l.speed.isSlowed():
		h.Kind, h.Why = store.HindranceSlowed, complaint
	default:
		return h, false
	}
	return h, true
}

// wholeMillis is the time as the ledger keeps it.
func wholeMillis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// complains remembers what the server said of us last, for anybody to read.
func (l *lane) complains(a *mailing.Attempt) {
	said := mailing.MaskText(mailing.CleanLine(a.Reply.String()), a.Email)
	l.complaint.Store(&said)
}

// isSlowed reports whether the server has asked to be slower, and full speed is not back.
func (s *speed) isSlowed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width < s.limit
}
