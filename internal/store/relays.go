package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// Relay is a way out for mails, as set up on its page. A limit of 0 is none.
type Relay struct {
	ID             int64
	Kind           string // "smtp" or "mx"
	Name           string // unique
	Host           string // this to PasswordSealed are empty for "mx"
	Port           int
	TLS            string
	Username       string
	PasswordSealed string
	FromName       string
	FromEmail      string
	HeloName       string
	Weight         int
	Connections    int
	Messages       int // over one connection
	PerSecond      int
	PerHour        int
	PerDay         int
	Enabled        bool
	Trouble        string // why it was stopped; empty: it was not
	TroubleAt      time.Time
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Relays lists all relays, in the order in which they were set up.
func (s *Store) Relays(ctx context.Context) ([]Relay, error) {
	rows, err := s.r.Relays(ctx)
	if err != nil {
		return nil, wrap(err, "relays")
	}
	relays := make([]Relay, len(rows))
	for i, row := range rows {
		relays[i] = relayOf(row)
	}
	return relays, nil
}

// Relay returns the relay with the id.
func (s *Store) Relay(ctx context.Context, id int64) (Relay, error) {
	row, err := found(s.r.Relay(ctx, id))
	return relayOf(row), wrap(err, "relay")
}

func relayOf(row sqlc.Relay) Relay {
	return Relay{
		ID: row.ID, Kind: row.Kind, Name: row.Name, Host: row.Host, Port: int(row.Port), TLS: row.Tls,
		Username: row.Username, PasswordSealed: row.PasswordSealed, FromName: row.FromName, FromEmail: row.FromEmail,
		HeloName: row.HeloName, Weight: int(row.Weight), Connections: int(row.Connections), Messages: int(row.Messages),
		PerSecond: int(row.PerSecond), PerHour: int(row.PerHour), PerDay: int(row.PerDay), Enabled: row.Enabled != 0,
		Trouble: row.Trouble, TroubleAt: instant(row.TroubleAt), CreatedAt: instant(row.CreatedAt), UpdatedAt: instant(row.UpdatedAt),
	}
}

// CreateRelay adds a relay, which has no trouble yet, and returns its id. A name
// that is taken is a conflict, "relay_name_taken".
func (s *Store) CreateRelay(ctx context.Context, r Relay) (int64, error) {
	id := NewID()
	err := s.w.CreateRelay(ctx, sqlc.CreateRelayParams{
		ID: id, Kind: r.Kind, Name: r.Name, Host: r.Host, Port: int64(r.Port), Tls: r.TLS,
		Username: r.Username, PasswordSealed: r.PasswordSealed, FromName: r.FromName, FromEmail: r.FromEmail,
		HeloName: r.HeloName, Weight: int64(r.Weight), Connections: int64(r.Connections), Messages: int64(r.Messages),
		PerSecond: int64(r.PerSecond), PerHour: int64(r.PerHour), PerDay: int64(r.PerDay), Enabled: flag(r.Enabled),
		CreatedAt: millis(r.CreatedAt), UpdatedAt: millis(r.UpdatedAt),
	})
	return id, wrap(nameTaken(err, r.Name), "create relay")
}

// UpdateRelay stores a relay anew, with its trouble forgotten.
func (s *Store) UpdateRelay(ctx context.Context, r Relay) error {
	rows, err := s.w.UpdateRelay(ctx, sqlc.UpdateRelayParams{
		ID: r.ID, Kind: r.Kind, Name: r.Name, Host: r.Host, Port: int64(r.Port), Tls: r.TLS,
		Username: r.Username, PasswordSealed: r.PasswordSealed, FromName: r.FromName, FromEmail: r.FromEmail,
		HeloName: r.HeloName, Weight: int64(r.Weight), Connections: int64(r.Connections), Messages: int64(r.Messages),
		PerSecond: int64(r.PerSecond), PerHour: int64(r.PerHour), PerDay: int64(r.PerDay), Enabled: flag(r.Enabled),
		UpdatedAt: millis(r.UpdatedAt),
	})
	return wrap(there(rows, nameTaken(err, r.Name)), "update relay")
}

func nameTaken(err error, name string) error {
	if isDuplicate(err) {
		return mailing.FieldFault(mailing.Conflict, "name", "relay_name_taken", "name", name)
	}
	return err
}

// DeleteRelay deletes a relay.
func (s *Store) DeleteRelay(ctx context.Context, id int64) error {
	rows, err := s.w.DeleteRelay(ctx, id)
	return wrap(there(rows, err), "delete relay")
}

// StopRelay notes why a relay is not to be used, and reports whether it was in
// use until now. The first reason stands.
func (s *Store) StopRelay(ctx context.Context, id int64, why string, now time.Time) (first bool, err error) {
	rows, err := s.w.StopRelay(ctx, sqlc.StopRelayParams{ID: id, Trouble: why, TroubleAt: millis(now)})
	return rows > 0, wrap(err, "stop relay")
}

// ResumeRelay forgets why a relay was stopped.
func (s *Store) ResumeRelay(ctx context.Context, id int64) error {
	rows, err := s.w.ResumeRelay(ctx, id)
	return wrap(there(rows, err), "resume relay")
}
