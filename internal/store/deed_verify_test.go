package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// deed is one that somebody has done to a thing of their own.
func deed(actor mailing.Account, action mailing.Action, thing int64, at time.Time) mailing.Deed {
	return mailing.Deed{
		At: at, Actor: actor.ID, Email: actor.Email, From: "192.0.2.1", Action: action,
		Thing: mailing.Thing{Kind: mailing.ThingContact, ID: thing, Name: "Иван"}, Owner: actor.ID, Why: "просил",
		Before: mailing.Facts{"phone": ""}, After: mailing.Facts{"phone": "+7 495 123-45-67"},
	}
}

func put(t *testing.T, s *store.Store, deeds ...mailing.Deed) {
	t.Helper()
	for _, d := range deeds {
		ok(t, s.PutDeed(store.WithDeed(ctx, d)))
	}
}

func numbers(deeds []mailing.Deed) (all []int64) {
	for _, d := range deeds {
		all = append(all, d.Number)
	}
	return all
}

func TestTheAuditLogIsListedNewestFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna, boris := storetest.Account(t, s, "anna@example.com"), storetest.Account(t, s, "boris@example.com")
		theirs := deed(boris, "contact.update", 7, now.Add(2*time.Hour))
		theirs.Owner = anna.ID
		put(t, s, deed(anna, "contact.create", 7, now), deed(boris, "contact.create", 8, now.Add(time.Hour)), theirs)

		all := must(s.Deeds(ctx, store.DeedFilter{Limit: 10}))(t)
		equalList(t, "numbers", numbers(all), []int64{3, 2, 1})
		equal(t, "the first, as it was written", fmt.Sprint(withoutHash(all[2])), fmt.Sprint(withNumber(deed(anna, "contact.create", 7, now), 1)))
		for name, c := range map[string]struct {
			filter store.DeedFilter
			want   []int64
		}{
			"a page":                  {store.DeedFilter{Before: 3, Limit: 1}, []int64{2}},
			"by one, or to theirs":    {store.DeedFilter{Concerning: anna.ID}, []int64{3, 1}},
			"by whom":                 {store.DeedFilter{Actor: boris.ID}, []int64{3, 2}},
			"by what was typed":       {store.DeedFilter{Email: "BORIS"}, []int64{3, 2}},
			"whose":                   {store.DeedFilter{Owner: boris.ID}, []int64{2}},
			"what":                    {store.DeedFilter{Action: "contact.create"}, []int64{2, 1}},
			"to what":                 {store.DeedFilter{Kind: mailing.ThingContact, Thing: 7}, []int64{3, 1}},
			"to another kind of it":   {store.DeedFilter{Kind: mailing.ThingMessage, Thing: 7}, nil},
			"when, its end left out":  {store.DeedFilter{From: now.Add(time.Hour), To: now.Add(2 * time.Hour)}, []int64{2}},
			"by and to nobody at all": {store.DeedFilter{Concerning: 1}, nil},
		} {
			if c.filter.Limit == 0 {
				c.filter.Limit = 10
			}
			equalList(t, name, numbers(must(s.Deeds(ctx, c.filter))(t)), c.want)
		}
	})
}

func withNumber(d mailing.Deed, n int64) mailing.Deed {
	d.Number = n
	return d
}

func withoutHash(d mailing.Deed) mailing.Deed {
	d.Hash = ""
	return d
}

func TestWhatWasDoneToTheAuditLogIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		tamper string
		broken int64
	}{
		"nothing":                      {"", 0},
		"a line was changed":           {"update deeds set why = 'nobody asked' where number = 3", 3},
		"an actor was changed":         {"update deeds set actor_id = 1 where number = 1", 1},
		"the last line was changed":    {"update deeds set became = '' where number = 5", 5},
		"a line and its hash":          {"update deeds set why = '', hash = (select hash from deeds where number = 2) where number = 3", 3},
		"a line is missing":            {"delete from deeds where number = 2", 2},
		"the first line is missing":    {"delete from deeds where number = 1", 1},
		"the last line is missing":     {"delete from deeds where number = 5", 5},
		"all are missing":              {"delete from deeds", 1},
		"two lines were swapped":       {"update deeds set number = 9 where number = 2; update deeds set number = 2 where number = 3; update deeds set number = 3 where number = 9", 2},
		"the end of the chain differs": {"update deed_chain set hash = 'x'", 5},
		"a line was put in behind":     {"update deed_chain set number = 4, hash = (select hash from deeds where number = 4)", 5},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				anna := storetest.Account(t, s, "anna@example.com")
				for i := range int64(5) {
					put(t, s, deed(anna, "contact.create", i, now))
				}
				unlock(t, s)
				for statement := range strings.SplitSeq(c.tamper, ";") {
					must(s.Writer().Exec(statement))(t)
				}
				v := must(s.VerifyDeeds(ctx))(t)
				equal(t, "the first broken line", v.Broken, c.broken)
				if c.broken == 0 {
					last := must(s.Deeds(ctx, store.DeedFilter{Limit: 1}))(t)[0]
					equal(t, "found", v, store.Verified{Lines: 5, Hash: last.Hash})
				}
			})
		})
	}
}

func TestAnEmptyAuditLogIsWhole(t *testing.T) {
	equal(t, "found", must(storetest.New(t).VerifyDeeds(ctx))(t), store.Verified{})
}

// unlock drops what keeps the log from being changed.
func unlock(t *testing.T, s *store.Store) {
	t.Helper()
	drops := []string{"drop trigger deeds_stay", "drop trigger deeds_stay_there"}
	if s.Postgres() {
		drops = []string{"drop trigger deeds_stay on deeds"}
	}
	for _, drop := range drops {
		must(s.Writer().Exec(drop))(t)
	}
}

func TestALongAuditLogIsWalkedToItsEnd(t *testing.T) {
	s := storetest.New(t)
	anna := storetest.Account(t, s, "anna@example.com")
	for i := range int64(store.VerifyBatch + 2) {
		put(t, s, deed(anna, "contact.create", i, now))
	}
	equal(t, "lines", must(s.VerifyDeeds(ctx))(t).Lines, store.VerifyBatch+2)
	unlock(t, s)
	must(s.Writer().Exec("delete from deeds where number = ?", store.VerifyBatch+1))(t)
	equal(t, "broken", must(s.VerifyDeeds(ctx))(t).Broken, store.VerifyBatch+1)
}
