package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vestnik/internal/mailing"
)

// Backup writes the whole database, as it is at one moment, into a new file that
// only the owner of the process may read. Those who work on the database meanwhile
// do not wait. Of PostgreSQL, which has means of its own, it is refused with
// "backup_postgres"; a file that is there already with "file_exists". When it
// fails, there is no file.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.Postgres() {
		return mailing.Fault(mailing.Conflict, "backup_postgres")
	}
	path, err := filepath.Abs(path) // SQLite takes "file:…" for an address
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return mailing.Fault(mailing.Conflict, "file_exists", "path", path)
	}
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	err = s.copyInto(ctx, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("store: backup: %w", err), os.Remove(path))
	}
	return nil
}

// copyInto copies the database into the empty file and sees to it that it is on
// disk, which SQLite leaves to others.
func (s *Store) copyInto(ctx context.Context, file *os.File) error {
	// A connection of its own: SQLite lets those that may only query write no
	// copy either.
	db, err := sql.Open("sqlite", fileURL(s.path)+"mode=ro")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "vacuum into $1", file.Name())
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(file.Name()))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
