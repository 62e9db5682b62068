package store

import (
	"context"
	"maps"
	"slices"

	"vestnik/internal/store/sqlc"
)

// Settings returns what admins have set, by name.
func (s *Store) Settings(ctx context.Context) (map[string]string, error) {
	rows, err := s.r.Settings(ctx)
	values := make(map[string]string, len(rows))
	for _, row := range rows {
		values[row.Name] = row.Value
	}
	return values, wrap(err, "settings")
}

// PutSettings stores those of the values; the others stay as they are.
func (s *Store) PutSettings(ctx context.Context, values map[string]string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		for _, name := range slices.Sorted(maps.Keys(values)) { // in one order, so that two who store do not wait for each other
			if err := q.PutSetting(ctx, sqlc.PutSettingParams{Name: name, Value: storable(values[name])}); err != nil {
				return err
			}
		}
		return nil
	}), "put settings")
}
