package main

import (
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/store"
)

func TestUserResetFactors(t *testing.T) {
	s := newShell(t)
	made := object[userJSON](s.run("user", "create", "--json", "--email", anna).want(0))
	t.Run("who has no second factor keeps none", func(t *testing.T) {
		s.in(t).run("user", "reset-factors", anna).want(exitConflict)
		s.in(t).run("user", "reset-factors", "nobody@example.org").want(exitNotFound)
	})
	t.Run("who has lost them needs the password alone again", func(t *testing.T) {
		b := s.in(t).base()
		sealed := store.TOTP{AccountID: made.ID, Sealed: "sealed", CreatedAt: time.Now()}
		if _, err := b.Store.EnableTOTP(ctx, sealed, []string{auth.NewRecoveryCode()}); err != nil {
			t.Fatal(err)
		}
		s.in(t).run("user", "reset-factors", strings.ToUpper(anna)).want(0).says(anna)
		if needed, err := b.App.NeedsFactor(ctx, made.ID); needed || err != nil {
			t.Errorf("needed: %v, %v", needed, err)
		}
		var by int64
		err := b.Store.Writer().QueryRow("select actor_id from deeds where action = 'account.reset_factors'").Scan(&by)
		if err != nil || by != app.Operator.ID {
			t.Errorf("the audit log says it was %d, %v", by, err)
		}
	})
}
