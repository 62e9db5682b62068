package store

import (
	"context"
	"database/sql"
	"time"

	"vestnik/internal/store/sqlc"
)

// Usage is counted by minutes: exact enough for limits by the hour and the day, and
// few rows.
const (
	hourMinutes = 60
	dayMinutes  = 24 * hourMinutes
)

// TakeUsage takes up to most mails off the road's limits of any hour and any day
// (0: no limit) and returns how many it got. All nodes take from the same limits. When
// it got none, it says from when on there may be some.
func (s *Store) TakeUsage(ctx context.Context, roadID int64, perHour, perDay, most int, now time.Time) (got int, from time.Time, err error) {
	minute := now.Unix() / 60
	err = s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		got, from = most, time.Time{}
		// One node after the other, or two would take the same.
		if err := q.LockUsage(ctx, roadID); err != nil {
			return err
		}
		for _, limit := range []struct{ mails, minutes int }{{perHour, hourMinutes}, {perDay, dayMinutes}} {
			if limit.mails <= 0 {
				continue
			}
			row, err := q.UsageSince(ctx, sqlc.UsageSinceParams{RoadID: roadID, After: minute - int64(limit.minutes)})
			if err != nil {
				return err
			}
			left := max(limit.mails-int(row.Mails), 0)
			if left == 0 {
				from = later(from, time.Unix((row.Oldest+int64(limit.minutes))*60, 0))
			}
			got = min(got, left)
		}
		if got == 0 {
			return nil
		}
		if err := q.AddUsage(ctx, sqlc.AddUsageParams{RoadID: roadID, Minute: minute, Mails: int64(got)}); err != nil {
			return err
		}
		return q.ForgetUsage(ctx, sqlc.ForgetUsageParams{RoadID: roadID, Before: minute - dayMinutes})
	})
	return got, from, wrap(err, "take usage")
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ReturnUsage gives back what was taken at a time and not used.
func (s *Store) ReturnUsage(ctx context.Context, roadID int64, mails int, taken time.Time) error {
	return wrap(s.w.AddUsage(ctx, sqlc.AddUsageParams{
		RoadID: roadID, Minute: taken.Unix() / 60, Mails: -int64(mails),
	}), "return usage")
}

// CountLiveNodes counts the nodes that send.
func (s *Store) CountLiveNodes(ctx context.Context, now time.Time) (int, error) {
	n, err := s.r.CountLiveNodes(ctx, millis(now))
	return int(n), wrap(err, "count live nodes")
}
