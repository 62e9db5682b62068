package server

import (
	"context"
	"time"

	"vestnik/internal/store"
	"vestnik/internal/web"
)

// sessions keeps web's sessions in the store (scs.CtxStore). scs hands over the
// hash of a token, never the token.
type sessions struct{ store *store.Store }

func (s sessions) FindCtx(ctx context.Context, hash string) ([]byte, bool, error) {
	return s.store.Session(ctx, hash, time.Now())
}

func (s sessions) CommitCtx(ctx context.Context, hash string, data []byte, expires time.Time) error {
	of, expires := web.SessionOf(hash, data, expires)
	return s.store.PutSession(ctx, of, data, expires)
}

func (s sessions) DeleteCtx(ctx context.Context, hash string) error {
	return s.store.DeleteSession(ctx, hash)
}

func (s sessions) Find(hash string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), hash)
}

func (s sessions) Commit(hash string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), hash, data, expires)
}

func (s sessions) Delete(hash string) error { return s.DeleteCtx(context.Background(), hash) }
