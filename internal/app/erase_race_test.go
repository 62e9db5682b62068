package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestAnErasedAddressThatComesBackWhileItIsForgottenIsNotMailed(t *testing.T) {
	ways := map[string]func(*sent) error{
		"imported": func(h *sent) error {
			_, err := h.ImportContacts(context.Background(), h.owner, "again.csv", strings.NewReader("email\n"+annasMail+"\n"))
			return err
		},
		"created": func(h *sent) error {
			_, err := h.CreateContact(context.Background(), h.owner, mailing.Contact{Email: annasMail})
			return err
		},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newSent(t, s)
		for name, comesBack := range ways {
			t.Run(name, func(t *testing.T) {
				must(t, h.ErasePerson(t.Context(), h.owner, h.owner.ID, annasMail))
				h.later(2 * time.Hour)
				before := h.now.Add(-time.Hour)
				due, err := s.ErasedInPart(t.Context(), before, 10)
				must(t, err)
				if len(due) != 1 || due[0].Email != annasMail {
					t.Fatalf("due are %+v", due)
				}
				must(t, comesBack(h))
				must(t, s.FinishErasure(t.Context(), due[0], before))
				c, err := s.ContactByEmail(t.Context(), h.owner.ID, annasMail)
				must(t, err)
				if c.Suppression.Reason != mailing.ReasonErased {
					t.Errorf("they may be mailed: %+v", c)
				}
			})
		}
		t.Run("nor an hour later, while they are a client", func(t *testing.T) {
			h.later(2 * time.Hour)
			must(t, s.FinishErasure(t.Context(), store.Person{OwnerID: h.owner.ID, Email: annasMail}, h.now))
			c, err := s.ContactByEmail(t.Context(), h.owner.ID, annasMail)
			must(t, err)
			if c.Suppression.Reason != mailing.ReasonErased {
				t.Errorf("they may be mailed: %+v", c)
			}
		})
	})
}

// interrupt calls do once, as soon as the erasing of the account has begun.
func (h *house) interrupt(t *testing.T, a mailing.Account, do func()) {
	t.Helper()
	h.Now = func() time.Time {
		if do != nil && h.rows(t, "select count(*) from accounts where id = $1 and blocked_at > 0", a.ID) > 0 {
			now := do
			do = nil
			now()
		}
		return h.now
	}
}

func TestAPlannedErasureThatIsTakenBackWhileOthersAreErasedIsLeft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		h.person(t, "admin@example.org", mailing.RoleAdmin)
		first := h.person(t, "first@example.org", mailing.RoleUser)
		second := h.person(t, "second@example.org", mailing.RoleUser)
		h.plan(t, first)
		h.later(time.Second)
		h.plan(t, second)
		h.later(app.ErasureGrace + time.Hour)
		tried := false
		h.interrupt(t, first, func() {
			tried = true
			want(t, s.CancelErasure(context.Background(), first.ID), "changed_meanwhile")
			must(t, h.CancelErasure(context.Background(), second))
		})
		must(t, h.Sweep(t.Context()))
		if !tried {
			t.Fatal("nothing was taken back")
		}
		_, err := s.Account(t.Context(), first.ID)
		want(t, err, "not_found")
		kept, err := s.Account(t.Context(), second.ID)
		must(t, err)
		if !kept.Active() {
			t.Errorf("it is %+v", kept)
		}
	})
}

func TestErasingAnAccountThatIsBrokenOffGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newSent(t, s)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		deeds := func() int { return h.rows(t, "select count(*) from deeds where action = 'account.erase'") }
		ctx, end := context.WithCancel(t.Context())
		h.interrupt(t, h.owner, end)
		if err := h.EraseAccount(ctx, admin, h.owner.ID); !errors.Is(err, context.Canceled) {
			t.Fatalf("it ended with %v", err)
		}
		if got, err := s.Account(t.Context(), h.owner.ID); err != nil || got.Active() || deeds() != 1 {
			t.Fatalf("the account is %+v, %v, with %d deeds", got, err, deeds())
		}
		want(t, h.CancelErasure(t.Context(), h.owner), "changed_meanwhile")
		must(t, s.Unblock(t.Context(), h.owner.ID)) // which keeps nothing from going on
		must(t, h.Sweep(t.Context()))
		_, err := s.Account(t.Context(), h.owner.ID)
		want(t, err, "not_found")
		if deeds() != 1 || h.rows(t, "select count(*) from deeds where action = 'account.erase' and actor_id = $1", admin.ID) != 1 {
			t.Errorf("there are %d deeds", deeds())
		}
	})
}

func TestWhoCannotBeErasedKeepsNobodyElse(t *testing.T) {
	h := over(storetest.New(t))
	h.person(t, "admin@example.org", mailing.RoleAdmin)
	owner := h.person(t, "owner@example.org", mailing.RoleUser)
	leaving := h.person(t, "leaving@example.org", mailing.RoleUser)
	people := []string{annasMail, borisMail, carlsMail}
	for _, email := range people {
		must(t, h.ErasePerson(t.Context(), owner, owner.ID, email))
		_, err := h.store.Writer().ExecContext(t.Context(), fmt.Sprintf(`create trigger keep_%s before delete on suppressions
when old.email = '%s' begin select raise(abort, 'it stays'); end`, email[:4], email))
		must(t, err)
	}
	h.plan(t, leaving)
	h.later(app.ErasureGrace + time.Hour)
	left := func() int { return h.rows(t, "select count(*) from suppressions") }
	err := h.Sweep(t.Context())
	if err == nil || strings.Count(err.Error(), "it stays") != len(people) || left() != len(people) {
		t.Errorf("it ended with %v, and %d are left", err, left())
	}
	_, err = h.store.Account(t.Context(), leaving.ID)
	want(t, err, "not_found")
}

