package app

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"vestnik/internal/mailing"
)

// DomainChecks lists the domains that mails are sent as or signed by, each as it was when it
// was last checked; At is zero where that has never been. Another one that was checked may be
// asked for besides.
func (a *App) DomainChecks(ctx context.Context, actor mailing.Account, besides string) ([]mailing.DomainCheck, error) {
	questions, err := a.domainQuestions(ctx, actor)
	if err != nil {
		return nil, err
	}
	known, err := a.store.DomainChecks(ctx)
	checks := make([]mailing.DomainCheck, len(questions))
	for i, q := range questions {
		checks[i].Domain = q.Domain
		if k := slices.IndexFunc(known, func(c mailing.DomainCheck) bool { return c.Domain == q.Domain }); k >= 0 {
			checks[i] = known[k]
		}
	}
	for _, c := range known {
		if c.Domain == besides && !slices.ContainsFunc(checks, func(has mailing.DomainCheck) bool { return has.Domain == besides }) {
			checks = append(checks, c)
		}
	}
	return checks, err
}

// DomainsReady reports whether the domains that mails are sent as were checked, and nothing
// was found that has mails refused; and whether there are any.
func (a *App) DomainsReady(ctx context.Context, actor mailing.Account) (ready, there bool, err error) {
	checks, err := a.DomainChecks(ctx, actor, "")
	there = len(checks) > 0
	ready = there && !slices.ContainsFunc(checks, func(c mailing.DomainCheck) bool {
		return c.At.IsZero() || c.Condition() == mailing.Bad
	})
	return ready, there, err
}

// CheckDomain asks DNS about a domain, for the ways out whose sender's address is of it, and
// keeps the answer. For a domain that none has, all ways count.
func (a *App) CheckDomain(ctx context.Context, actor mailing.Account, typed string) (mailing.DomainCheck, error) {
	questions, err := a.domainQuestions(ctx, actor)
	if err != nil {
		return mailing.DomainCheck{}, err
	}
	domain, err := normalDomain(typed)
	if err != nil {
		return mailing.DomainCheck{}, err
	}
	q := mailing.DomainQuestion{Domain: domain}
	if i := slices.IndexFunc(questions, func(q mailing.DomainQuestion) bool { return q.Domain == domain }); i >= 0 {
		q = questions[i]
	}
	if len(q.Ways) == 0 {
		for _, other := range questions {
			q.Ways = append(q.Ways, other.Ways...)
		}
	}
	check := mailing.DomainCheck{Domain: domain, At: a.Now(), Findings: a.AskDNS(ctx, q)}
	doing := a.doing(ctx, actor, mailing.Deed{
		Action: "domain.check", Thing: mailing.Thing{Kind: mailing.ThingDomain, Name: domain},
		After: mailing.Facts{"condition": string(check.Condition())},
	})
	return check, a.store.PutDomainCheck(doing, check)
}

// domainQuestions are what to ask about the domains in use: those of the relays' senders, in
// their order, and then those that only have keys.
func (a *App) domainQuestions(ctx context.Context, actor mailing.Account) ([]mailing.DomainQuestion, error) {
	if err := maySign(actor); err != nil {
		return nil, err
	}
	rows, err := a.store.Relays(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := a.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var questions []mailing.DomainQuestion
	of := func(domain string) *mailing.DomainQuestion {
		i := slices.IndexFunc(questions, func(q mailing.DomainQuestion) bool { return q.Domain == domain })
		if i < 0 {
			i, questions = len(questions), append(questions, mailing.DomainQuestion{Domain: domain})
		}
		return &questions[i]
	}
	for _, row := range rows {
		if _, domain, found := strings.Cut(row.FromEmail, "@"); found && row.Enabled {
			q := of(domain)
			q.Ways = append(q.Ways, mailing.DomainWay{
				Name: row.Name, Direct: row.Kind == RelayMX, Host: strings.ToLower(cmp.Or(row.Host, row.HeloName)),
			})
		}
	}
	for _, key := range keys {
		if key.InUse {
			shown := shownKey(key)
			signed := mailing.DomainKey{Name: shown.RecordName, Record: shown.Record}
			eachSigned(questions, key.Domain, func(q *mailing.DomainQuestion) { q.Keys = append(q.Keys, signed) })
			if !slices.ContainsFunc(questions, func(q mailing.DomainQuestion) bool { return slices.Contains(q.Keys, signed) }) {
				q := of(key.Domain)
				q.Keys = append(q.Keys, signed)
			}
		}
	}
	return questions, nil
}

// eachSigned does something for each domain whose mails a key of a domain signs: its own and
// those below it.
func eachSigned(questions []mailing.DomainQuestion, domain string, do func(q *mailing.DomainQuestion)) {
	for i := range questions {
		if name := questions[i].Domain; name == domain || strings.HasSuffix(name, "."+domain) {
			do(&questions[i])
		}
	}
}
