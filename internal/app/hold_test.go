package app_test

import (
	"context"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// held is a furnished house whose database was restored a moment ago.
func held(t *testing.T) (*house, mailing.Account, things) {
	t.Helper()
	h, owner, has := furnished(t)
	_, err := h.store.Installation(t.Context(), store.Installation{Instance: "one"}, h.now)
	must(t, err)
	_, err = h.store.StartHold(t.Context(), h.now)
	must(t, err)
	h.later(time.Minute)
	return h, owner, has
}

func TestWhoDecidesAboutARestoredDatabase(t *testing.T) {
	deeds := map[string]func(ctx context.Context, h *house, who mailing.Account) error{
		"see what is held": func(ctx context.Context, h *house, who mailing.Account) error {
			_, err := h.HoldView(ctx, who)
			return err
		},
		"let it go on": func(ctx context.Context, h *house, who mailing.Account) error {
			_, err := h.EndHold(ctx, who, mailing.HoldGoOn)
			return err
		},
		"say that it is a copy": func(ctx context.Context, h *house, who mailing.Account) error {
			_, err := h.EndHold(ctx, who, mailing.HoldCopy)
			return err
		},
		"hold it once more": func(ctx context.Context, h *house, who mailing.Account) error {
			if _, err := h.EndHold(ctx, app.Operator, mailing.HoldGoOn); err != nil {
				return err
			}
			_, err := h.StartHold(ctx, who)
			return err
		},
	}
	answers := map[mailing.Role]string{mailing.RoleUser: "not_found", mailing.RoleManager: "not_found", mailing.RoleAdmin: "ok"}
	for name, deed := range deeds {
		for role, answerWanted := range answers {
			t.Run(string(role)+" wants to "+name+": "+answerWanted, func(t *testing.T) {
				h, _, _ := held(t)
				want(t, deed(t.Context(), h, h.person(t, "actor@example.org", role)), answerWanted)
			})
		}
		t.Run("the operator may "+name, func(t *testing.T) {
			h, _, _ := held(t)
			must(t, deed(t.Context(), h, app.Operator))
		})
	}
	t.Run("any other word ends nothing", func(t *testing.T) {
		h, _, _ := held(t)
		_, err := h.EndHold(t.Context(), app.Operator, "perhaps")
		want(t, err, "choice_unknown")
		if hold, err := h.Hold(t.Context()); err != nil || !hold.On() {
			t.Errorf("hold %+v, %v", hold, err)
		}
	})
}

func TestARestoredDatabase(t *testing.T) {
	t.Run("shows what waits", func(t *testing.T) {
		h, _, has := held(t)
		v, err := h.HoldView(t.Context(), app.Operator)
		must(t, err)
		if v.Why != mailing.HoldAsked || v.RunsAll != 1 || len(v.Runs) != 1 || v.Runs[0].ID != has.run || v.Runs[0].Counts.Waiting() != 1 {
			t.Errorf("it shows %+v", v)
		}
		if v.MailingsAll != 1 || len(v.Mailings) != 1 || v.Mailings[0].ID != has.mailing || v.Mailings[0].Email != "owner@example.org" {
			t.Errorf("it shows %+v", v)
		}
	})
	t.Run("sends nothing by hand, and says why", func(t *testing.T) {
		h, owner, has := held(t)
		_, err := h.SendNow(t.Context(), owner, has.mailing)
		want(t, err, "database_held")
		if mailing.KindOf(err) != mailing.Conflict {
			t.Errorf("its kind is %v", mailing.KindOf(err))
		}
	})
	t.Run("still mails a link to a person who has lost the password", func(t *testing.T) {
		h, owner, _ := held(t)
		must(t, h.RequestReset(t.Context(), stranger, owner.Email))
		live, err := h.store.LiveRuns(t.Context())
		must(t, err)
		if len(live) != 2 || live[0].Kind != mailing.RunSystem || live[0].Held || !live[1].Held {
			t.Errorf("the runs are %+v", live)
		}
	})
	t.Run("that is a copy pauses its mailings, which are resumed one by one", func(t *testing.T) {
		h, owner, has := held(t)
		admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
		done, err := h.EndHold(t.Context(), admin, mailing.HoldCopy)
		must(t, err)
		if done != (app.HoldEnded{Cancelled: 1, Paused: 1}) {
			t.Errorf("it changed %+v", done)
		}
		must(t, h.ResumeMailing(t.Context(), owner, has.mailing))
		m, err := h.store.Mailing(t.Context(), has.mailing)
		must(t, err)
		if !m.Status.Live() || !m.NextAt.After(h.now) || m.StopBy != 0 {
			t.Errorf("the mailing is %+v", m)
		}
		v, err := h.HoldView(t.Context(), admin)
		must(t, err)
		if v.On() || v.RunsAll != 0 {
			t.Errorf("still held: %+v", v)
		}
	})
}
