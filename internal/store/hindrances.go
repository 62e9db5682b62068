package store

import (
	"context"
	"database/sql"
	"time"

	"vestnik/internal/store/sqlc"
)

// Hindrance (помеха) is what keeps a node from sending as fast as it could, by a road or
// to a site, as the node says itself.
type Hindrance struct {
	Node   string
	RoadID int64
	Site   string // its key; empty: the whole road
	Kind   string // one of those below
	Name   string // of the road or the site, for people
	Why    string // the server's answer; empty: none
	Since  time.Time
	Until  time.Time // when it is tried again; zero: all the time
}

// The kinds of hindrances.
const (
	HindranceSilent = "silent" // the server does not answer
	HindranceLimit  = "limit"  // of the hour or the day is used up
	HindranceClosed = "closed" // the server has trouble with us, and is left alone for a while
	HindranceSlowed = "slowed" // the server has asked to be slower
)

// PutHindrances says what hinders the node now, in place of what it said before.
func (s *Store) PutHindrances(ctx context.Context, node string, list []Hindrance, now time.Time) error {
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		if err := q.DeleteHindrances(ctx, sqlc.DeleteHindrancesParams{Node: node, Now: millis(now)}); err != nil {
			return err
		}
		for _, h := range list {
			err := q.CreateHindrance(ctx, sqlc.CreateHindranceParams{
				Node: node, RoadID: h.RoadID, Site: h.Site, Kind: h.Kind, Name: storable(h.Name), Why: storable(h.Why),
				Since: millis(h.Since), Until: millis(h.Until),
			})
			if err != nil {
				return err
			}
		}
		return nil
	}), "put hindrances")
}

// Hindrances lists what hinders the nodes that live, the oldest first.
func (s *Store) Hindrances(ctx context.Context, now time.Time) ([]Hindrance, error) {
	rows, err := s.r.Hindrances(ctx, millis(now))
	list := make([]Hindrance, len(rows))
	for i, row := range rows {
		list[i] = Hindrance{
			Node: row.Node, RoadID: row.RoadID, Site: row.Site, Kind: row.Kind, Name: row.Name, Why: row.Why,
			Since: instant(row.Since), Until: instant(row.Until),
		}
	}
	return list, wrap(err, "hindrances")
}
