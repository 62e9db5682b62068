package app

import (
	"context"
	"slices"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Slowness is why an open run is not over yet, in the words below "slow.".
type Slowness struct {
	Kind  string        // one of those below, or of store.Hindrance
	Name  string        // of the road or the provider; empty: it is not for everybody
	Why   string        // the server's answer, with its addresses masked
	Cause mailing.Cause // of SlowDeferred
	Until time.Time     // when it goes on; zero: not known
	Limit int64         // mails a second
	Count int64         // deliveries that it is about
}

// The kinds of slowness, besides those of store.Hindrance.
const (
	SlowHeld      = "database_held" // nothing is sent from a database that was restored
	SlowNoNode    = "no_node"       // nobody sends
	SlowStopped   = "stopped"       // a relay, until a person has looked
	SlowRefused   = "refused"       // a site's policy
	SlowPerSecond = "per_second"    // the relays' own limit
	SlowDeferred  = "deferred"      // servers have asked to come back
)

// slownessMost is how many reasons are told of one kind. Chosen.
const slownessMost = 3

// slowness finds out why what is left of an open run takes its time.
func (a *App) slowness(ctx context.Context, v RunView, answers []mailing.Attempt, next time.Time) (list []Slowness, err error) {
	now := a.Now()
	if hold, err := a.store.Hold(ctx); err != nil || hold.Holds(v.Run) {
		return []Slowness{{Kind: SlowHeld}}, err
	}
	if nodes, err := a.store.CountLiveNodes(ctx, now); err != nil || nodes == 0 {
		return []Slowness{{Kind: SlowNoNode}}, err
	}
	if v.Waiting > 0 {
		if list, err = a.slowRoads(ctx, v.Waiting, now); err != nil {
			return nil, err
		}
	}
	if v.Deferred > 0 {
		list = append(list, Slowness{Kind: SlowDeferred, Cause: causeOfMost(answers), Until: next, Count: v.Deferred})
	}
	return list, nil
}

// slowRoads is what the ways out have to say.
func (a *App) slowRoads(ctx context.Context, waiting int64, now time.Time) (list []Slowness, err error) {
	relays, err := a.store.Relays(ctx)
	if err != nil {
		return nil, err
	}
	relays = slices.DeleteFunc(relays, func(r store.Relay) bool { return !r.Enabled })
	for _, relay := range relays {
		if relay.Trouble != "" {
			list = append(list, Slowness{Kind: SlowStopped, Name: relay.Name, Why: mailing.MaskText(relay.Trouble, "")})
		}
	}
	hindrances, err := a.store.Hindrances(ctx, now)
	if err != nil {
		return nil, err
	}
	for _, h := range hindrances {
		list = append(list, Slowness{Kind: h.Kind, Name: h.Name, Why: h.Why, Until: h.Until})
	}
	troubles, err := a.store.SiteTroubles(ctx, now)
	if err != nil {
		return nil, err
	}
	for _, t := range troubles {
		list = append(list, Slowness{Kind: SlowRefused, Name: t.Name, Why: mailing.MaskText(t.Why, ""), Until: t.Until})
	}
	list = fewOfEach(list)
	if limit := perSecond(relays); limit > 0 && waiting > limit {
		list = append(list, Slowness{Kind: SlowPerSecond, Limit: limit})
	}
	return list, nil
}

// slowForOthers is what those are told who do not keep the relays: the answers may be to
// others' mails, and a domain that few share may be where others' clients are.
func slowForOthers(list []Slowness) []Slowness {
	for i, s := range list {
		list[i].Why = ""
		if !mailing.IsKnownProvider(s.Name) {
			list[i].Name = ""
		}
	}
	return fewOfEach(list)
}

// fewOfEach leaves one of those that several nodes tell, and few of a kind.
func fewOfEach(list []Slowness) (few []Slowness) {
	type name struct{ kind, name string }
	seen, kinds := map[name]bool{}, map[string]int{}
	for _, s := range list {
		if of := (name{s.Kind, s.Name}); !seen[of] && kinds[s.Kind] < slownessMost {
			seen[of] = true
			kinds[s.Kind]++
			few = append(few, s)
		}
	}
	return few
}

// perSecond is how many mails may leave in a second by all relays that are not stopped
// together; 0: there is no limit.
func perSecond(relays []store.Relay) (sum int64) {
	for _, relay := range relays {
		switch {
		case relay.Trouble != "":
		case relay.PerSecond == 0:
			return 0
		default:
			sum += int64(relay.PerSecond)
		}
	}
	return sum
}

// causeOfMost is why most of the attempts were put off.
func causeOfMost(answers []mailing.Attempt) (most mailing.Cause) {
	counts := map[mailing.Cause]int{}
	for _, a := range answers {
		if a.Result != mailing.AttemptDeferred {
			continue
		}
		cause := a.Cause()
		if counts[cause]++; counts[cause] > counts[most] {
			most = cause
		}
	}
	return most
}
