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

type operatorKey struct{}

// AsOperator notes that the deeds of the context are the operator's, in whosever room
// they are done.
func AsOperator(ctx context.Context) context.Context {
	return context.WithValue(ctx, operatorKey{}, true)
}

// doing has the next change that the store makes by the context go into the audit log
// as the actor's, in the same transaction.
func (a *App) doing(ctx context.Context, actor mailing.Account, d mailing.Deed) context.Context {
	if ctx.Value(operatorKey{}) != nil {
		actor = Operator
	}
	d.At, d.Actor, d.Email = a.Now(), actor.ID, actor.Email
	d.From, _ = ctx.Value(originKey{}).(string)
	return store.WithDeed(ctx, d)
}
