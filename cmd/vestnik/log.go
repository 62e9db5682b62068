package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// logCommand prints attempts, newest first.
type logCommand struct {
	Mailing int64  `placeholder:"ID"`
	Run_    int64  `name:"run" placeholder:"ID"`
	Owner   string `placeholder:"EMAIL"`
	Limit   int64  `default:"100" placeholder:"N"`
	JSON    bool   `name:"json"`
}

type attemptJSON struct {
	ID         int64      `json:"id"`
	At         *time.Time `json:"at"`
	Mailing    int64      `json:"mailing"`
	Run        int64      `json:"run"`
	Delivery   int64      `json:"delivery"`
	Email      string     `json:"email"`
	Result     string     `json:"result"`
	Code       int        `json:"code"`
	Enhanced   string     `json:"enhanced"`
	Answer     string     `json:"answer"`
	Stage      string     `json:"stage"`
	Host       string     `json:"host"`
	TLS        string     `json:"tls"`
	Node       string     `json:"node"`
	DurationMS int64      `json:"duration_ms"`
}

func (c logCommand) Run(ctx context.Context, d *desk) error {
	b, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	actor, err := d.actor(ctx, b, c.Owner)
	if err != nil {
		return err
	}
	if err := c.look(ctx, b, actor); err != nil {
		return err
	}
	return c.each(ctx, b, actor, func(a mailing.Attempt) error {
		if c.JSON {
			return d.json(attemptOf(a))
		}
		_, err := fmt.Fprintln(d.out, d.attempt(a))
		return err
	})
}

// look makes sure that what the log is asked for is there: an empty log of a
// mailing that never was would look like one that was not sent.
func (c logCommand) look(ctx context.Context, b *server.Base, actor mailing.Account) error {
	if c.Run_ != 0 {
		_, err := b.App.Run(ctx, actor, c.Run_)
		return err
	}
	if c.Mailing != 0 {
		_, err := b.App.Mailing(ctx, actor, c.Mailing)
		return err
	}
	return nil
}

// logBatch is how many attempts are read at once. Chosen.
const logBatch = 1000

// each calls do for up to the limit of attempts, or all when it is 0.
func (c logCommand) each(ctx context.Context, b *server.Base, actor mailing.Account, do func(mailing.Attempt) error) error {
	f := app.LogFilter{Everyone: c.Owner == ""}
	f.MailingID, f.RunID = c.Mailing, c.Run_
	for left := c.Limit; ; {
		f.Limit = logBatch
		if c.Limit > 0 {
			f.Limit = min(left, logBatch)
		}
		attempts, err := b.App.Log(ctx, actor, f)
		if err != nil {
			return err
		}
		for _, a := range attempts {
			if err := do(a); err != nil {
				return err
			}
			f.Before = a.ID
		}
		left -= int64(len(attempts))
		if int64(len(attempts)) < f.Limit || c.Limit > 0 && left <= 0 {
			return nil
		}
	}
}

func attemptOf(a mailing.Attempt) attemptJSON {
	return attemptJSON{
		ID: a.ID, At: instant(a.At), Mailing: a.MailingID, Run: a.RunID, Delivery: a.DeliveryID, Email: a.Email,
		Result: string(a.Result), Code: a.Reply.Code, Enhanced: a.Reply.Enhanced, Answer: a.Reply.Text,
		Stage: a.Stage, Host: a.Host, TLS: a.TLS, Node: a.Node, DurationMS: a.Duration.Milliseconds(),
	}
}

// attempt is one line of the log, in the zone of the settings.
func (d *desk) attempt(a mailing.Attempt) string {
	return strings.Join([]string{
		a.At.In(d.config.Zone).Format("2006-01-02 15:04:05"), d.words.T("attempt." + string(a.Result)),
		mailing.DisplayEmail(a.Email), a.Host, strings.ReplaceAll(a.Reply.String(), "\n", " "),
	}, "  ")
}