func TestErasingForLongKeepsNothingThatIsOldFromGoing(t *testing.T) {
	h := over(storetest.New(t))
	h.person(t, "admin@example.org", mailing.RoleAdmin)
	leaving := h.person(t, "leaving@example.org", mailing.RoleUser)
	h.Keep = store.Retention{Demo: 24 * time.Hour}
	must(t, h.store.PutDemoMail(t.Context(), store.DemoMail{Recipient: annasMail, Data: []byte("Hello"), At: h.now}, 10))
	h.plan(t, leaving)
	h.later(app.ErasureGrace + time.Hour)
	ctx, end := context.WithCancel(t.Context())
	h.interrupt(t, leaving, end)
	if err := h.Sweep(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("it ended with %v", err)
	}
	if n := h.rows(t, "select count(*) from demo_mails"); n != 0 {
		t.Errorf("%d old mails are left", n)
	}
}

func TestWhatANodeTellsLongAfterSomebodyWasErasedTellsNothingOfThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newSent(t, s)
		late := h.hand[1]
		must(t, h.EraseContact(t.Context(), h.owner, h.contactID(t, h.owner.ID, late.Email)))
		h.later(2 * time.Hour)
		_, err := s.TakeOver(t.Context(), h.now, 10)
		must(t, err)
		must(t, h.Sweep(t.Context()))
		must(t, s.Settle(t.Context(), h.node, []store.Outcome{{
			DeliveryID: late.ID, Epoch: h.node.Epoch, Tries: late.Tries, State: mailing.Failed, Suppress: true,
			Attempt: &mailing.Attempt{
				DeliveryID: late.ID, RunID: h.run.ID, MailingID: h.run.MailingID, OwnerID: h.owner.ID, Email: late.Email, At: h.now,
				Node: "node", Host: "mx", Stage: "dot", Result: mailing.AttemptFailed,
				Reply: mailing.Reply{Code: 550, Text: "<" + late.Email + "> is unknown"},
			},
		}}, h.now))
		if places := h.places(t, late.Email); len(places) > 0 {
			t.Errorf("%s stands in %v", late.Email, places)
		}
		log, err := s.Log(t.Context(), store.LogFilter{RunID: h.run.ID, Limit: 10})
		must(t, err)
		if len(log) != 2 || !mailing.IsErased(log[0].Email) || log[0].Reply.Text != "<"+log[0].Email+"> is unknown" {
			t.Errorf("the log is %+v", log)
		}
		if n := h.rows(t, "select count(*) from suppressions"); n != 0 {
			t.Errorf("%d are suppressed", n)
		}
	})
}

func TestNothingIsLeftOfAnAccountThatIsErasedAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		owner := h.person(t, "the_owner@example.org", mailing.RoleUser)
		alike := h.person(t, "the-owner@example.org", mailing.RoleUser)
		local := app.Visitor{Loopback: true}
		for _, a := range []mailing.Account{owner, alike} {
			h.knowsPassword(t, a)
			_, err := h.SignIn(t.Context(), stranger, a.Email, "wrong")
			want(t, err, "sign_in_wrong")
			for _, from := range []app.Visitor{stranger, local} {
				want(t, h.Confirm(t.Context(), from, a.Email, "000000"), "code_wrong")
			}
			must(t, h.RequestReset(t.Context(), stranger, a.Email))
			for _, name := range []string{"mail:", "picture:", "test:"} {
				_, err := s.Spend(t.Context(), name+a.Email, 10, time.Hour, h.now)
				must(t, err)
			}
			_, err = s.PutInvitation(t.Context(), mailing.Invitation{
				ID: store.NewID(), Email: "guest-of-" + a.Email, Role: mailing.RoleUser, Lang: "ru", InvitedBy: a.ID, Inviter: a.Email,
				SentAt: h.now, ExpiresAt: h.now.Add(time.Hour),
			}, "hash")
			must(t, err)
		}
		budgets := func(a mailing.Account) int {
			return h.rows(t, "select count(*) from budgets where substr(name, length(name) - length($1) + 1) = $1", a.Email)
		}
		if budgets(owner) != 7 {
			t.Fatalf("there are %d budgets", budgets(owner))
		}
		must(t, h.EraseAccount(t.Context(), admin, owner.ID))
		if budgets(alike) != 7 || h.rows(t, "select count(*) from invitations where invited_by = $1", alike.ID) != 1 {
			t.Error("what is another's is gone, too")
		}
		must(t, h.EraseAccount(t.Context(), admin, alike.ID))
		for _, place := range h.places(t, owner.Email) { // "_" stands for any character
			if !strings.HasPrefix(place, "deeds.") {
				t.Errorf("the accounts stand in %s", place)
			}
		}
	})
}
