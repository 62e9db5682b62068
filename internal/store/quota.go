package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// SetPerDay limits how many mails of their mailings a person may send in any 24
// hours; 0 is no limit.
func (s *Store) SetPerDay(ctx context.Context, id, mails int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return there(q.SetPerDay(ctx, sqlc.SetPerDayParams{ID: id, PerDay: mails}))
	}), "set quota")
}

// QuotaUse is how much of their limit a person has used in the last 24 hours. A mail
// counts when it has its turn, and once: whatever becomes of it, and however often it
// is tried. Mails that they ask for one by one, such as tests, are none of a mailing's
// and do not count.
type QuotaUse struct {
	PerDay int64
	Used   int64
	From   time.Time // when there is room again; zero while there is some
}

// QuotaUse says how much of the person's limit is used.
func (s *Store) QuotaUse(ctx context.Context, owner mailing.Account, now time.Time) (use QuotaUse, err error) {
	use.PerDay = owner.PerDay
	minutes, err := s.r.QuotaMinutes(ctx, sqlc.QuotaMinutesParams{OwnerID: owner.ID, After: dayBefore(now)})
	if err != nil {
		return use, wrap(err, "quota")
	}
	for _, m := range minutes {
		use.Used += m.Mails
	}
	if use.PerDay == 0 {
		return use, nil
	}
	// After a limit was lowered, several minutes may have to pass out of the day.
	left := use.Used
	for _, m := range minutes {
		if left < use.PerDay {
			break
		}
		left -= m.Mails
		use.From = time.Unix((m.Minute+dayMinutes)*60, 0).UTC()
	}
	return use, nil
}

// quota is the limit of a run's owner, as it is asked for within a lease. Its zero
// value is none.
type quota struct{ owner, perDay int64 }

// isUsedUp looks without a lock, since a run may wait for its owner's day for hours.
func (u quota) isUsedUp(ctx context.Context, q *sqlc.Queries, now time.Time) (bool, error) {
	left, err := u.left(ctx, q, now)
	return left == 0 && u.perDay > 0, err
}

// left is how many mails may still have their turn; it means nothing without a limit.
func (u quota) left(ctx context.Context, q *sqlc.Queries, now time.Time) (int64, error) {
	if u.perDay == 0 {
		return 0, nil
	}
	used, err := q.QuotaSince(ctx, sqlc.QuotaSinceParams{OwnerID: u.owner, After: dayBefore(now)})
	return max(u.perDay-used, 0), err
}

// most bounds how many may have their turn. Until the end of the transaction no other
// node gives the owner's mails theirs, or two would use the same.
func (u quota) most(ctx context.Context, q *sqlc.Queries, most int, now time.Time) (int, error) {
	if u.perDay == 0 {
		return most, nil
	}
	if err := q.LockQuota(ctx, u.owner); err != nil {
		return 0, err
	}
	left, err := u.left(ctx, q, now)
	return int(min(int64(most), left)), err
}

// use counts those of the mails that are to be sent.
func (u quota) use(ctx context.Context, q *sqlc.Queries, turns []Leased, now time.Time) error {
	mails := int64(0)
	for _, l := range turns {
		if l.Unmailable == "" {
			mails++
		}
	}
	if u.perDay == 0 || mails == 0 {
		return nil
	}
	if err := q.AddQuota(ctx, sqlc.AddQuotaParams{OwnerID: u.owner, Minute: now.Unix() / 60, Mails: mails}); err != nil {
		return err
	}
	return q.ForgetQuota(ctx, sqlc.ForgetQuotaParams{OwnerID: u.owner, Before: dayBefore(now)})
}

func dayBefore(now time.Time) (minute int64) { return now.Unix()/60 - dayMinutes }
