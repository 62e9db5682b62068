package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// Condition says how a part of the service is, to whoever runs it.
type Condition string

// The conditions, from the best to the worst.
const (
	Good      Condition = "good"
	Attention Condition = "attention" // somebody should look when there is time
	Bad       Condition = "bad"       // somebody should look now
)

// Bytes is an amount of data, as a value of Vital.With.
type Bytes int64

// Vital is one line on the health of the service.
type Vital struct {
	Part      string // "database": the texts are "health.database", and so on
	Name      string // which one, where there are several; empty: the only one
	Condition Condition
	Says      string         // the text "health.PART_SAYS"
	With      map[string]any // fills the text: int64, string, time.Time, time.Duration or Bytes
}

// Checkup looks after a part of the service and returns its lines. One that cannot be
// looked at is a line, too. It must not take long.
type Checkup func(ctx context.Context) []Vital

// checkupTime is how long a person waits for all of them.
const checkupTime = 10 * time.Second

// Health is how the service is, part by part: what the database knows, and what the
// composition root has asked for besides (Config.Checkups).
func (a *App) Health(ctx context.Context, actor mailing.Account) ([]Vital, error) {
	if err := mayManageService(actor); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkupTime)
	defer cancel()
	var all []Vital
	for _, look := range append([]Checkup{a.servicesVitals, a.nodesVitals, a.queueVitals, a.databaseVitals, a.relaysVitals}, a.Checkups...) {
		all = append(all, look(ctx)...)
	}
	return all, nil
}

// Failed is the line of a part that cannot be looked at.
func Failed(part string, err error) []Vital {
	return []Vital{{Part: part, Condition: Bad, Says: "failed", With: map[string]any{"why": mailing.CleanLine(err.Error())}}}
}

func (a *App) servicesVitals(ctx context.Context) []Vital {
	services, err := a.store.Services(ctx)
	if err != nil {
		return Failed("service", err)
	}
	var all []Vital
	for _, s := range services {
		v := Vital{Part: "service", Name: s.Host, Condition: Good, Says: "runs", With: map[string]any{
			"version": s.Version, "roles": strings.ReplaceAll(s.Roles, ",", ", "), "since": s.StartedAt, "until": s.AliveUntil,
		}}
		if s.AliveUntil.Before(a.Now()) {
			v.Condition, v.Says = Attention, "silent"
		}
		all = append(all, v)
	}
	return all
}

// nodeRemembered is how long a node that is gone is shown. Chosen: its deliveries are
// taken over within a minute, and a day later its end is no news.
const nodeRemembered = 24 * time.Hour

func (a *App) nodesVitals(ctx context.Context) []Vital {
	nodes, err := a.store.Nodes(ctx, a.Now().Add(-nodeRemembered))
	if err != nil {
		return Failed("node", err)
	}
	var all []Vital
	alive := 0
	for _, n := range nodes {
		v := Vital{Part: "node", Name: n.Name, Condition: Good, Says: "alive", With: map[string]any{
			"since": n.StartedAt, "until": n.AliveUntil, "left": n.AliveUntil.Sub(a.Now()).Truncate(time.Second),
		}}
		switch dead := n.AliveUntil.Before(a.Now()); {
		case !dead:
			alive++
		case n.Holds:
			v.Condition, v.Says = Attention, "holds"
		default:
			v.Says = "left"
		}
		all = append(all, v)
	}
	if alive == 0 {
		all = append(all, Vital{Part: "node", Condition: Bad, Says: "none"})
	}
	return all
}

// queueStuck is how long mail may wait for its next try before that is worth a look.
// Chosen: far longer than a node that works needs to get to it.
const queueStuck = 15 * time.Minute

func (a *App) queueVitals(ctx context.Context) []Vital {
	w, err := a.store.Workload(ctx, a.Now())
	if err != nil {
		return Failed("queue", err)
	}
	if w.Waiting == 0 {
		return []Vital{{Part: "queue", Condition: Good, Says: "empty", With: map[string]any{"runs": w.Runs}}}
	}
	v := Vital{Part: "queue", Condition: Good, Says: "waits", With: map[string]any{
		"runs": w.Runs, "waiting": w.Waiting, "in_hand": w.InHand, "due": w.Due, "later": w.Later, "oldest": w.Oldest,
	}}
	if w.InHand == 0 && w.Waiting > w.Later && a.Now().Sub(w.Oldest) > queueStuck {
		v.Condition = Attention
	}
	return []Vital{v}
}

// Limits of the database's answer and of its clock. A node's word about time is
// trusted to 20 seconds by the others; half of that is time to look. The rest is
// chosen: a database that answers in a quarter of a second makes slow pages, and one
// that takes two makes none.
const (
	slowAnswer  = 250 * time.Millisecond
	worstAnswer = 2 * time.Second
	clockAway   = time.Second
	clockWrong  = 10 * time.Second
)

func (a *App) databaseVitals(ctx context.Context) []Vital {
	asked := time.Now()
	f, err := a.store.DatabaseFacts(ctx)
	if err != nil {
		return Failed("database", err)
	}
	away := f.Clock.Sub(asked.Add(f.Latency / 2)).Abs().Truncate(time.Millisecond)
	return []Vital{
		{Part: "database", Condition: by(f.Latency, slowAnswer, worstAnswer), Says: "is", With: map[string]any{
			"kind": f.Kind, "version": f.Version, "size": Bytes(f.SizeBytes), "schema": f.Schema, "latency": max(f.Latency, time.Millisecond),
		}},
		{Part: "clock", Condition: by(away, clockAway, clockWrong), Says: "away", With: map[string]any{"away": away}},
	}
}

// by is the condition of a value that should be small.
func by(value, attention, bad time.Duration) Condition {
	switch {
	case value >= bad:
		return Bad
	case value >= attention:
		return Attention
	}
	return Good
}

func (a *App) relaysVitals(ctx context.Context) []Vital {
	rows, err := a.store.Relays(ctx)
	if err != nil {
		return Failed("relay", err)
	}
	troubles, err := a.store.SiteTroubles(ctx, a.Now())
	if err != nil {
		return Failed("relay", err)
	}
	var all []Vital
	for _, row := range rows {
		all = append(all, relayVital(shownRelay(row), troubles)...)
	}
	if a.LinksAreLocal() && slices.ContainsFunc(rows, func(row store.Relay) bool { return row.Enabled }) {
		all = append(all, Vital{Part: "relay", Condition: Attention, Says: "links_local", With: map[string]any{"address": a.BaseURL}})
	}
	if len(all) == 0 {
		all = append(all, Vital{Part: "relay", Condition: Good, Says: "fine", With: map[string]any{"relays": int64(len(rows))}})
	}
	return all
}

// relayVital is the line of a relay in trouble; none for the others.
func relayVital(relay RelaySettings, troubles []store.SiteTrouble) []Vital {
	if relay.Stopped() {
		return []Vital{{Part: "relay", Name: relay.Name, Condition: Bad, Says: "stopped", With: map[string]any{
			"why": relay.Trouble, "since": relay.TroubleAt,
		}}}
	}
	var sites []string
	for _, t := range troubles {
		if t.RelayID == relay.ID && relay.Enabled {
			sites = append(sites, t.Name)
		}
	}
	if len(sites) == 0 {
		return nil
	}
	return []Vital{{Part: "relay", Name: relay.Name, Condition: Attention, Says: "refused", With: map[string]any{"sites": strings.Join(sites, ", ")}}}
}
