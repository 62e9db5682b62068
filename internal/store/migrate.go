package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// migrateTries is how often migrations are tried on SQLite. Each try fails only
// because another process was faster with one of them.
const migrateTries = 10

// Migrate brings the schema up to date. Several nodes may call it at once: one
// works and the others find it done. On PostgreSQL a lock makes them wait; SQLite
// has none that lasts longer than a transaction, so there a migration that
// somebody else has just made fails, and the rest is tried anew.
func (s *Store) Migrate(ctx context.Context) error {
	provider, err := s.migrations()
	if err != nil {
		return fmt.Errorf("store: read migrations: %w", err)
	}
	for try := 1; ; try++ {
		_, err := provider.Up(ctx)
		if err == nil {
			return nil
		}
		if s.Postgres() || try == migrateTries || ctx.Err() != nil {
			return fmt.Errorf("store: migrate: %w", err)
		}
	}
}

func (s *Store) migrations() (*goose.Provider, error) {
	if !s.Postgres() {
		folder, err := fs.Sub(migrations, "migrations/sqlite")
		if err != nil {
			return nil, err
		}
		return goose.NewProvider(goose.DialectSQLite3, s.write, folder)
	}
	folder, err := fs.Sub(migrations, "migrations/postgres")
	if err != nil {
		return nil, err
	}
	// Asked for once a second, for five minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, s.write, folder, goose.WithSessionLocker(locker))
}
