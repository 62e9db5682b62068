package app

import (
	"context"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

type originKey struct{}

// WithOrigin notes where the deeds of the context come from, for the audit log.
func WithOrigin(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, originKey{}, address)
}

// doing has the next change that the store makes by the context go into the audit log
// as the actor's, in the same transaction.
func (a *App) doing(ctx context.Context, actor mailing.Account, d mailing.Deed) context.Context {
	d.At, d.Actor, d.Email = a.Now(), actor.ID, actor.Email
	d.From, _ = ctx.Value(originKey{}).(string)
	return store.WithDeed(ctx, d)
}
