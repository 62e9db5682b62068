package store

import (
	"context"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Examples lists the things of an owner that were made to show how Vestnik works and that
// nobody has removed since, by kind: mailings, then messages, then contacts.
func (s *Store) Examples(ctx context.Context, ownerID int64) ([]mailing.Thing, error) {
	rows, err := s.r.Examples(ctx, ownerID)
	things := make([]mailing.Thing, len(rows))
	for i, row := range rows {
		things[i] = mailing.Thing{Kind: mailing.ThingKind(row.Kind), ID: row.ThingID}
	}
	return things, wrap(err, "examples")
}

// ExampleMailings are the ids of everybody's mailings that are examples.
func (s *Store) ExampleMailings(ctx context.Context) ([]int64, error) {
	ids, err := s.r.ExampleMailings(ctx)
	return ids, wrap(err, "example mailings")
}

// ForgetExample has a thing be no example any more.
func (s *Store) ForgetExample(ctx context.Context, kind mailing.ThingKind, id int64) error {
	return wrap(s.w.ForgetExample(ctx, sqlc.ForgetExampleParams{Kind: string(kind), ThingID: id}), "forget example")
}

// PutExamples notes which of an owner's things are examples.
func (s *Store) PutExamples(ctx context.Context, ownerID int64, things []mailing.Thing) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		for _, thing := range things {
			err := q.PutExample(ctx, sqlc.PutExampleParams{OwnerID: ownerID, Kind: string(thing.Kind), ThingID: thing.ID})
			if err != nil {
				return err
			}
		}
		return nil
	}), "put examples")
}

// ForgetExamples has an owner's things be no examples any more.
func (s *Store) ForgetExamples(ctx context.Context, ownerID int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return q.ForgetExamples(ctx, ownerID) }), "forget examples")
}
