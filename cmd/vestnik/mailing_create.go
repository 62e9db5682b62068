package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// mailingCreateCommand adds a mailing to all of somebody's contacts.
type mailingCreateCommand struct {
	Owner   string `required:"" placeholder:"EMAIL"`
	Message int64  `required:"" placeholder:"ID"`

	At     string `required:"" placeholder:"HH:MM"`
	Start  string `placeholder:"YYYY-MM-DD"`
	Zone   string `placeholder:"Europe/Moscow"`
	Repeat string `enum:"once,daily,weekly,monthly" default:"once"`
	Every  int    `placeholder:"N"`

	On              []string `placeholder:"mon"`
	Day             int      `placeholder:"1-31"`
	LastDay         bool
	Nth             string `placeholder:"1-4|last"`
	Weekday         string `placeholder:"tue"`
	SkipShortMonths bool

	Until string   `placeholder:"YYYY-MM-DD"`
	Count int      `placeholder:"N"`
	Skip  []string `placeholder:"YYYY-MM-DD"`

	NeverMissed bool
	Weight      string `words:"mailing_weight" enum:"low,normal,high" default:"normal"`
	FromName    string
	ReplyTo     string `placeholder:"EMAIL"`
	JSON        bool   `name:"json"`
}

// AfterApply refuses flags that would be ignored, since who gives one expects it
// to count.
func (c *mailingCreateCommand) AfterApply() error {
	return firstError(
		c.oneWay(),
		needs("--on", len(c.On) > 0, "--repeat weekly", c.Repeat == "weekly"),
		needs("--day", c.Day != 0, "--repeat monthly", c.Repeat == "monthly"),
		needs("--last-day", c.LastDay, "--repeat monthly", c.Repeat == "monthly"),
		needs("--nth", c.Nth != "", "--repeat monthly", c.Repeat == "monthly"),
		needs("--nth", c.Nth != "", "--weekday", c.Weekday != ""),
		needs("--weekday", c.Weekday != "", "--nth", c.Nth != ""),
		needs("--skip-short-months", c.SkipShortMonths, "--day", c.Day != 0),
		needs("--every", c.Every != 0, "--repeat daily, weekly or monthly", c.Repeat != "once"),
		needs("--until", c.Until != "", "--repeat daily, weekly or monthly", c.Repeat != "once"),
		needs("--count", c.Count != 0, "--repeat daily, weekly or monthly", c.Repeat != "once"),
		needs("--skip", len(c.Skip) > 0, "--repeat daily, weekly or monthly", c.Repeat != "once"),
	)
}

// oneWay refuses a day of the month that is picked twice.
func (c *mailingCreateCommand) oneWay() error {
	ways := 0
	for _, given := range []bool{c.Day != 0, c.LastDay, c.Nth != ""} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return errors.New("only one of --day, --last-day and --nth can be given")
	}
	return nil
}

func (c *mailingCreateCommand) Run(ctx context.Context, d *desk) error {
	b, owner, err := d.openAs(ctx, c.Owner)
	if err != nil {
		return err
	}
	defer b.Close()
	rule, err := c.rule(owner, time.Now())
	if err != nil {
		return err
	}
	form := app.MailingForm{
		MessageID: c.Message, Audience: mailing.AudienceAll, Rule: rule,
		Doubt: mailing.NeverTwice, Weight: mailing.Weight(c.Weight), FromName: c.FromName, ReplyTo: c.ReplyTo,
	}
	if c.NeverMissed {
		form.Doubt = mailing.NeverMissed
	}
	m, err := b.App.CreateMailing(ctx, owner, form)
	if err != nil {
		return err
	}
	v, err := b.App.Mailing(ctx, owner, m.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return d.json(mailingOf(v.Mailing, owner.Email, v.Message.Subject))
	}
	d.say("cli.mailing.created", "id", m.ID, "subject", v.Message.Subject)
	d.sayRule(m)
	return nil
}

// rule is what the flags say. All that cannot be read in them is told at once.
func (c *mailingCreateCommand) rule(owner mailing.Account, now time.Time) (mailing.Rule, error) {
	rule := mailing.Rule{
		Frequency: mailing.Frequency(c.Repeat), Interval: c.Every, Zone: c.Zone, Day: c.Day, Count: c.Count,
	}
	if rule.Zone == "" {
		rule.Zone = owner.Zone
	}
	var problems mailing.Problems
	loc, err := mailing.LoadZone(rule.Zone)
	if err != nil {
		problems.Add("zone", "zone_unknown", "zone", rule.Zone)
		loc = time.UTC
	}
	rule.Start = mailing.DateOf(now.In(loc))
	readDate(&problems, "start", c.Start, &rule.Start)
	readDate(&problems, "until", c.Until, &rule.Until)
	if rule.At, err = mailing.ParseClock(c.At); err != nil {
		problems.Add("at", mailing.CodeOf(err))
	}
	for _, text := range c.Skip {
		var day mailing.Date
		readDate(&problems, "skip", text, &day)
		rule.Skip = append(rule.Skip, day)
	}
	for _, text := range c.On {
		rule.Weekdays = append(rule.Weekdays, readWeekday(&problems, "on", text))
	}
	c.pickDay(&problems, &rule)
	return rule, problems.Err()
}

// pickDay says how a monthly rule picks its day.
func (c *mailingCreateCommand) pickDay(problems *mailing.Problems, rule *mailing.Rule) {
	switch {
	case c.Day != 0:
		rule.MonthlyBy = mailing.ByDay
	case c.LastDay:
		rule.MonthlyBy = mailing.ByLastDay
	case c.Nth != "":
		rule.MonthlyBy, rule.Nth = mailing.ByWeekday, mailing.NthLast
		if c.Nth != "last" {
			rule.Nth, _ = strconv.Atoi(c.Nth) // what is no number is 0, which the rule refuses
		}
		rule.Weekday = readWeekday(problems, "weekday", c.Weekday)
	}
	if c.SkipShortMonths {
		rule.ShortMonth = mailing.ShortMonthSkip
	}
}

// readDate reads a date into the place, and leaves the place as it is when none
// is given.
func readDate(problems *mailing.Problems, field, text string, into *mailing.Date) {
	if text == "" {
		return
	}
	day, err := mailing.ParseDate(text)
	if err != nil {
		problems.Add(field, mailing.CodeOf(err))
		return
	}
	*into = day
}

// readWeekday understands "mon" and "Monday".
func readWeekday(problems *mailing.Problems, field, text string) time.Weekday {
	wanted := strings.ToLower(strings.TrimSpace(text))
	for day := time.Sunday; day <= time.Saturday; day++ {
		name := strings.ToLower(day.String())
		if wanted == name || wanted == name[:3] {
			return day
		}
	}
	problems.Add(field, "weekday_unknown")
	return 0
}
