package store

import (
	"context"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store/sqlc"
)

// TOTP is an account's app that makes codes. UsedStep is the last time step of
// which a code was taken.
type TOTP struct {
	AccountID int64
	Sealed    string // its secret
	UsedStep  int64
	CreatedAt time.Time
}

// SealedPasskey is a passkey with what it is recognised by.
type SealedPasskey struct {
	mailing.Passkey
	CredentialID string
	Sealed       string // its record
}

// HasFactor reports whether the account has a second factor.
func (s *Store) HasFactor(ctx context.Context, accountID int64) (bool, error) {
	n, err := s.r.CountFactors(ctx, accountID)
	return n > 0, wrap(err, "look for second factors")
}

// EnableTOTP stores an app that makes codes, and the hashes of recovery codes if it is
// the first second factor. A second app is a conflict, "totp_enabled".
func (s *Store) EnableTOTP(ctx context.Context, t TOTP, codes []string) (first bool, err error) {
	err = s.do(ctx, func(q *sqlc.Queries) error {
		if first, err = putFirstCodes(ctx, q, t.AccountID, codes); err != nil {
			return err
		}
		err := q.PutTOTP(ctx, sqlc.PutTOTPParams{
			AccountID: t.AccountID, SecretSealed: t.Sealed, UsedStep: t.UsedStep, CreatedAt: millis(t.CreatedAt),
		})
		if isDuplicate(err) {
			return mailing.Fault(mailing.Conflict, "totp_enabled")
		}
		return err
	})
	return first, wrap(err, "enable TOTP")
}

// putFirstCodes stores recovery codes unless there is a second factor already.
func putFirstCodes(ctx context.Context, q *sqlc.Queries, accountID int64, codes []string) (first bool, err error) {
	n, err := q.CountFactors(ctx, accountID)
	if err != nil || n > 0 {
		return false, err
	}
	return true, putCodes(ctx, q, accountID, codes)
}

func putCodes(ctx context.Context, q *sqlc.Queries, accountID int64, codes []string) error {
	if err := q.DeleteRecoveryCodes(ctx, accountID); err != nil {
		return err
	}
	for _, hash := range codes {
		if err := q.PutRecoveryCode(ctx, sqlc.PutRecoveryCodeParams{AccountID: accountID, Hash: hash}); err != nil {
			return err
		}
	}
	return nil
}

// TOTP returns the app of the account that makes codes.
func (s *Store) TOTP(ctx context.Context, accountID int64) (TOTP, error) {
	row, err := found(s.r.TOTP(ctx, accountID))
	return TOTP{
		AccountID: row.AccountID, Sealed: row.SecretSealed, UsedStep: row.UsedStep, CreatedAt: instant(row.CreatedAt),
	}, wrap(err, "TOTP")
}

// TakeTOTPStep uses up a time step with all before it. Of two who use it at once one
// gets true.
func (s *Store) TakeTOTPStep(ctx context.Context, accountID, step int64) (bool, error) {
	n, err := s.w.TakeTOTPStep(ctx, sqlc.TakeTOTPStepParams{AccountID: accountID, Step: step})
	return n > 0, wrap(err, "take a time step")
}

// DisableTOTP forgets the app. With the last second factor go the recovery codes.
func (s *Store) DisableTOTP(ctx context.Context, accountID int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if err := there(q.DeleteTOTP(ctx, accountID)); err != nil {
			return err
		}
		return q.DeleteIdleRecoveryCodes(ctx, accountID)
	}), "disable TOTP")
}

// SetRecoveryCodes stores hashes of recovery codes in place of earlier ones. Without a
// second factor there are none: a conflict, "factors_none".
func (s *Store) SetRecoveryCodes(ctx context.Context, accountID int64, codes []string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		n, err := q.CountFactors(ctx, accountID)
		if err == nil && n == 0 {
			err = mailing.Fault(mailing.Conflict, "factors_none")
		}
		if err != nil {
			return err
		}
		return putCodes(ctx, q, accountID, codes)
	}), "set recovery codes")
}

