package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Installation is what all nodes on one database share. KeyCheck is a keyed hash
// by which a node sees that it has the same secret key as the others.
type Installation struct {
	Instance string
	KeyCheck string
}

// Installation stores first if the database is new, and returns what is there.
func (s *Store) Installation(ctx context.Context, first Installation, now time.Time) (Installation, error) {
	err := s.w.CreateInstallation(ctx, sqlc.CreateInstallationParams{
		Instance: first.Instance, KeyCheck: first.KeyCheck, CreatedAt: millis(now),
	})
	if err != nil {
		return Installation{}, wrap(err, "create installation")
	}
	row, err := s.w.Installation(ctx)
	return Installation{Instance: row.Instance, KeyCheck: row.KeyCheck}, wrap(err, "installation")
}

// DemoMail is a mail that was kept instead of sent.
type DemoMail struct {
	ID                         int64
	Sender, Recipient, Subject string
	Data                       []byte
	At                         time.Time
}

// PutDemoMail keeps a mail, and of all mails the latest keep.
func (s *Store) PutDemoMail(ctx context.Context, m DemoMail, keep int64) error {
	id, err := s.w.PutDemoMail(ctx, sqlc.PutDemoMailParams{
		Sender: m.Sender, Recipient: m.Recipient, Subject: m.Subject, Data: m.Data,
		Search: mailing.SearchText(m.Recipient, m.Subject), At: millis(m.At),
	})
	if err != nil || id%100 != 0 {
		return wrap(err, "put demo mail")
	}
	return wrap(s.w.TrimDemoMails(ctx, id-keep), "trim demo mails")
}

// DemoMail returns a kept mail.
func (s *Store) DemoMail(ctx context.Context, id int64) (DemoMail, error) {
	row, err := found(s.r.DemoMail(ctx, id))
	return DemoMail{
		ID: row.ID, Sender: row.Sender, Recipient: row.Recipient, Subject: row.Subject, Data: row.Data, At: instant(row.At),
	}, wrap(err, "demo mail")
}
