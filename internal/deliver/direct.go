package deliver

import (
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"sync"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/transport"
)

// Router finds the mail servers of recipients, for a road that hands mail to them
// directly.
type Router interface {
	// Route returns where the mail for a domain goes. It is asked for every mail. The
	// error is an *Unroutable when there is nobody to hand it to.
	Route(ctx context.Context, domain string) (*Destination, error)
}

// Destination is where the mail of a domain goes. Those with the same Site share its
// limits; those with the same Sender share its sessions.
type Destination struct {
	Site        string // the provider's key
	Name        string // of the provider, for people
	Sender      Sender
	Connections int // that the site is given by this node
	Limits      Limits
	Judge       func(mailing.Reply, transport.Stage) Judgement // reads an answer of the site
}

// Judgement is what an answer means, for the mail and for its way.
type Judgement struct {
	mailing.Verdict
	RetryAfter time.Duration // when the mail may be tried again at the earliest; 0: as usual
	TooFast    bool          // fewer mails should be on the wire at once
	// Policy: the site does not want mail from us, or not so much. Slowing down does
	// not help any more, so it is left alone for longer each time, and a person should
	// know.
	Policy bool
}

// Unroutable says why there is no way to a domain, as a mail server would have.
type Unroutable struct{ Result transport.Result }

func (e *Unroutable) Error() string { return e.Result.Reply.String() }

// routers is how many routes are looked for at once: a name server may take seconds
// for one. Chosen.
const routers = 32

// sites are the lanes of a direct road, one for each site: a provider that is slow,
// or has trouble with us, holds up nobody else's mail.
type sites struct {
	mu      sync.Mutex
	lanes   map[string]*lane
	refused map[string]*gate // of sites without a lane whose policy refused us lately
	closed  bool
	swept   time.Time
}

// idleAfter is when the lane of a site with nothing to send is closed. Chosen: a
// little more than its sessions are kept.
const idleAfter = time.Minute

// routeAll takes what the direct lane is given to the lanes of its sites.
func (l *lane) routeAll(ctx context.Context, urgent, bulk <-chan job) {
	w := worker{lane: l, ctx: ctx, urgent: urgent, bulk: bulk}
	for {
		j, ok := w.await()
		if !ok {
			return
		}
		w.route(&j)
	}
}

func (w *worker) route(j *job) {
	w.busy.Add(1)
	defer w.busy.Add(-1)
	if w.ctx.Err() != nil || w.isClosed() || j.Unmailable != "" {
		w.settleUnsent(j)
		return
	}
	begun := time.Now()
	destination, err := w.road.Router.Route(w.ctx, domainOf(j.Email))
	var unroutable *Unroutable
	switch {
	case err == nil:
		j.destination = destination
		w.sent.Add(1)
		w.moved.Store(time.Now().UnixNano())
		w.giveToSite(j)
	case errors.As(err, &unroutable):
		unroutable.Result.Duration = time.Since(begun)
		w.outcomes <- w.outcome(j, unroutable.Result, nil)
	default: // the node is asked to stop
		w.outcomes <- w.handBack(j)
	}
}

// settleUnsent settles what is not to be sent, or not now.
func (w *worker) settleUnsent(j *job) {
	if j.Unmailable != "" {
		w.outcomes <- w.skip(j, j.Unmailable)
		return
	}
	w.outcomes <- w.handBack(j)
}

// giveToSite puts the mail into the lane of its site. When that has no room, the mail
// is handed back until there may be some.
func (l *lane) giveToSite(j *job) {
	if due, given := l.putToSite(j, time.Now()); !given {
		o := l.handBack(j)
		o.DueAt = due
		l.outcomes <- o
	}
}

// putToSite reports whether the lane of the mail's site took it, and else when it is
// to come again.
func (l *lane) putToSite(j *job, now time.Time) (due time.Time, given bool) {
	l.sites.mu.Lock()
	defer l.sites.mu.Unlock()
	if l.sites.closed {
		return now, false
	}
	site := l.sites.lanes[j.destination.Site]
	if site == nil {
		site = l.openSite(j.destination)
	}
	if site.put(*j, now) {
		return now, true
	}
	return site.book(j, now), false
}