// CountRecoveryCodes returns how many are left.
func (s *Store) CountRecoveryCodes(ctx context.Context, accountID int64) (int64, error) {
	n, err := s.r.CountRecoveryCodes(ctx, accountID)
	return n, wrap(err, "count recovery codes")
}

// TakeRecoveryCode uses up a recovery code. One that is not there is "not found"; of
// two who use one at once the second finds none.
func (s *Store) TakeRecoveryCode(ctx context.Context, accountID int64, hash string) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return there(q.TakeRecoveryCode(ctx, sqlc.TakeRecoveryCodeParams{AccountID: accountID, Hash: hash}))
	}), "take recovery code")
}

// AddPasskey stores a passkey, and the hashes of recovery codes if it is the first
// second factor. One that is known is a conflict, "passkey_known".
func (s *Store) AddPasskey(ctx context.Context, p SealedPasskey, codes []string) (first bool, err error) {
	id := NewID()
	err = s.do(ctx, func(q *sqlc.Queries) error {
		if first, err = putFirstCodes(ctx, q, p.AccountID, codes); err != nil {
			return err
		}
		err := q.PutPasskey(ctx, sqlc.PutPasskeyParams{
			ID: id, AccountID: p.AccountID, CredentialID: p.CredentialID, Name: p.Name, RecordSealed: p.Sealed,
			CreatedAt: millis(p.CreatedAt),
		})
		if isDuplicate(err) {
			return mailing.Fault(mailing.Conflict, "passkey_known")
		}
		return err
	})
	return first, wrap(err, "add passkey")
}

// Passkeys lists the passkeys of the account, oldest first.
func (s *Store) Passkeys(ctx context.Context, accountID int64) ([]SealedPasskey, error) {
	rows, err := s.r.Passkeys(ctx, accountID)
	if err != nil {
		return nil, wrap(err, "passkeys")
	}
	list := make([]SealedPasskey, len(rows))
	for i, row := range rows {
		list[i] = SealedPasskey{
			Passkey: mailing.Passkey{
				ID: row.ID, AccountID: row.AccountID, Name: row.Name, CreatedAt: instant(row.CreatedAt), UsedAt: instant(row.UsedAt),
			},
			CredentialID: row.CredentialID, Sealed: row.RecordSealed,
		}
	}
	return list, nil
}

// UsePasskey stores the record of a passkey after its use, unless another use came
// between: then it is a conflict.
func (s *Store) UsePasskey(ctx context.Context, was SealedPasskey, sealed string, now time.Time) error {
	return wrap(changed(s.w.UsePasskey(ctx, sqlc.UsePasskeyParams{
		ID: was.ID, WasSealed: was.Sealed, RecordSealed: sealed, UsedAt: millis(now),
	})), "use passkey")
}

// RenamePasskey gives a passkey of the account another name.
func (s *Store) RenamePasskey(ctx context.Context, p mailing.Passkey) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		return there(q.RenamePasskey(ctx, sqlc.RenamePasskeyParams{AccountID: p.AccountID, ID: p.ID, Name: p.Name}))
	}), "rename passkey")
}

// RemovePasskey forgets a passkey of the account. With the last second factor go the
// recovery codes.
func (s *Store) RemovePasskey(ctx context.Context, p mailing.Passkey) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		if err := there(q.DeletePasskey(ctx, sqlc.DeletePasskeyParams{AccountID: p.AccountID, ID: p.ID})); err != nil {
			return err
		}
		return q.DeleteIdleRecoveryCodes(ctx, p.AccountID)
	}), "remove passkey")
}

// ResetFactors forgets all second factors of the account. It is a conflict,
// "factors_none", when there are none.
func (s *Store) ResetFactors(ctx context.Context, accountID int64) error {
	return wrap(s.do(ctx, func(q *sqlc.Queries) error {
		apps, err := q.DeleteTOTP(ctx, accountID)
		if err != nil {
			return err
		}
		passkeys, err := q.DeletePasskeys(ctx, accountID)
		if err != nil {
			return err
		}
		if apps+passkeys == 0 {
			return mailing.Fault(mailing.Conflict, "factors_none")
		}
		return q.DeleteRecoveryCodes(ctx, accountID)
	}), "reset second factors")
}
