package store_test

import (
	"reflect"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestDomainChecks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		equal(t, "checks at first", len(must(s.DomainChecks(ctx))(t)), 0)
		a := mailing.DomainCheck{Domain: "a.example", At: now, Findings: []mailing.Finding{{Topic: mailing.TopicMX, Condition: mailing.Good, Code: "mx_there", Params: map[string]string{"host": "mx.a.example"}}}}
		b := mailing.DomainCheck{Domain: "b.example", At: now.Add(time.Hour)}
		ok(t, s.PutDomainCheck(ctx, b))
		ok(t, s.PutDomainCheck(ctx, mailing.DomainCheck{Domain: "a.example", At: now.Add(-time.Hour), Findings: b.Findings}))
		ok(t, s.PutDomainCheck(ctx, a))
		if got := must(s.DomainChecks(ctx))(t); !reflect.DeepEqual(got, []mailing.DomainCheck{a, b}) {
			t.Errorf("the checks are %+v", got)
		}
		ok(t, s.Sweep(ctx, a.At.Add(90*24*time.Hour+time.Minute)))
		if got := must(s.DomainChecks(ctx))(t); !reflect.DeepEqual(got, []mailing.DomainCheck{b}) {
			t.Errorf("after three months the checks are %+v", got)
		}
	})
}

func TestExamplesOfAnOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna, boris := storetest.Account(t, s, "anna@example.org").ID, storetest.Account(t, s, "boris@example.org").ID
		ok(t, s.PutExamples(ctx, anna, []mailing.Thing{
			{Kind: mailing.ThingContact, ID: 2}, {Kind: mailing.ThingMessage, ID: 1}, {Kind: mailing.ThingContact, ID: 1}, {Kind: mailing.ThingMailing, ID: 1},
		}))
		ok(t, s.PutExamples(ctx, boris, []mailing.Thing{{Kind: mailing.ThingMessage, ID: 1}}))
		want := []mailing.Thing{
			{Kind: mailing.ThingMailing, ID: 1}, {Kind: mailing.ThingMessage, ID: 1}, {Kind: mailing.ThingContact, ID: 1}, {Kind: mailing.ThingContact, ID: 2},
		}
		if got := must(s.Examples(ctx, anna))(t); !reflect.DeepEqual(got, want) {
			t.Errorf("the examples are %+v", got)
		}
		ok(t, s.ForgetExamples(ctx, anna))
		equal(t, "examples of who has forgotten them", len(must(s.Examples(ctx, anna))(t)), 0)
		equal(t, "examples of the other", len(must(s.Examples(ctx, boris))(t)), 1)
	})
}
