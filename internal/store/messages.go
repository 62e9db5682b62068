package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// CreateMessage adds a message and returns its id.
func (s *Store) CreateMessage(ctx context.Context, m mailing.Message) (int64, error) {
	id := NewID()
	made(ctx, id)
	return id, wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.CreateMessage(ctx, sqlc.CreateMessageParams{
			ID: id, OwnerID: m.OwnerID, Subject: m.Subject, Format: string(m.Format), Body: m.Body,
			Search: mailing.SearchText(m.Subject), CreatedAt: millis(m.CreatedAt),
		})
	}), "create message")
}

// Message returns a message, whoever owns it.
func (s *Store) Message(ctx context.Context, id int64) (mailing.Message, error) {
	row, err := found(s.r.Message(ctx, id))
	return messageOf(row), wrap(err, "message")
}

// UpdateMessage stores the fields of a message. Runs that are open send what it
// said when they were opened.
func (s *Store) UpdateMessage(ctx context.Context, m mailing.Message) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return q.UpdateMessage(ctx, sqlc.UpdateMessageParams{
			ID: m.ID, Subject: m.Subject, Format: string(m.Format), Body: m.Body,
			Search: mailing.SearchText(m.Subject), UpdatedAt: millis(m.UpdatedAt),
		})
	}), "update message")
}

// DeleteMessage removes a message that no mailing uses; one in use is a
// conflict, "message_in_use". See WithTrash.
func (s *Store) DeleteMessage(ctx context.Context, id int64) error {
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, tx *sql.Tx) error {
		used, err := q.MailingsOfMessage(ctx, id)
		if err != nil {
			return err
		}
		if used > 0 {
			return mailing.Fault(mailing.Conflict, "message_in_use", "count", used)
		}
		if err := throw(ctx, q, tx, mailing.ThingMessage, 0, id); err != nil {
			return err
		}
		return q.DeleteMessage(ctx, id)
	}), "delete message")
}

// freeze stores what is sent as it is now and returns the id of that version.
// The same words have one version.
func freeze(ctx context.Context, q *sqlc.Queries, subject string, format mailing.Format, body string, now time.Time) (int64, error) {
	sum := sha256.Sum256([]byte(subject + "\x00" + string(format) + "\x00" + body))
	hash := hex.EncodeToString(sum[:])
	err := q.FreezeVersion(ctx, sqlc.FreezeVersionParams{
		ID: NewID(), Hash: hash, Subject: subject, Format: string(format), Body: body, CreatedAt: millis(now),
	})
	if err != nil {
		return 0, err
	}
	id, err := q.VersionByHash(ctx, hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = errVersionGone
	}
	return id, err
}

// errVersionGone says that a version was there and is not any more: see isVersionGone.
var errVersionGone = errors.New("store: a version was deleted meanwhile")

// Version returns what a run sends.
func (s *Store) Version(ctx context.Context, id int64) (mailing.Version, error) {
	row, err := found(s.r.Version(ctx, id))
	return mailing.Version{
		ID: row.ID, Subject: row.Subject, Format: mailing.Format(row.Format), Body: row.Body,
	}, wrap(err, "version")
}

func messageOf(row sqlc.Message) mailing.Message {
	return mailing.Message{
		ID: row.ID, OwnerID: row.OwnerID, Subject: row.Subject, Format: mailing.Format(row.Format), Body: row.Body,
		CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}
}
