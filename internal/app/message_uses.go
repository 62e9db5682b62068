package app

import (
	"context"

	"vestnik/internal/mailing"
)

// MessageUses counts the mailings that send each of the messages, by the message; of those
// that the actor may not see nothing is told.
func (a *App) MessageUses(ctx context.Context, actor mailing.Account, messages []mailing.Message) (map[int64]int64, error) {
	var ids []int64
	for _, m := range messages {
		if mayView(actor, m.OwnerID, mailing.ViewAnyMailing) == nil {
			ids = append(ids, m.ID)
		}
	}
	return a.store.MessageUses(ctx, ids)
}
