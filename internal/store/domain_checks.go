package store

import (
	"context"
	"encoding/json"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// domainCheckKept is for how long it is known what was found out about a domain: what is
// older says nothing of today. Chosen.
const domainCheckKept = 90 * 24 * time.Hour

// DomainChecks lists what was last found out about each domain that was ever checked.
func (s *Store) DomainChecks(ctx context.Context) ([]mailing.DomainCheck, error) {
	rows, err := s.r.DomainChecks(ctx)
	if err != nil {
		return nil, wrap(err, "domain checks")
	}
	checks := make([]mailing.DomainCheck, len(rows))
	for i, row := range rows {
		checks[i] = mailing.DomainCheck{Domain: row.Domain, At: instant(row.CheckedAt)}
		if err := json.Unmarshal([]byte(row.Findings), &checks[i].Findings); err != nil {
			return nil, wrap(err, "findings about "+row.Domain)
		}
	}
	return checks, nil
}

// PutDomainCheck keeps what was found out, in place of what was before.
func (s *Store) PutDomainCheck(ctx context.Context, c mailing.DomainCheck) error {
	findings, err := json.Marshal(c.Findings)
	if err != nil {
		return wrap(err, "findings about "+c.Domain)
	}
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.PutDomainCheck(ctx, sqlc.PutDomainCheckParams{Domain: c.Domain, CheckedAt: millis(c.At), Findings: storable(string(findings))})
	}), "put domain check")
}
