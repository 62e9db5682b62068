package store_test

import (
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestComingAndLatest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com")
		boris := storetest.Account(t, s, "boris@example.com")
		live := storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna.ID})
		storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna.ID, Status: mailing.StatusPaused})
		storetest.Mailing(t, s, mailing.Mailing{OwnerID: anna.ID, Status: mailing.StatusCompleted})
		t.Run("only live mailings with a next date are coming", func(t *testing.T) {
			rows, total, err := s.Mailings(t.Context(), store.MailingFilter{Owner: anna.ID, Coming: true}, store.Page{Limit: 10})
			if err != nil || total != 1 || len(rows) != 1 || rows[0].ID != live.ID {
				t.Errorf("%d of %d: %+v, %v", len(rows), total, rows, err)
			}
		})
		run := storetest.Run(t, s, live)
		storetest.Run(t, s, storetest.Mailing(t, s, mailing.Mailing{OwnerID: boris.ID}))
		single := storetest.OpeningRun(mailing.Mailing{OwnerID: anna.ID})
		single.Kind = mailing.RunSystem
		must(s.OpenSingleRun(ctx, store.Single{
			Run: single, Content: store.Content{Subject: "Код", Format: mailing.FormatText, Body: "1"}, Email: "anna@example.com",
		}))(t)
		t.Run("the latest runs are those of the owner's mailings, without single mails", func(t *testing.T) {
			runs, err := s.RunsOfMailings(t.Context(), anna.ID, 10)
			if err != nil || len(runs) != 1 || runs[0].ID != run.ID || runs[0].Subject != "Новости" || runs[0].OwnerName != "Анна Петрова" {
				t.Errorf("%+v, %v", runs, err)
			}
		})
		t.Run("everybody's are there for nobody in particular, and no more than wanted", func(t *testing.T) {
			all, err := s.RunsOfMailings(t.Context(), 0, 10)
			one, err2 := s.RunsOfMailings(t.Context(), 0, 1)
			if err != nil || err2 != nil || len(all) != 2 || len(one) != 1 {
				t.Errorf("%d and %d, %v, %v", len(all), len(one), err, err2)
			}
		})
	})
}
