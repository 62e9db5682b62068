package store

import (
	"context"
	"database/sql"
	"slices"

	"vestnik/internal/mailing"
)

// Recipients are whom a mailing is for: all contacts of the owner, unless it is for those
// chosen for the mailing with the id, or for the Chosen.
type Recipients struct {
	OwnerID   int64
	MailingID int64
	Chosen    []int64 // not nil: only these, as far as they are the owner's
}

// AudienceCount says how many a mailing would reach now, and why not all.
type AudienceCount struct {
	Contacts   int64                    // all of the audience
	Suppressed map[mailing.Reason]int64 // of those, who would be skipped
	Lacking    map[string]int64         // of the others, who has nothing in a field
}

// Reached is how many would be mailed.
func (c AudienceCount) Reached() int64 { return c.Contacts - c.Skipped() }

// Skipped is how many would not.
func (c AudienceCount) Skipped() (n int64) {
	for _, count := range c.Suppressed {
		n += count
	}
	return n
}

// contactFields are the merge fields that a contact may lack.
var contactFields = []string{"first_name", "last_name", "comment"}

// CountAudience counts the recipients, and who of them lacks which of the fields. The
// fields are merge fields; those that no contact can lack are left out.
func (s *Store) CountAudience(ctx context.Context, r Recipients, fields ...string) (AudienceCount, error) {
	fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return !slices.Contains(contactFields, f) })
	count := s.countChosen
	if r.Chosen == nil && r.MailingID == 0 {
		count = s.countAll
	}
	c, err := count(ctx, r, fields)
	return c, wrap(err, "count audience")
}

// Reach counts whom a mailing would reach now.
func (s *Store) Reach(ctx context.Context, m mailing.Mailing) (AudienceCount, error) {
	r := Recipients{OwnerID: m.OwnerID}
	if m.Audience == mailing.AudienceChosen {
		r.MailingID = m.ID
	}
	return s.CountAudience(ctx, r)
}

// crowd is how many recipients have a reason not to be mailed, or none, and how many of
// them lack each of the fields.
type crowd struct {
	reason  mailing.Reason
	people  int64
	lacking []int64
}

func (s *Store) countChosen(ctx context.Context, r Recipients, fields []string) (AudienceCount, error) {
	ids, value := "(select contact_id as id from mailing_contacts where mailing_id = $1)", any(r.MailingID)
	if r.Chosen != nil {
		ids, value = s.dialect.rows("id bigint"), jsonIDs(r.Chosen)
	}
	crowds, err := s.crowds(ctx, len(fields), `select coalesce(s.reason, ''), count(*)`+lacking(fields)+`
from `+ids+` i
join contacts c on c.id = i.id and c.owner_id = $2
left join suppressions s on s.owner_id = c.owner_id and s.email = c.email
group by 1`, value, r.OwnerID)
	count := newAudienceCount()
	for _, part := range crowds {
		count.Contacts += part.people
		count.add(part, fields, 1)
	}
	return count, err
}

// countAll counts by indexes, since there may be a hundred thousand: first all, then
// the fewer who are suppressed, who are taken off.
func (s *Store) countAll(ctx context.Context, r Recipients, fields []string) (AudienceCount, error) {
	count := newAudienceCount()
	all := "(select count(*) from contacts where owner_id = $1"
	query := "select '', " + all + ")"
	for _, field := range fields {
		query += ", " + all + " and " + field + " = '')"
	}
	everybody, err := s.crowds(ctx, len(fields), query, r.OwnerID)
	if err != nil {
		return count, err
	}
	suppressed, err := s.crowds(ctx, len(fields), `select s.reason, count(*)`+lacking(fields)+`
from suppressions s
join contacts c on c.owner_id = s.owner_id and c.email = s.email
where s.owner_id = $1
group by s.reason`, r.OwnerID)
	for _, part := range everybody {
		count.Contacts = part.people
		count.add(part, fields, 1)
	}
	for _, part := range suppressed {
		count.add(part, fields, -1)
	}
	return count, err
}

func newAudienceCount() AudienceCount {
	return AudienceCount{Suppressed: map[mailing.Reason]int64{}, Lacking: map[string]int64{}}
}

// add takes over who is suppressed, and adds those who lack a field: of those who are not
// suppressed, unless the suppressed are to be taken off by the sign -1.
func (c *AudienceCount) add(part crowd, fields []string, sign int64) {
	if part.reason != "" {
		c.Suppressed[part.reason] += part.people
	}
	if (part.reason == "") == (sign > 0) {
		for i, field := range fields {
			c.Lacking[field] += sign * part.lacking[i]
		}
	}
}

func lacking(fields []string) (columns string) {
	for _, field := range fields {
		columns += ", sum(case when c." + field + " = '' then 1 else 0 end)"
	}
	return columns
}

func (s *Store) crowds(ctx context.Context, fields int, query string, values ...any) ([]crowd, error) {
	rows, err := s.read.QueryContext(ctx, query, values...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (crowd, error) {
		c := crowd{lacking: make([]int64, fields)}
		into := []any{&c.reason, &c.people}
		for i := range c.lacking {
			into = append(into, &c.lacking[i])
		}
		return c, rows.Scan(into...)
	})
}
