package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

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

// WithoutDeed has nothing of the context go into the audit log: for a step of a deed that
// has several.
func WithoutDeed(ctx context.Context) context.Context {
	return context.WithValue(ctx, deedKey{}, (*pendingDeed)(nil))
}

// made tells the deed of the context the id of what it has made. An account is its own.
func made(ctx context.Context, id int64) {
	tell(ctx, func(d *mailing.Deed) {
		if d.Thing.ID != 0 {
			return
		}
		if d.Thing.ID = id; d.Thing.Kind == mailing.ThingAccount {
			d.Owner = id
		}
	})
}

// tell has the deed of the context, if there is one that is not written down yet, say
// what only the store knows.
func tell(ctx context.Context, more func(*mailing.Deed)) {
	if d, ok := ctx.Value(deedKey{}).(*pendingDeed); ok && d != nil && !d.written {
		more(&d.Deed)
	}
}

// tellAfter has the deed of the context say a fact of how it is afterwards.
func tellAfter(ctx context.Context, field, fact string) {
	tell(ctx, func(d *mailing.Deed) { d.After = withFact(d.After, field, fact) })
}

// withFact is a copy with one fact more: whoever made the facts may use them again.
func withFact(f mailing.Facts, field, fact string) mailing.Facts {
	all := maps.Clone(f)
	if all == nil {
		all = mailing.Facts{}
	}
	all[field] = fact
	return all
}

// namedInDeed is how many of many things a deed names. Chosen: as many as a person
// reads; the number of all stands beside them.
const namedInDeed = 20

// manyBefore adds what was there before to the facts of a deed that removes many
// clients: how many there were, and the first by their masked addresses.
func manyBefore(f mailing.Facts, names []string) mailing.Facts {
	for i, name := range names {
		names[i] = mailing.MaskEmail(name)
	}
	if len(names) == 1 {
		return withFact(f, "email", names[0])
	}
	slices.Sort(names)
	f = withFact(f, "count", strconv.Itoa(len(names)))
	return withFact(f, "emails", strings.Join(names[:min(len(names), namedInDeed)], ", "))
}

// PutDeed writes down the deed of the context, which changes nothing else in here.
func (s *Store) PutDeed(ctx context.Context) error {
	return wrap(s.do(ctx, func(*sqlc.Queries) error { return nil }), "put deed")
}

// writeDeed adds the deed of the context to the audit log and returns what to call
// once that is certain.
func writeDeed(ctx context.Context, q *sqlc.Queries) (done func(), err error) {
	d, ok := ctx.Value(deedKey{}).(*pendingDeed)
	if !ok || d == nil || d.written {
		return func() {}, nil
	}
	if err := openNotices(ctx, q); err != nil {
		return nil, err
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

// Beside does what is no business of the store's in a transaction with the deed of the
// context.
func (s *Store) Beside(ctx context.Context, do func(tx *sql.Tx) error) error {
	return wrap(s.inTx(ctx, func(_ *sqlc.Queries, tx *sql.Tx) error { return do(tx) }), "write down a deed")
}