// put gives a site's lane a mail if it has room. One that has not answered yet may
// never do so, and gets no more than one for each connection.
func (l *lane) put(j job, now time.Time) bool {
	if l.moved.Load() == 0 && len(l.bulk)+len(l.urgent) >= l.speed.most {
		return false
	}
	if l.stalled || !l.gate.open(now) || l.gate.limit(1, now) == 0 || now.UnixNano() < l.exhausted.Load() {
		return false
	}
	queue := l.bulk
	if j.run.Priority > mailing.PriorityBulk {
		queue = l.urgent
	}
	select {
	case queue <- j:
		l.gate.leased(now)
		l.given = now
		return true
	default:
		return false
	}
}

// openSite opens the lane of a site; l.sites.mu is held.
func (l *lane) openSite(d *Destination) *lane {
	connections := max(d.Connections, 1)
	site := newLane(l.Engine, l.road, connections, siteQueue(connections, d.Limits))
	site.site, site.limits, site.quotaID = d, d.Limits, siteQuota(l.node.Name, d.Site)
	if known := l.sites.refused[d.Site]; known != nil {
		site.gate = known
		delete(l.sites.refused, d.Site)
	}
	site.start(l.ctx)
	if l.sites.lanes == nil {
		l.sites.lanes = map[string]*lane{}
	}
	l.sites.lanes[d.Site] = site
	return site
}

// siteQuota names the account of a site's limits, which are those of one machine.
func siteQuota(node, site string) int64 {
	hash := fnv.New64a()
	hash.Write([]byte(node + "\x00" + site))
	return -int64(hash.Sum64()>>12) - 1 // those of relays are above 0
}

// siteQueue is how many mails may wait for a site: what it sends in heldFor, since all
// that a node holds when it dies is in doubt for the others. Of a site without a limit
// it is not known how fast it is: so many, and some more for each connection, as it
// sends until a run with nothing due is looked at again (restAfterNone), at a hundred a
// second. Chosen; there may be thousands of sites.
func siteQueue(connections int, limits Limits) int {
	if limits.PerSecond > 0 {
		return limits.PerSecond * int(heldFor/time.Second)
	}
	return 64 + 8*connections
}

// heldFor is for how long mails wait for a site in a node's hands. Chosen: several
// times as long as it may take until more is leased.
const heldFor = 3 * time.Second

// leastApart is how far apart mails come again to a site of which it is not known how
// fast it is. Chosen: it is soon known.
const leastApart = 5 * time.Millisecond

// booking is when the last mail of an owner that found no room comes again, and how
// many there were since one was expected last.
type booking struct {
	last  time.Time
	mails int
}

// book returns when a mail that finds no room should come again, each of an owner a
// little later than the one before, so that they do not all come at once. An owner
// does not wait behind what others have booked, nor urgent mail behind any.
func (l *lane) book(j *job, now time.Time) time.Time {
	maps.DeleteFunc(l.booked, func(_ int64, b *booking) bool { return b.last.Before(now) })
	b, urgent := l.booked[j.run.OwnerID], j.run.Priority > mailing.PriorityBulk
	if b == nil || urgent {
		b = &booking{}
	}
	apart := l.apart(b.mails+1, now)
	// A site that is silent is likely to be so for as long again.
	free := later(now.Add(max(apart, l.stillFor(now))), l.gate.until())
	free = later(free, time.Unix(0, l.exhausted.Load()))
	if l.stalled {
		free = later(free, now.Add(idleAfter))
	}
	if urgent {
		return free
	}
	if l.booked == nil {
		l.booked = map[int64]*booking{}
	}
	l.booked[j.run.OwnerID] = b
	b.mails++
	b.last = later(free, b.last.Add(apart))
	return b.last
}

