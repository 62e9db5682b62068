package main

import (
	"context"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// userInviteCommand asks people in, who set a password themselves.
type userInviteCommand struct {
	Emails []string `arg:""`
	Role   string   `enum:"user,manager,admin" default:"user"`
	JSON   bool     `name:"json"`
}

type invitedJSON struct {
	Email     string    `json:"email"`
	Role      string    `json:"role"`
	Link      string    `json:"link"`
	Mailed    bool      `json:"mailed"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (c userInviteCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	invited, err := b.App.Invite(ctx, app.Operator, app.Invite{
		Emails: strings.Join(c.Emails, " "), Role: mailing.Role(c.Role), Lang: d.words.Lang(),
	})
	for _, i := range invited { // also those before one that went wrong
		if err := d.tellInvited(c, i); err != nil {
			return err
		}
	}
	return err
}

func (d *desk) tellInvited(c userInviteCommand, i app.Invited) error {
	if c.JSON {
		return d.json(invitedJSON{Email: i.Email, Role: string(i.Role), Link: i.Link, Mailed: i.Mailed, ExpiresAt: i.ExpiresAt})
	}
	lifetime := d.words.Duration(mailing.InvitationLifetime)
	if i.Mailed {
		d.say("cli.invite.sent", "email", i.Email, "lifetime", lifetime)
	} else {
		d.say("cli.invite.not_mailed", "email", i.Email, "lifetime", lifetime)
	}
	_, err := d.out.Write([]byte(i.Link + "\n"))
	return err
}
