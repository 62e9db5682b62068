package main

import (
	"strings"
	"testing"

	"vestnik/internal/app"
)

func TestUserInvite(t *testing.T) {
	t.Run("who is invited gets a link that makes an account with the role", func(t *testing.T) {
		s := newShell(t)
		made := object[invitedJSON](s.run("user", "invite", "--json", "--role", "admin", "Anna@example.com").want(0))
		equal(t, "email", made.Email, anna)
		equal(t, "mailed, with nobody in whose name", made.Mailed, false)
		account, err := s.base().App.AcceptInvitation(ctx, made.Link[strings.LastIndex(made.Link, "/")+1:], app.Registration{
			FirstName: "Anna", Password: "correct horse battery", Again: "correct horse battery", Lang: "en", Zone: "UTC",
		})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "role", string(account.Role), "admin")
		s.run("user", "invite", "boris@example.com", "vera@example.com").want(0).
			says("boris@example.com: the invitation was mailed", "vera@example.com: the invitation was mailed", "/invitation/")
		s.run("user", "invite", anna, "new@example.com").want(exitInvalid).complains(anna)
	})
	t.Run("where all is closed nobody is invited", func(t *testing.T) {
		newShell(t, "VESTNIK_SIGNUP=closed").run("user", "invite", anna).complains("VESTNIK_SIGNUP")
	})
}