// apart is how far apart mails should come that find no room, of which so many are
// booked: as the site sends them, and those beyond what it may get in an hour as it may
// get them.
func (l *lane) apart(booked int, now time.Time) time.Duration {
	apart := leastApart
	if l.throughput > 0 {
		apart = time.Duration(float64(time.Second) / l.throughput)
	}
	if second := l.limits.PerSecond; second > 0 {
		apart = max(apart, time.Second/time.Duration(second))
	}
	if hour := l.limits.PerHour; hour > 0 && (booked > hour || now.UnixNano() < l.exhausted.Load()) {
		apart = max(apart, time.Hour/time.Duration(hour))
	}
	return apart
}

// measure finds how fast the site is, from the times in which mails have waited for it:
// in others it may be as slow as they come.
func (l *lane) measure(now time.Time) {
	l.pace.adapt(l.sent.Load(), now)
	waits := len(l.bulk) > 0
	switch {
	case !waits || !l.waited:
		l.throughput = 0
	case l.throughput == 0:
		l.throughput = l.pace.rate
	default: // a second alone tells little of a few mails
		l.throughput = (3*l.throughput + l.pace.rate) / 4
	}
	l.waited = waits
}

// sweepSites closes the lanes of sites that have had nothing to send for a while,
// hands back what waits for a silent one, and, at the end, closes all.
func (l *lane) sweepSites(now time.Time, all bool) {
	l.sites.mu.Lock()
	defer l.sites.mu.Unlock()
	if !all && now.Sub(l.sites.swept) < time.Second {
		return // there may be very many
	}
	l.sites.swept = now
	l.sites.closed = l.sites.closed || all
	maps.DeleteFunc(l.sites.refused, func(_ string, g *gate) bool { return !g.isRefused(now) })
	for key, site := range l.sites.lanes {
		site.measure(now)
		site.watch(now)
		idle := len(site.bulk)+len(site.urgent) == 0 && site.busy.Load() == 0 && now.Sub(site.given) > idleAfter
		if all || idle {
			delete(l.sites.lanes, key)
			l.sites.remember(key, site.gate, now)
			site.close()
			l.workers.Go(site.workers.Wait)
		}
	}
}

// remember keeps the gate of a site that refuses us, so that its next lane goes on
// where this one was; mu is held.
func (s *sites) remember(site string, g *gate, now time.Time) {
	if !g.isRefused(now) {
		return
	}
	if s.refused == nil {
		s.refused = map[string]*gate{}
	}
	s.refused[site] = g
}

// shun closes the lane of a site whose policy refuses us, for longer each time. When it
// has done so some times in a row, that is a trouble which pages tell.
func (l *lane) shun(a *mailing.Attempt, now time.Time) time.Time {
	until, inRow := l.gate.refuse(now)
	if inRow == 0 {
		return until
	}
	l.Log.Warn("site refuses us by its policy", "node", l.node.Name, "site", l.site.Site, "host", a.Host,
		"stage", a.Stage, "reply", a.Reply.String(), "until", until)
	if inRow < troubleAfter {
		return until
	}
	l.gate.tell() // before the ledger is: what passes now has to end it
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	err := l.Store.PutSiteTrouble(ctx, store.SiteTrouble{
		RelayID: l.road.ID, Node: l.node.Name, Site: l.site.Site, Name: l.site.Name,
		Why: mailing.CleanLine(a.Reply.String()), Since: now, Until: until,
	})
	if err != nil {
		l.Log.Error("trouble with a site cannot be told", "site", l.site.Site, "error", err)
	}
	if !l.gate.isTold() { // a mail has passed meanwhile
		l.endTrouble()
	}
	return until
}

// passed opens the gate, and ends the trouble of a site if there was one.
func (l *lane) passed() {
	if l.gate.passed() {
		l.Log.Info("site takes our mail again", "node", l.node.Name, "site", l.site.Site)
		l.endTrouble()
	}
}

func (l *lane) endTrouble() {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if err := l.Store.EndSiteTrouble(ctx, l.road.ID, l.node.Name, l.site.Site); err != nil {
		l.Log.Error("the end of a trouble with a site cannot be told", "site", l.site.Site, "error", err)
	}
}
