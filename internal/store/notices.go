package store

import (
	"context"
	"slices"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Single is a run of one mail to one address: a code, a notice, a test.
type Single struct {
	Run     mailing.Run // its id is given when it is opened
	Content Content
	Email   string
	Vars    string // sealed values of the merge fields
}

type noticeKey struct{}

// WithNotice has the transaction that writes down the deed of the context (see WithDeed)
// open a run of one mail about it, too: whoever is to be told of a change is, however
// soon after it the service is killed.
func WithNotice(ctx context.Context, m Single) context.Context {
	before, _ := ctx.Value(noticeKey{}).([]Single)
	return context.WithValue(ctx, noticeKey{}, append(slices.Clip(before), m))
}

func openNotices(ctx context.Context, q *sqlc.Queries) error {
	notices, _ := ctx.Value(noticeKey{}).([]Single)
	for _, m := range notices {
		if _, err := openSingle(ctx, q, m); err != nil {
			return err
		}
	}
	return nil
}

// OpenSingleRun opens a run of one mail.
func (s *Store) OpenSingleRun(ctx context.Context, m Single) (runID int64, err error) {
	err = s.do(ctx, func(q *sqlc.Queries) (err error) {
		runID, err = openSingle(ctx, q, m)
		return err
	})
	return runID, wrap(err, "open single run")
}

func openSingle(ctx context.Context, q *sqlc.Queries, m Single) (runID int64, err error) {
	r := m.Run
	r.ID = NewID()
	if err := createRun(ctx, q, r, m.Content); err != nil {
		return 0, err
	}
	_, err = q.CreateSingleDelivery(ctx, sqlc.CreateSingleDeliveryParams{
		RunID: r.ID, Email: m.Email, DueAt: millis(r.CreatedAt), Vars: m.Vars,
	})
	if err != nil {
		return 0, err
	}
	if _, err := q.Filled(ctx, sqlc.FilledParams{ID: r.ID, Audience: 1}); err != nil {
		return 0, err
	}
	return r.ID, q.OpenedRun(ctx, r.ID)
}
