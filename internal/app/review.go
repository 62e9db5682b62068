package app

import (
	"context"
	"slices"
	"strings"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// The sections of a mailing, in which what a check finds is mended.
const (
	SectionAudience = "audience"
	SectionContent  = "content"
	SectionSchedule = "schedule"
)

// CheckLevel says what a check means for a mailing.
type CheckLevel uint8

// The levels.
const (
	CheckPasses CheckLevel = iota
	CheckWarns             // it can go out, and somebody should know
	CheckBlocks            // it cannot be made so
)

// Check is one thing that was looked at before a mailing is made or changed.
type Check struct {
	Level   CheckLevel
	Section string         // where it is mended; empty: elsewhere
	Code    string         // the text's name below "review."; empty: the Problem tells
	Count   int64          // how many there are, for texts that count
	Params  []any          // of the text: name and value in turn
	Problem *mailing.Error // what is wrong with what was typed
}

// ReviewForm is a mailing as it stands on its page.
type ReviewForm struct {
	MailingForm
	Was        mailing.Mailing // that it changes; zero: a new one
	Unreadable error           // why the rule could not be read; nil: it could be
	Demo       bool            // mails stay in the demo mailbox now
}

// chosen are the contacts that a mailing is for; nil: all.
func (f MailingForm) chosen() []int64 {
	if f.Audience == mailing.AudienceAll {
		return nil
	}
	return append([]int64{}, f.ContactIDs...)
}

// MailingReview says what would come of a mailing, and what stands in its way.
type MailingReview struct {
	Audience AudienceCount
	Message  mailing.Message // zero: none is chosen, or it is gone
	Lacking  []string        // merge fields that recipients lack, of those that the message shows as they are
	Inbox    Preview         // what an example person would see
	Sender   string          // whom mails are from, by name or address; empty: not known
	Checks   []Check
}

// Blocked reports whether anything has to be mended first.
func (v MailingReview) Blocked() bool { return v.worst("") == CheckBlocks }

// Done reports whether nothing has to be mended in a section.
func (v MailingReview) Done(section string) bool { return v.worst(section) < CheckBlocks }

// Warned counts what somebody should know of a section before the mailing goes out.
func (v MailingReview) Warned(section string) (count int64) {
	for _, c := range v.Checks {
		if c.Section == section && c.Level == CheckWarns {
			count++
		}
	}
	return count
}

// worst is the worst level in a section, or in all.
func (v MailingReview) worst(section string) (worst CheckLevel) {
	for _, c := range v.Checks {
		if section == "" || c.Section == section {
			worst = max(worst, c.Level)
		}
	}
	return worst
}

// ReviewMailing looks at a mailing of the owner's before it is made or changed. It changes
// nothing, and whoever makes the mailing checks again what must not be.
func (a *App) ReviewMailing(ctx context.Context, owner mailing.Account, f ReviewForm) (v MailingReview, err error) {
	problems, err := a.formProblems(ctx, owner, &f)
	if err != nil {
		return v, err
	}
	for _, problem := range problems {
		v.Checks = append(v.Checks, Check{Level: CheckBlocks, Section: sectionOf(problem.Field), Problem: problem})
	}
	if err := a.reviewContent(ctx, owner, f, &v); err != nil {
		return v, err
	}
	bare := compose.Bare(v.Message.Subject, v.Message.Body)
	v.Audience, err = a.store.CountAudience(ctx, store.Recipients{OwnerID: owner.ID, Chosen: f.chosen()}, bare...)
	if err != nil {
		return v, err
	}
	v.reviewAudience(f, bare)
	if err := a.reviewSchedule(ctx, owner, f, &v); err != nil {
		return v, err
	}
	if err := a.reviewRoad(ctx, f, &v); err != nil {
		return v, err
	}
	slices.SortStableFunc(v.Checks, func(a, b Check) int { return int(b.Level) - int(a.Level) })
	return v, nil
}

// formProblems are what check finds, with what is wrong with the rule as it was typed in
// place of what is wrong with the zero Rule.
func (a *App) formProblems(ctx context.Context, owner mailing.Account, f *ReviewForm) (problems mailing.Problems, err error) {
	_, fault := a.check(ctx, owner, &f.MailingForm, f.Was)
	if err := problems.AddError("", fault); err != nil || f.Unreadable == nil {
		return problems, err
	}
	problems = slices.DeleteFunc(problems, func(p *mailing.Error) bool {
		return sectionOf(p.Field) == SectionSchedule && p.Field != "doubt" && p.Field != "weight"
	})
	return problems, problems.AddError("", f.Unreadable)
}

// sectionOf is where a field of a mailing's form stands.
func sectionOf(field string) string {
	switch field {
	case "audience", "contacts":
		return SectionAudience
	case "message", "from_name", "reply_to":
		return SectionContent
	}
	return SectionSchedule
}

func (v *MailingReview) add(level CheckLevel, section, code string, count int64, params ...any) {
	v.Checks = append(v.Checks, Check{Level: level, Section: section, Code: code, Count: count, Params: params})
}

// reviewContent looks at the message, if one is chosen that is the owner's.
func (a *App) reviewContent(ctx context.Context, owner mailing.Account, f ReviewForm, v *MailingReview) error {
	var err error
	if v.Sender, err = a.sender(ctx, f.FromName); err != nil || !v.Done(SectionContent) && f.MessageID == 0 {
		return err
	}
	m, err := a.store.Message(ctx, f.MessageID)
	if mailing.KindOf(err) == mailing.NotFound || err == nil && m.OwnerID != owner.ID {
		return nil // checked already
	}
	if err != nil {
		return err
	}
	v.Message = m
	v.Inbox, err = a.PreviewMessage(ctx, owner, MessageForm{Subject: m.Subject, Format: m.Format, Body: m.Body}, 0)
	var problems mailing.Problems
	if err := problems.AddError("body", err); err != nil {
		return err
	}
	for _, problem := range problems {
		v.Checks = append(v.Checks, Check{Level: CheckBlocks, Section: SectionContent, Problem: problem})
	}
	for _, hint := range v.Inbox.Warnings {
		v.Checks = append(v.Checks, Check{Level: CheckWarns, Section: SectionContent, Problem: hint})
	}
	if len(problems) == 0 {
		v.add(CheckPasses, SectionContent, "message", 0)
		v.add(CheckPasses, SectionContent, unsubscribeCode(m), 0)
	}
	return nil
}

// unsubscribeCode says where in a message the link to unsubscribe stands.
func unsubscribeCode(m mailing.Message) string {
	if strings.Contains(m.Body, "unsubscribe_url") {
		return "unsubscribe_own"
	}
	return "unsubscribe_added"
}

// sender is whom mails are from: by the name that was typed, else that of the way out.
func (a *App) sender(ctx context.Context, typed string) (string, error) {
	if name := mailing.CleanLine(typed); name != "" {
		return name, nil
	}
	relays, err := a.store.Relays(ctx)
	for _, r := range relays {
		if r.Enabled && r.FromName != "" {
			return r.FromName, nil
		}
		if r.Enabled {
			return mailing.DisplayEmail(r.FromEmail), nil
		}
	}
	return "", err
}

func (v *MailingReview) reviewAudience(f ReviewForm, bare []string) {
	reached := v.Audience.Reached()
	repeats := f.Rule.Frequency != mailing.Once && !f.Now
	switch {
	case !v.Done(SectionAudience):
	case reached == 0 && f.Audience == mailing.AudienceAll && repeats:
		v.add(CheckWarns, SectionAudience, "nobody_yet", 0)
	case reached == 0:
		v.add(CheckBlocks, SectionAudience, "nobody", 0)
	default:
		v.add(CheckPasses, SectionAudience, "recipients", reached)
	}
	for _, field := range bare {
		if n := v.Audience.Lacking[field]; n > 0 {
			v.Lacking = append(v.Lacking, field)
			v.add(CheckWarns, SectionContent, "lacking_"+field, n)
		}
	}
}

// reviewSchedule says whether anything keeps a mailing from going out on its dates.
func (a *App) reviewSchedule(ctx context.Context, owner mailing.Account, f ReviewForm, v *MailingReview) error {
	hold, err := a.store.Hold(ctx)
	if err != nil {
		return err
	}
	use, err := a.store.QuotaUse(ctx, owner, a.Now())
	if err != nil {
		return err
	}
	if v.Done(SectionSchedule) {
		v.add(CheckPasses, SectionSchedule, "schedule", 0)
	}
	switch {
	case hold.On() && f.Now:
		v.add(CheckBlocks, SectionSchedule, "held_now", 0)
	case hold.On():
		v.add(CheckWarns, SectionSchedule, "held", 0)
	}
	left := use.PerDay
	if f.Now {
		left = max(use.PerDay-use.Used, 0)
	}
	if use.PerDay > 0 && v.Audience.Reached() > left {
		v.add(CheckWarns, SectionAudience, "quota", use.PerDay)
	}
	return nil
}

// reviewRoad looks at how mails leave.
func (a *App) reviewRoad(ctx context.Context, f ReviewForm, v *MailingReview) error {
	if f.Demo {
		v.add(CheckWarns, "", "demo", 0)
		return nil
	}
	unsigned, err := a.unsignedDomains(ctx)
	if err != nil {
		return err
	}
	v.add(CheckPasses, "", "mail_server", 0)
	if a.LinksAreLocal() {
		v.add(CheckWarns, "", "links_local", 0, "address", a.BaseURL)
	}
	for _, domain := range unsigned {
		v.add(CheckWarns, "", "unsigned", 0, "domain", domain)
	}
	return nil
}

// unsignedDomains lists the domains that mails are sent as, each once, and that no key in
// use signs for.
func (a *App) unsignedDomains(ctx context.Context) ([]string, error) {
	relays, err := a.store.Relays(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := a.SigningKeysInUse(ctx)
	if err != nil {
		return nil, err
	}
	var unsigned []string
	for _, relay := range relays {
		_, domain, _ := strings.Cut(relay.FromEmail, "@")
		domain, err := mailing.NormalizeDomain(domain)
		signed := slices.ContainsFunc(keys, func(k SealedKey) bool {
			return k.Domain == domain || strings.HasSuffix(domain, "."+k.Domain)
		})
		if relay.Enabled && err == nil && !signed && !slices.Contains(unsigned, domain) {
			unsigned = append(unsigned, domain)
		}
	}
	return unsigned, nil
}

// Reach counts whom a mailing to all of the actor's contacts would reach.
func (a *App) Reach(ctx context.Context, actor mailing.Account) (AudienceCount, error) {
	return a.store.CountAudience(ctx, store.Recipients{OwnerID: actor.ID})
}
