package store

import (
	"context"
	"time"

	"vestnik/internal/store/sqlc"
)

// VisitSecret returns the key under which the visitors of a day are known, the same on
// every node. The first who asks makes it of fresh.
func (s *Store) VisitSecret(ctx context.Context, day int64, fresh []byte) ([]byte, error) {
	secret, err := s.r.VisitSecret(ctx, day)
	if err == nil {
		return secret, nil
	}
	if err := s.w.PutVisitSecret(ctx, sqlc.PutVisitSecretParams{Day: day, Secret: fresh}); err != nil {
		return nil, wrap(err, "make the day's key of visits")
	}
	secret, err = s.w.VisitSecret(ctx, day)
	return secret, wrap(err, "the day's key of visits")
}

// CountView adds a view to a post, unless the visitor has had one on that day already.
// Note and count are one transaction, so that it is right on many nodes at once. Who
// loads a page again and again only causes reads.
func (s *Store) CountView(ctx context.Context, postID, day int64, visitor []byte) error {
	known, err := s.r.Visited(ctx, sqlc.VisitedParams{Day: day, PostID: postID, Visitor: visitor})
	if err != nil || known > 0 {
		return wrap(err, "look for a visit")
	}
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		first, err := q.PutVisit(ctx, sqlc.PutVisitParams{Day: day, PostID: postID, Visitor: visitor})
		if err != nil || first == 0 {
			return err
		}
		return there(q.CountView(ctx, postID))
	}), "count view")
}

// pictureKept is how long a picture is kept that nothing shows: as long as somebody may
// leave an editor open, or want back what they took out of a text. Chosen.
const pictureKept = 7 * 24 * time.Hour

// SweepBlog forgets who has read what before the day, and deletes pictures that nothing
// shows.
func (s *Store) SweepBlog(ctx context.Context, day int64, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if err := q.DeleteVisits(ctx, day); err != nil {
			return err
		}
		if err := q.DeleteVisitSecrets(ctx, day); err != nil {
			return err
		}
		_, err := q.DeleteUnusedPictures(ctx, millis(now.Add(-pictureKept)))
		return err
	}), "sweep the blog")
}
