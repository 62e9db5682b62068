package main

import (
	"bufio"
	"context"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// userCreateCommand makes an account that is active at once.
type userCreateCommand struct {
	Email         string `required:""`
	FirstName     string
	LastName      string
	Role          string `enum:"user,manager,admin" default:"user"`
	Password      string `xor:"password"`
	PasswordStdin bool   `xor:"password"`
	JSON          bool   `name:"json"`
}

type userJSON struct {
	ID       int64  `json:"id"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	Password string `json:"password,omitempty"` // only when it was made here
}

func (c userCreateCommand) Run(ctx context.Context, d *desk) error {
	password, made, err := c.password(d)
	if err != nil {
		return err
	}
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	account, err := b.App.CreateAccount(ctx, app.NewAccount{
		Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, Password: password,
		Role: mailing.Role(c.Role), Lang: d.words.Lang(),
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return d.json(userJSON{ID: account.ID, Email: account.Email, Role: c.Role, Password: made})
	}
	d.say("cli.user.created", "email", account.Email, "role", d.words.T("role."+c.Role))
	if made != "" {
		d.say("cli.password_made", "password", made)
	}
	return nil
}

// password is what was given, or one that is made here, and is then made, too.
func (c userCreateCommand) password(d *desk) (password, made string, err error) {
	switch {
	case c.PasswordStdin:
		password, err = d.passwordLine()
		return password, "", err
	case c.Password != "":
		return c.Password, "", nil
	}
	made = app.NewPassword()
	return made, made, nil
}

// passwordLine reads a password from standard input, for --password-stdin.
func (d *desk) passwordLine() (string, error) {
	line, err := bufio.NewReader(d.in).ReadString('\n')
	if line == "" && err != nil {
		return "", mailing.Problems{mailing.FieldFault(mailing.Invalid, "password_stdin", "stdin_empty")}
	}
	return strings.TrimRight(line, "\r\n"), nil
}
