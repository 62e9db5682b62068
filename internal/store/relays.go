package store

import (
	"context"
	"database/sql"
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
	made(ctx, id)
	err := s.do(ctx, func(q *sqlc.Queries) error {
		return q.CreateRelay(ctx, sqlc.CreateRelayParams{
			ID: id, Kind: r.Kind, Name: r.Name, Host: r.Host, Port: int64(r.Port), Tls: r.TLS,
			Username: r.Username, PasswordSealed: r.PasswordSealed, FromName: r.FromName, FromEmail: r.FromEmail,
			HeloName: r.HeloName, Weight: int64(r.Weight), Connections: int64(r.Connections), Messages: int64(r.Messages),
			PerSecond: int64(r.PerSecond), PerHour: int64(r.PerHour), PerDay: int64(r.PerDay), Enabled: flag(r.Enabled),
			CreatedAt: millis(r.CreatedAt), UpdatedAt: millis(r.UpdatedAt),
		})
	})
	return id, wrap(nameTaken(err, r.Name), "create relay")
}

// UpdateRelay stores a relay anew, with its trouble forgotten.
func (s *Store) UpdateRelay(ctx context.Context, r Relay) error {
	err := s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		rows, err := q.UpdateRelay(ctx, sqlc.UpdateRelayParams{
			ID: r.ID, Kind: r.Kind, Name: r.Name, Host: r.Host, Port: int64(r.Port), Tls: r.TLS,
			Username: r.Username, PasswordSealed: r.PasswordSealed, FromName: r.FromName, FromEmail: r.FromEmail,
			HeloName: r.HeloName, Weight: int64(r.Weight), Connections: int64(r.Connections), Messages: int64(r.Messages),
			PerSecond: int64(r.PerSecond), PerHour: int64(r.PerHour), PerDay: int64(r.PerDay), Enabled: flag(r.Enabled),
			UpdatedAt: millis(r.UpdatedAt),
		})
		if err := there(rows, nameTaken(err, r.Name)); err != nil {
			return err
		}
		return q.EndTroublesOfRelay(ctx, r.ID)
	})
	return wrap(err, "update relay")
}

func nameTaken(err error, name string) error {
	if isDuplicate(err) {
		return mailing.FieldFault(mailing.Conflict, "name", "relay_name_taken", "name", name)
	}
	return err
}

// DeleteRelay deletes a relay, and what troubles it had.
func (s *Store) DeleteRelay(ctx context.Context, id int64) error {
	err := s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		if err := there(q.DeleteRelay(ctx, id)); err != nil {
			return err
		}
		return q.EndTroublesOfRelay(ctx, id)
	})
	return wrap(err, "delete relay")
}

// StopRelay notes why a relay is not to be used, and reports whether it was in
// use until now. The first reason stands.
func (s *Store) StopRelay(ctx context.Context, id int64, why string, now time.Time) (first bool, err error) {
	rows, err := s.w.StopRelay(ctx, sqlc.StopRelayParams{ID: id, Trouble: why, TroubleAt: millis(now)})
	return rows > 0, wrap(err, "stop relay")
}

// ResumeRelay forgets why a relay was stopped.
func (s *Store) ResumeRelay(ctx context.Context, id int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error { return there(q.ResumeRelay(ctx, id)) }), "resume relay")
}

// SiteTrouble is a site whose policy refuses what a node sends to it directly.
type SiteTrouble struct {
	RelayID int64 // the way of sending directly
	Node    string
	Site    string // its key
	Name    string // of the site, for people
	Why     string // the answer to the last try
	Since   time.Time
	Until   time.Time // when the next try is due
}

// SiteTroubleFor is for how long a trouble counts after its next try was due, when
// there was none. Chosen: nobody knows what the site thinks by then.
const SiteTroubleFor = 24 * time.Hour

// SiteTroubles lists the troubles that count now, by site and node.
func (s *Store) SiteTroubles(ctx context.Context, now time.Time) ([]SiteTrouble, error) {
	rows, err := s.r.SiteTroubles(ctx, millis(now.Add(-SiteTroubleFor)))
	list := make([]SiteTrouble, len(rows))
	for i, row := range rows {
		list[i] = SiteTrouble{
			RelayID: row.RelayID, Node: row.Node, Site: row.Site, Name: row.Name, Why: row.Why,
			Since: instant(row.Since), Until: instant(row.Until),
		}
	}
	return list, wrap(err, "site troubles")
}

// PutSiteTrouble notes a trouble, or the last try of one that is known: it is still
// since then.
func (s *Store) PutSiteTrouble(ctx context.Context, t SiteTrouble) error {
	return wrap(s.w.PutSiteTrouble(ctx, sqlc.PutSiteTroubleParams{
		RelayID: t.RelayID, Node: t.Node, Site: t.Site, Name: t.Name, Why: t.Why, Since: millis(t.Since), Until: millis(t.Until),
	}), "put site trouble")
}

// EndSiteTrouble forgets a trouble, if there is one.
func (s *Store) EndSiteTrouble(ctx context.Context, relayID int64, node, site string) error {
	return wrap(s.w.EndSiteTrouble(ctx, sqlc.EndSiteTroubleParams{RelayID: relayID, Node: node, Site: site}), "end site trouble")
}

// EndTroublesOfNode forgets what troubles a node had with sites.
func (s *Store) EndTroublesOfNode(ctx context.Context, node string) error {
	return wrap(s.w.EndTroublesOfNode(ctx, node), "end troubles of node")
}
