package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// TrashRow is a deletion that can be brought back.
type TrashRow struct {
	Trash
	DeletedAt time.Time
}

// TrashOf lists what the owner can bring back at the moment, what was deleted last first;
// each with the name of what is known of it, see Trash.
func (s *Store) TrashOf(ctx context.Context, owner int64, now time.Time, most int64) ([]TrashRow, error) {
	rows, err := s.r.TrashOf(ctx, sqlc.TrashOfParams{OwnerID: owner, Since: millis(now.Add(-TrashKept)), Most: most})
	if err != nil {
		return nil, wrap(err, "trash of owner")
	}
	var list []TrashRow
	for _, row := range rows {
		t, err := s.Trash(ctx, row.Batch, now)
		if mailing.CodeOf(err) == "undo_over" {
			continue // brought back meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, TrashRow{t, instant(row.DeletedAt)})
	}
	return list, nil
}
