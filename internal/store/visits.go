package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
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

// viewsFrom is how many browsers at one address count for a post on a day: a browser says
// itself which it is, and may say something else each time. Chosen: a family is counted
// right, and an office as a family.
const viewsFrom = 5

// CountView adds a view to a post, unless the visitor, a browser at an address, has had
// one on that day already, or viewsFrom others at the address have. All addresses are
// equally long. Note and count are one transaction, so that a visitor counts once on many
// nodes at once; of an address those may count a few more that come at the same moment.
// Who loads a page again and again only causes reads.
func (s *Store) CountView(ctx context.Context, postID, day int64, address, browser []byte) error {
	visitor := slices.Concat(address, browser)
	counted := func(q *sqlc.Queries) (bool, error) {
		seen, err := q.Visits(ctx, sqlc.VisitsParams{
			Day: day, PostID: postID, Lowest: address, Highest: slices.Concat(address, beyondBrowsers),
		})
		return len(seen) >= viewsFrom || slices.ContainsFunc(seen, func(v []byte) bool { return bytes.Equal(v, visitor) }), err
	}
	if done, err := counted(s.r); err != nil || done {
		return wrap(err, "look for a visit")
	}
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if done, err := counted(q); err != nil || done {
			return err
		}
		first, err := q.PutVisit(ctx, sqlc.PutVisitParams{Day: day, PostID: postID, Visitor: visitor})
		if err != nil || first == 0 {
			return err
		}
		return there(q.CountView(ctx, postID))
	}), "count view")
}

// beyondBrowsers comes after all browsers in the order of bytes.
var beyondBrowsers = bytes.Repeat([]byte{0xff}, sha256.Size)

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
