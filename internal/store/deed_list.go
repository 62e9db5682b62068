package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// DeedFilter narrows the audit log. Zero values narrow nothing.
type DeedFilter struct {
	Concerning int64 // an account: what it did, and what was done to what is its own
	Owner      int64 // whose things
	Actor      int64
	Email      string // typed, of the actor
	Action     mailing.Action
	Kind       mailing.ThingKind // of the thing
	Thing      int64
	From, To   time.Time // From <= at < To
	Before     int64     // number: only older ones; 0: from the newest
	Limit      int64
}

// Deeds lists lines of the audit log, newest first.
func (s *Store) Deeds(ctx context.Context, f DeedFilter) ([]mailing.Deed, error) {
	p := f.predicate()
	p.values = append(p.values, f.Limit)
	rows, err := s.read.QueryContext(ctx, `select number, at, actor_id, email, from_address, action, kind, thing_id, thing,
owner_id, why, was, became, hash from deeds`+p.where()+` order by number desc limit $`+strconv.Itoa(len(p.values)), p.values...)
	if err != nil {
		return nil, wrap(err, "list deeds")
	}
	deeds, err := collect(rows, func(rows *sql.Rows) (mailing.Deed, error) {
		var d sqlc.Deed
		err := rows.Scan(&d.Number, &d.At, &d.ActorID, &d.Email, &d.FromAddress, &d.Action, &d.Kind, &d.ThingID, &d.Thing,
			&d.OwnerID, &d.Why, &d.Was, &d.Became, &d.Hash)
		if err != nil {
			return mailing.Deed{}, err
		}
		return deedOf(d)
	})
	return deeds, wrap(err, "list deeds")
}

func (f DeedFilter) predicate() (p predicate) {
	for _, c := range []struct {
		condition string
		value     int64
	}{
		// The numbers from both indexes; "or" would read the whole log backwards.
		{"number in (select number from deeds where owner_id = ? union all select number from deeds where actor_id = ?)", f.Concerning},
		{"owner_id = ?", f.Owner},
		{"actor_id = ?", f.Actor},
		{"thing_id = ?", f.Thing},
		{"number < ?", f.Before},
		{"at >= ?", millis(f.From)},
		{"at < ?", millis(f.To)},
	} {
		if c.value != 0 {
			p.and(c.condition, c.value)
		}
	}
	if f.Action != "" {
		p.and("action = ?", string(f.Action))
	}
	if f.Kind != "" {
		p.and("kind = ?", string(f.Kind))
	}
	p.search("email", f.Email)
	return p
}

func deedOf(row sqlc.Deed) (mailing.Deed, error) {
	d := mailing.Deed{
		Number: row.Number, At: instant(row.At), Actor: row.ActorID, Email: row.Email, From: row.FromAddress,
		Action: mailing.Action(row.Action), Owner: row.OwnerID, Why: row.Why, Hash: row.Hash,
		Thing: mailing.Thing{Kind: mailing.ThingKind(row.Kind), ID: row.ThingID, Name: row.Thing},
	}
	for _, facts := range []struct {
		text string
		into *mailing.Facts
	}{{row.Was, &d.Before}, {row.Became, &d.After}} {
		if facts.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(facts.text), facts.into); err != nil {
			return d, err
		}
	}
	return d, nil
}

// Verified is what a walk along the audit log has found.
type Verified struct {
	Lines  int64  // how many are as they were written
	Hash   string // of the last of them
	Broken int64  // the number of the first line that was changed, is missing, or was put in; 0: none
}

// verifyBatch is how many lines are read at once; chosen.
const verifyBatch = 100

// VerifyDeeds walks along the audit log as it is now. Who can write to the database
// can write the whole chain anew; that only shows to those who have kept the hash of
// a line elsewhere.
func (s *Store) VerifyDeeds(ctx context.Context) (v Verified, err error) {
	end, err := s.r.DeedChain(ctx)
	if err != nil {
		return v, wrap(err, "verify deeds")
	}
	for v.Lines < end.Number && v.Broken == 0 {
		rows, err := s.r.DeedsAfter(ctx, sqlc.DeedsAfterParams{Number: v.Lines, Most: min(verifyBatch, end.Number-v.Lines)})
		if err != nil {
			return v, wrap(err, "verify deeds")
		}
		if len(rows) == 0 {
			v.Broken = v.Lines + 1
		}
		v.follow(rows)
	}
	if v.Broken != 0 {
		return v, nil
	}
	return s.verifyEnd(ctx, v, end.Hash)
}

// follow goes on along the lines, which follow each other, until one is not as it was.
func (v *Verified) follow(rows []sqlc.Deed) {
	for _, row := range rows {
		line := sqlc.PutDeedParams(row)
		if row.Number != v.Lines+1 || row.Hash != chainHash(v.Hash, line) {
			v.Broken = v.Lines + 1
			return
		}
		v.Lines, v.Hash = row.Number, row.Hash
	}
}

// verifyEnd looks whether the chain ends where it says: not in another line, and with
// no line behind it. Lines that were added meanwhile belong to its new end.
func (s *Store) verifyEnd(ctx context.Context, v Verified, hash string) (Verified, error) {
	if v.Hash != hash {
		v.Broken = v.Lines
		return v, nil
	}
	last, err := s.r.LastDeed(ctx)
	if err != nil {
		return v, wrap(err, "verify deeds")
	}
	end, err := s.r.DeedChain(ctx) // after the look at the lines, so that it knows of all of them
	if err == nil && last > end.Number {
		v.Broken = end.Number + 1
	}
	return v, wrap(err, "verify deeds")
}
