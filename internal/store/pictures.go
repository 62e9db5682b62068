package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Picture is one that a person uploaded, in two sizes.
type Picture struct {
	Hash          string
	Type          string // of both, as in Content-Type
	Width, Height int64  // of Large
	Small, Large  []byte
}

// PutPicture keeps a picture. The same is kept once.
func (s *Store) PutPicture(ctx context.Context, p Picture, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return putPicture(ctx, q, p, now) }), "put picture")
}

func putPicture(ctx context.Context, q *sqlc.Queries, p Picture, now time.Time) error {
	return q.PutPicture(ctx, sqlc.PutPictureParams{
		Hash: p.Hash, Type: p.Type, Width: p.Width, Height: p.Height, Small: p.Small, Large: p.Large, UsedAt: millis(now),
	})
}

// LargePicture returns the type and the data of a picture.
func (s *Store) LargePicture(ctx context.Context, hash string) (kind string, data []byte, err error) {
	row, err := found(s.r.LargePicture(ctx, hash))
	return row.Type, row.Large, wrap(err, "picture")
}

// SmallPicture is LargePicture in the small size.
func (s *Store) SmallPicture(ctx context.Context, hash string) (kind string, data []byte, err error) {
	row, err := found(s.r.SmallPicture(ctx, hash))
	return row.Type, row.Small, wrap(err, "picture")
}

// HasPicture reports whether the picture is there.
func (s *Store) HasPicture(ctx context.Context, hash string) (bool, error) {
	n, err := s.r.CountPicture(ctx, hash)
	return n > 0, wrap(err, "look for a picture")
}

// SetAvatar gives the account a picture as its face; the zero Picture takes it away.
func (s *Store) SetAvatar(ctx context.Context, account int64, p Picture, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if p.Hash != "" {
			if err := putPicture(ctx, q, p, now); err != nil {
				return err
			}
		}
		return there(q.SetAvatar(ctx, sqlc.SetAvatarParams{ID: account, Avatar: p.Hash}))
	}), "set avatar")
}

// PutAccountPicture keeps a picture as long as the account that shows it in its messages.
func (s *Store) PutAccountPicture(ctx context.Context, account int64, p Picture, now time.Time) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if err := putPicture(ctx, q, p, now); err != nil {
			return err
		}
		return q.PutAccountPicture(ctx, sqlc.PutAccountPictureParams{AccountID: account, Hash: p.Hash})
	}), "put picture")
}

// AccountPictures returns the names of what PutAccountPicture keeps for an account.
func (s *Store) AccountPictures(ctx context.Context, account int64) ([]string, error) {
	names, err := s.r.AccountPictures(ctx, account)
	return names, wrap(err, "pictures of an account")
}

// SetTheme stores how the account wants the pages to look.
func (s *Store) SetTheme(ctx context.Context, a mailing.Account) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return there(q.SetTheme(ctx, sqlc.SetThemeParams{ID: a.ID, Theme: a.Theme}))
	}), "set theme")
}
