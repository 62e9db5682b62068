package store

import (
	"context"
	"database/sql"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// SigningKey is a key that signs the mails of a domain. Of the keys of one domain
// and algorithm, one is in use; the others wait for their records to be published.
type SigningKey struct {
	Domain        string
	Selector      string // unique within the domain
	Algorithm     string
	Public        string // as in the DNS record
	PrivateSealed string
	InUse         bool
	CreatedAt     time.Time
}

// SigningKeys returns all keys, by domain, the newest first.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	rows, err := s.r.SigningKeys(ctx)
	if err != nil {
		return nil, wrap(err, "signing keys")
	}
	keys := make([]SigningKey, len(rows))
	for i, row := range rows {
		keys[i] = SigningKey{
			Domain: row.Domain, Selector: row.Selector, Algorithm: row.Algorithm, Public: row.PublicKey,
			PrivateSealed: row.PrivateSealed, InUse: row.InUse == 1, CreatedAt: instant(row.CreatedAt),
		}
	}
	return keys, nil
}

// CreateSigningKeys adds keys, all or none. A key is in use at once unless there
// is one of its domain and algorithm that is. A selector that is taken is a
// conflict, "selector_taken".
func (s *Store) CreateSigningKeys(ctx context.Context, keys []SigningKey) error {
	return wrap(s.inTx(ctx, func(q *sqlc.Queries, _ *sql.Tx) error {
		for _, k := range keys {
			err := q.CreateSigningKey(ctx, sqlc.CreateSigningKeyParams{
				Domain: k.Domain, Selector: k.Selector, Algorithm: k.Algorithm, PublicKey: k.Public,
				PrivateSealed: k.PrivateSealed, CreatedAt: millis(k.CreatedAt),
			})
			if isDuplicate(err) {
				return mailing.FieldFault(mailing.Conflict, "selector", "selector_taken", "selector", k.Selector, "domain", k.Domain)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}), "create signing keys")
}

// UseSigningKey puts a key into use in place of the one of the same domain and
// algorithm.
func (s *Store) UseSigningKey(ctx context.Context, domain, selector string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return there(q.UseSigningKey(ctx, sqlc.UseSigningKeyParams{Domain: domain, Selector: selector}))
	}), "use signing key")
}

// DeleteSigningKey deletes a key.
func (s *Store) DeleteSigningKey(ctx context.Context, domain, selector string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return there(q.DeleteSigningKey(ctx, sqlc.DeleteSigningKeyParams{Domain: domain, Selector: selector}))
	}), "delete signing key")
}
