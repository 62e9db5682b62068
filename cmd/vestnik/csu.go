package main

import (
	"context"
	"strings"
	"unicode/utf8"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// csuCommand creates the superuser, not yet active.
type csuCommand struct {
	Email    string `default:"admin@admin.com"`
	Password string
	Code     string
	Renew    bool
	JSON     bool `name:"json"`
}

// defaultSuperuser is the address that nobody has given.
const defaultSuperuser = "admin@admin.com"

type superuserJSON struct {
	Created  bool   `json:"created"`
	Email    string `json:"email"`
	Page     string `json:"page,omitempty"`
	Code     string `json:"code,omitempty"`
	Password string `json:"password,omitempty"` // only when it was made here
}

func (c csuCommand) Run(ctx context.Context, d *desk) error {
	code, err := c.code(d.config.Loopback())
	if err != nil {
		return err
	}
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	password, made := c.Password, ""
	if password == "" {
		made = app.NewPassword()
		password = made
	}
	account, err := b.App.CreateAccount(ctx, app.NewAccount{
		Email: c.Email, FirstName: "Admin", Password: password,
		Role: mailing.RoleAdmin, Lang: d.words.Lang(), Code: code,
	})
	if mailing.KindOf(err) == mailing.Conflict {
		return c.there(ctx, d, b.App, code)
	}
	if err != nil {
		return err
	}
	return c.tell(d, superuserJSON{
		Created: true, Email: account.Email, Code: code, Password: made,
		Page: c.page(d, account.Email),
	})
}

// minCodeRunes is how long a code must be where strangers may try it: that of
// the random ones.
const minCodeRunes = 6

// code is the one to activate the account with. The well-known one is for the
// machine itself: anybody else who reaches the page knows it, too.
func (c csuCommand) code(loopback bool) (string, error) {
	code := strings.TrimSpace(c.Code)
	switch {
	case code == "" && loopback:
		return app.WellKnownCode, nil
	case code == "":
		return app.NewCode(), nil
	case !loopback && utf8.RuneCountInString(code) < minCodeRunes:
		return "", mailing.Problems{mailing.FieldFault(mailing.Invalid, "code", "code_too_easy", "min", minCodeRunes)}
	}
	return code, nil
}

// there is for an account that exists: it gets another code if that is asked for,
// and otherwise nothing is changed.
func (c csuCommand) there(ctx context.Context, d *desk, a *app.App, code string) error {
	if c.Renew {
		if err := a.RenewCode(ctx, c.Email, code); err != nil {
			return err
		}
		return c.tell(d, superuserJSON{Email: c.Email, Code: code, Page: c.page(d, c.Email)})
	}
	if c.JSON {
		return d.json(superuserJSON{Email: c.Email})
	}
	d.say("cli.csu.exists", "email", c.Email)
	return nil
}

func (c csuCommand) tell(d *desk, made superuserJSON) error {
	if c.JSON {
		return d.json(made)
	}
	if made.Created {
		d.say("cli.csu.created", "email", made.Email)
		if made.Email == defaultSuperuser {
			d.say("cli.csu.default_email")
		}
	}
	d.say("cli.csu.page", "page", made.Page)
	d.say("cli.csu.code", "code", made.Code, "lifetime", d.words.Duration(app.OperatorCodeLifetime))
	if made.Password != "" {
		d.say("cli.password_made", "password", made.Password)
	}
	return nil
}

func (c csuCommand) page(d *desk, email string) string {
	return d.config.BaseURL + "/confirm_code/" + email + "/"
}
