package app

import (
	"context"
	"encoding/hex"
	"strings"

	"vestnik/internal/auth"
	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// sealedColumn is a column with the purpose its texts are sealed for.
type sealedColumn struct {
	store.SealedColumn
	purpose string
	about   func(values []string) string // nil: the only value
}

// sealedColumns are all columns with sealed texts. What is not among them cannot be read
// any more once the secret by which it was sealed is dropped; a test looks for columns
// that are called so.
var sealedColumns = []sealedColumn{
	{store.SealedColumn{Table: "relays", Column: "password_sealed", Key: []string{"id"}, About: []string{"username"}}, purposeRelay, nil},
	{
		store.SealedColumn{
			Table: "signing_keys", Column: "private_sealed", Key: []string{"domain", "selector"}, About: []string{"domain", "selector"},
		},
		purposeSigning,
		func(values []string) string { return dkim.RecordName(values[0], values[1]) },
	},
	{store.SealedColumn{Table: "deliveries", Column: "vars", Key: []string{"id"}, About: []string{"email"}}, purposeVars, nil},
	{store.SealedColumn{Table: "totp", Column: "secret_sealed", Key: []string{"account_id"}, About: []string{"account_id"}}, purposeTOTP, nil},
	{store.SealedColumn{Table: "passkeys", Column: "record_sealed", Key: []string{"id"}, About: []string{"credential_id"}}, purposePasskey, nil},
	{store.SealedColumn{Table: "person_keys", Column: "key_sealed", Key: []string{"id"}, About: []string{"''"}}, purposePerson, nil},
}

// KeyCheck is a keyed hash by which a node sees that it has the secret of the others.
func KeyCheck(keys auth.Keys) string {
	check := keys.MAC(keyCheckPurpose, []byte(keyCheckText))
	return hex.EncodeToString(check[:])
}

// CheckKey reports whether one of the secrets is that of a check, and whether that is
// the first.
func CheckKey(keys auth.Keys, check string) (known, first bool) {
	raw, err := hex.DecodeString(check)
	if err != nil {
		return false, false
	}
	return keys.MACMatches(raw, keyCheckPurpose, []byte(keyCheckText))
}

const keyCheckPurpose, keyCheckText = "installation", "key check"

// Resealed says what ResealAll did.
type Resealed struct {
	Texts    int      // that are sealed by the first secret now
	Unopened []string // columns with texts that no secret opens, which are left as they are
}

// ResealAll seals by the first secret whatever is sealed by another, in one transaction,
// so that the others may be dropped. It is for the operator.
func (a *App) ResealAll(ctx context.Context, actor mailing.Account) (Resealed, error) {
	if actor.ID != Operator.ID {
		return Resealed{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	var done Resealed
	var columns []store.SealedColumn
	byName := map[string]sealedColumn{}
	for _, c := range sealedColumns {
		columns = append(columns, c.SealedColumn)
		byName[c.Table+"."+c.Column] = c
	}
	reseal := func(text store.SealedText) (string, error) {
		c := byName[text.Table+"."+text.Column]
		about := strings.Join(text.AboutValues, "")
		if c.about != nil {
			about = c.about(text.AboutValues)
		}
		plain, err := a.keys.Open(c.purpose, about, text.Sealed)
		if err != nil { // its thing says so where it is looked at
			done.Unopened = append(done.Unopened, text.Table+"."+text.Column)
			return "", nil
		}
		return a.keys.Seal(c.purpose, about, plain), nil
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "key.rotate", Thing: mailing.Thing{Kind: mailing.ThingService},
		Before: mailing.Facts{"secret": mailing.Masked}, After: mailing.Facts{"secret": mailing.Masked},
	})
	var err error
	done.Texts, err = a.store.Reseal(ctx, columns, reseal, KeyCheck(a.keys))
	return done, wrap(err, "seal anew")
}
