package store_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestServices(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one := store.Service{ID: "one", Host: "a", Roles: "web,worker", Version: "1.2", StartedAt: now, AliveUntil: now.Add(time.Minute)}
		two := store.Service{ID: "two", Host: "b", Roles: "web", StartedAt: now, AliveUntil: now.Add(-25 * time.Hour)}
		ok(t, s.PutService(ctx, one))
		ok(t, s.PutService(ctx, two))
		one.AliveUntil = now.Add(2 * time.Minute)
		ok(t, s.PutService(ctx, one))
		equalList(t, "services", must(s.Services(ctx))(t), []store.Service{one, two})
		ok(t, s.DeleteService(ctx, "three", now))
		equalList(t, "after one was long gone", must(s.Services(ctx))(t), []store.Service{one})
		ok(t, s.DeleteService(ctx, "one", now))
		equal(t, "after it has left", len(must(s.Services(ctx))(t)), 0)
	})
}

func TestWorkload(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		equal(t, "of nothing", must(s.Workload(ctx, now))(t), store.Workload{})
		h := newHouse(t, s, 10)
		run := storetest.Run(t, s, h.mailing)
		list := must(s.Lease(ctx, h.node, run.ID, now, 6))(t)
		h.settleAll(t, h.node, list[:1], mailing.Sent, now)
		h.settleAll(t, h.node, list[1:3], mailing.Deferred, now)
		want := store.Workload{Runs: 1, Waiting: 9, InHand: 3, Later: 2, Oldest: run.CreatedAt}
		equal(t, "before they are due again", must(s.Workload(ctx, now))(t), want)
		want.Due, want.Later = 2, 0
		equal(t, "afterwards", must(s.Workload(ctx, now.Add(time.Hour)))(t), want)

		nodes := must(s.Nodes(ctx, now.Add(-time.Hour)))(t)
		equal(t, "nodes", len(nodes), 1)
		equal(t, "the node holds deliveries", nodes[0].Holds, true)
	})
}

func TestDatabaseFacts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := must(s.DatabaseFacts(ctx))(t)
		if f.Kind == "" || f.Version == "" || f.SizeBytes < 10_000 || f.Schema < 11 || f.Latency <= 0 {
			t.Errorf("the database says %+v", f)
		}
		if away := time.Since(f.Clock).Abs(); away > time.Hour {
			t.Errorf("its clock is %v away from ours, on the same machine", away)
		}
	})
}

func TestSettings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		equal(t, "at first", len(must(s.Settings(ctx))(t)), 0)
		ok(t, s.PutSettings(ctx, map[string]string{"a": "1", "b": "2"}))
		ok(t, s.PutSettings(ctx, map[string]string{"b": "3"}))
		got := must(s.Settings(ctx))(t)
		equal(t, "what was not changed", got["a"], "1")
		equal(t, "what was", got["b"], "3")
	})
}
