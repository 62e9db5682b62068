package main

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

var (
	ctx  = context.Background()
	here = app.Visitor{Address: "127.0.0.1", Loopback: true}
)

func TestSuperuser(t *testing.T) {
	t.Run("csu prints page, code and password, and they work", func(t *testing.T) {
		s := newShell(t)
		made := object[superuserJSON](s.run("csu", "--json").want(0))
		equal(t, "page", made.Page, "http://127.0.0.1:8000/confirm_code/admin@admin.com/")
		equal(t, "code", made.Code, "1234")
		b := s.base()
		if _, err := b.App.SignIn(ctx, here, "admin@admin.com", made.Password); mailing.CodeOf(err) != "account_unconfirmed" {
			t.Errorf("signing in before the code: %v", err)
		}
		if err := b.App.Confirm(ctx, here, "admin@admin.com", "1234"); err != nil {
			t.Fatal(err)
		}
		account, err := b.App.SignIn(ctx, here, "admin@admin.com", made.Password)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "role", account.Role, mailing.RoleAdmin)
	})
	t.Run("csu renews the code of an account that is not active, and of no other", func(t *testing.T) {
		s := newShell(t)
		s.run("csu", "--json", "--renew").want(0)
		renewed := object[superuserJSON](s.run("csu", "--json", "--renew", "--code", "654321").want(0))
		if renewed.Created || renewed.Code != "654321" || renewed.Password != "" {
			t.Errorf("got %+v", renewed)
		}
		s.run("user", "create", "--email", "active@example.org", "--first-name", "A", "--password", "a long password").want(0)
		s.run("csu", "--email", "active@example.org", "--renew").want(exitConflict)
	})
	t.Run("csu tells people the same in words", func(t *testing.T) {
		newShell(t).run("csu").want(0).
			says("http://127.0.0.1:8000/confirm_code/admin@admin.com/", "1234", "Password: ", "not active yet")
	})
	t.Run("run twice, it says that the account exists and changes nothing", func(t *testing.T) {
		s := newShell(t)
		first := object[superuserJSON](s.run("csu", "--json").want(0))
		s.run("csu", "--password", "another long password", "--code", "777777").want(0).says("admin@admin.com already", "Nothing was changed")
		second := object[superuserJSON](s.run("csu", "--json").want(0))
		equal(t, "what is said of the second", second, superuserJSON{Email: "admin@admin.com"})
		b := s.base()
		if err := b.App.Confirm(ctx, here, "admin@admin.com", first.Code); err != nil {
			t.Errorf("the first code: %v", err)
		}
		if _, err := b.App.SignIn(ctx, here, "admin@admin.com", first.Password); err != nil {
			t.Errorf("the first password: %v", err)
		}
	})
	t.Run("what is given is taken and not printed back", func(t *testing.T) {
		r := newShell(t).run("csu", "--json", "--email", "Root@Example.org", "--password", "a long password", "--code", "42").want(0)
		equal(t, "what is printed", object[superuserJSON](r), superuserJSON{
			Created: true, Email: "root@example.org", Code: "42", Page: "http://127.0.0.1:8000/confirm_code/root@example.org/",
		})
	})
	t.Run("a password that is too easy is refused and nothing is made", func(t *testing.T) {
		s := newShell(t)
		s.run("csu", "--password", "1").want(exitInvalid).complains("--password: ")
		if !object[superuserJSON](s.run("csu", "--json").want(0)).Created {
			t.Error("there was an account after all")
		}
	})
}

func TestSuperuserElsewhere(t *testing.T) {
	sixDigits := regexp.MustCompile(`^\d{6}$`)
	for name, setting := range map[string]string{
		"addressed by a name of its own":   "VESTNIK_BASE_URL=https://mail.example.org",
		"listening on all interfaces":      "VESTNIK_ADDR=:8000",
		"listening on an address that all": "VESTNIK_ADDR=192.0.2.1:8000",
	} {
		t.Run("a service "+name+" gets a random code", func(t *testing.T) {
			made := object[superuserJSON](newShell(t, setting).run("csu", "--json").want(0))
			if !sixDigits.MatchString(made.Code) {
				t.Errorf("the code is %q", made.Code)
			}
			if setting == "VESTNIK_BASE_URL=https://mail.example.org" {
				equal(t, "page", made.Page, "https://mail.example.org/confirm_code/admin@admin.com/")
			}
		})
	}
	t.Run("the well-known code is refused there", func(t *testing.T) {
		newShell(t, "VESTNIK_ADDR=:8000").run("csu", "--code", "1234").want(exitInvalid).complains("--code: ", "6")
	})
	t.Run("two random codes differ", func(t *testing.T) {
		var codes []string
		for range 20 { // the same one each time: once in 10 to the power of 114
			codes = append(codes, app.NewCode())
		}
		if len(slices.Compact(slices.Sorted(slices.Values(codes)))) == 1 {
			t.Errorf("all are %s", codes[0])
		}
	})
}

func TestUserCreate(t *testing.T) {
	t.Run("the user is active at once with the password that is printed", func(t *testing.T) {
		s := newShell(t)
		made := object[userJSON](s.run("user", "create", "--json", "--email", anna, "--role", "manager").want(0))
		equal(t, "role", made.Role, "manager")
		account, err := s.base().App.SignIn(ctx, here, anna, made.Password)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "id", account.ID, made.ID)
	})
	t.Run("a password from standard input is not printed", func(t *testing.T) {
		s := newShell(t)
		r := s.runWith(ctx, "correct horse battery\r\n", "user", "create", "--email", anna, "--password-stdin").want(0).says(anna)
		if strings.Contains(r.out, "horse") || strings.Contains(r.out, "Password") {
			t.Errorf("it is: %s", r.out)
		}
		if _, err := s.base().App.SignIn(ctx, here, anna, "correct horse battery"); err != nil {
			t.Error(err)
		}
	})
	t.Run("an empty standard input is no password", func(t *testing.T) {
		newShell(t).run("user", "create", "--email", anna, "--password-stdin").want(exitInvalid).complains("standard input")
	})
	t.Run("an address that is taken is a conflict", func(t *testing.T) {
		s := newShell(t)
		s.run("user", "create", "--email", anna).want(0)
		s.run("user", "create", "--email", "Anna@Example.com").want(exitConflict)
	})
	t.Run("all that is wrong is told at once", func(t *testing.T) {
		newShell(t).run("user", "create", "--email", "anna", "--password", "1").want(exitInvalid).complains("--email: ", "--password: ")
	})
	t.Run("an unknown role is a usage error", func(t *testing.T) {
		newShell(t).run("user", "create", "--email", anna, "--role", "king").want(exitUsage).complains("king")
	})
}
