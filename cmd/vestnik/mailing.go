package main

import (
	"encoding/json"
	"fmt"
	"time"

	"vestnik/internal/mailing"
)

// mailingJSON is a mailing as all commands print it. Fields may be added; those
// that are there keep their names and meaning.
type mailingJSON struct {
	ID        int64           `json:"id"`
	Owner     string          `json:"owner"`
	Message   int64           `json:"message"`
	Subject   string          `json:"subject"`
	Status    mailing.Status  `json:"status"`
	Audience  string          `json:"audience"`
	Rule      json.RawMessage `json:"rule"`
	Doubt     string          `json:"doubt"`
	Weight    mailing.Weight  `json:"weight"`
	NextAt    *time.Time      `json:"next_at"`
	LastAt    *time.Time      `json:"last_at"`
	CreatedAt *time.Time      `json:"created_at"`
}

func mailingOf(m mailing.Mailing, owner, subject string) mailingJSON {
	rule, err := json.Marshal(m.Rule)
	if err != nil {
		panic(err) // a stored rule has been checked
	}
	return mailingJSON{
		ID: m.ID, Owner: owner, Message: m.MessageID, Subject: subject, Status: m.Status, Audience: string(m.Audience),
		Rule: rule, Doubt: string(m.Doubt), Weight: m.Weight, NextAt: instant(m.NextAt), LastAt: instant(m.LastAt), CreatedAt: instant(m.CreatedAt),
	}
}

// runJSON is a run as all commands print it.
type runJSON struct {
	ID           int64      `json:"id"`
	Mailing      int64      `json:"mailing"`
	Kind         string     `json:"kind"`
	State        string     `json:"state"`
	ScheduledFor *time.Time `json:"scheduled_for"`
	CreatedAt    *time.Time `json:"created_at"`
	FinishedAt   *time.Time `json:"finished_at"`
	Audience     int64      `json:"audience"`
	Sent         int64      `json:"sent"`
	Failed       int64      `json:"failed"`
	Skipped      int64      `json:"skipped"`
	InDoubt      int64      `json:"in_doubt"`
	Halt         string     `json:"halt"`
}

func runOf(r mailing.Run) runJSON {
	return runJSON{
		ID: r.ID, Mailing: r.MailingID, Kind: string(r.Kind), State: string(r.State),
		ScheduledFor: instant(r.ScheduledFor), CreatedAt: instant(r.CreatedAt), FinishedAt: instant(r.FinishedAt),
		Audience: r.Counts.Audience, Sent: r.Counts.Sent, Failed: r.Counts.Failed,
		Skipped: r.Counts.Skipped, InDoubt: r.Counts.InDoubt, Halt: r.Halt,
	}
}

// instant is a time in UTC, and null for none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// sayRule tells when a mailing goes out, in words and as its next date.
func (d *desk) sayRule(m mailing.Mailing) {
	d.say("cli.mailing.rule", "rule", d.words.RuleWords(m.Rule))
	d.say("cli.mailing.next", "date", d.zoned(m).DateTimeZone(m.NextAt))
}

// needs complains of a flag that means nothing without another one.
func needs(flag string, given bool, other string, there bool) error {
	if !given || there {
		return nil
	}
	return fmt.Errorf("%s goes with %s", flag, other)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
