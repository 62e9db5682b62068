package server

import (
	"context"
	"time"

	"vestnik/internal/config"
)

// answerAfter is longer than it takes to look for an address, to hash a password and to write a
// mail down, even on a slow machine, and hardly felt. Chosen.
const answerAfter = 300 * time.Millisecond

// tellFirst tells who started the service, and nobody else, where to make the first account.
// Until that is done, every start tells the same link.
func (b *Base) tellFirst(ctx context.Context) error {
	if !b.Config.Has(config.RoleWeb) {
		return nil
	}
	link, err := b.App.FirstLink(ctx)
	if err == nil && link != "" {
		b.Log.Info("nobody can administer this service yet; make the first account by this link, which works once", "link", link)
	}
	return err
}
