package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

type deedKey struct{}

// pendingDeed waits for the transaction that does it.
type pendingDeed struct {
	mailing.Deed
	written bool
}

// WithDeed has the next transaction of the context that changes something write down
// the deed, too: both are there afterwards, or neither. It is written down once, with
// the id of what a method of the store has made in place of an id of 0.
func WithDeed(ctx context.Context, d mailing.Deed) context.Context {
	return context.WithValue(ctx, deedKey{}, &pendingDeed{Deed: d})
}

// made tells the deed of the context the id of what it has made.
func made(ctx context.Context, id int64) {
	if d, ok := ctx.Value(deedKey{}).(*pendingDeed); ok && d.Thing.ID == 0 {
		d.Thing.ID = id
	}
}

// writeDeed adds the deed of the context to the audit log and returns what to call
// once that is certain.
func writeDeed(ctx context.Context, q *sqlc.Queries) (done func(), err error) {
	d, ok := ctx.Value(deedKey{}).(*pendingDeed)
	if !ok || d.written {
		return func() {}, nil
	}
	last, err := q.NextDeed(ctx)
	if err != nil {
		return nil, err
	}
	row := deedRow(d.Deed)
	row.Number = last.Number
	row.Hash = chainHash(last.Hash, row)
	if err := q.PutDeed(ctx, row); err != nil {
		return nil, err
	}
	return func() { d.written = true }, q.LinkDeed(ctx, row.Hash)
}

// chainHash is the SHA-256 of a line and of the hash of the one before it, as a JSON
// array. To change it would break the chain of every installation.
func chainHash(before string, d sqlc.PutDeedParams) string {
	line, err := json.Marshal([]any{
		before, d.Number, d.At, d.ActorID, d.Email, d.FromAddress, d.Action, d.Kind, d.ThingID, d.Thing, d.OwnerID, d.Why, d.Was,
		d.Became,
	})
	if err != nil {
		panic("store: a deed is plain data: " + err.Error())
	}
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

func deedRow(d mailing.Deed) sqlc.PutDeedParams {
	return sqlc.PutDeedParams{
		At: millis(d.At), ActorID: d.Actor, Email: storable(d.Email), FromAddress: storable(d.From), Action: string(d.Action),
		Kind: string(d.Thing.Kind), ThingID: d.Thing.ID, Thing: storable(d.Thing.Name), OwnerID: d.Owner, Why: storable(d.Why),
		Was: factsText(d.Before), Became: factsText(d.After),
	}
}

// factsText is JSON, or empty for no facts.
func factsText(f mailing.Facts) string {
	if len(f) == 0 {
		return ""
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic("store: facts are plain data: " + err.Error())
	}
	return storable(string(text))
}

// do is inTx for changes that need no statement but the queries.
func (s *Store) do(ctx context.Context, change func(*sqlc.Queries) error) error {
	return s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error { return change(q) })
}
