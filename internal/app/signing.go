package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

const purposeSigning = "signing key"

// SendingDomain is a domain whose mails are signed.
type SendingDomain struct {
	Name string // as A-labels
	Keys []SigningKey
}

// SigningKey is a key of a sending domain, without its private half, and the TXT
// record that publishes it.
type SigningKey struct {
	Domain     string
	Selector   string
	Algorithm  string // "rsa" or "ed25519"
	InUse      bool   // it signs; else it waits to be put into use
	CreatedAt  time.Time
	RecordName string // where in DNS the record belongs
	Record     string
	ZoneText   string // the record as it is written into a zone file
}

// SigningForm asks for keys.
type SigningForm struct {
	Domain    string
	Selector  string // empty: one with today's date
	Algorithm string // "rsa", "ed25519" or "both"; empty: both
}

// bothAlgorithms is the choice that makes two keys: RSA, which all verifiers
// know, and Ed25519.
const bothAlgorithms = "both"

// SendingDomains lists the domains that have keys.
func (a *App) SendingDomains(ctx context.Context, actor mailing.Account) ([]SendingDomain, error) {
	if err := maySign(actor); err != nil {
		return nil, err
	}
	rows, err := a.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var domains []SendingDomain
	for _, row := range rows {
		if last := len(domains) - 1; last < 0 || domains[last].Name != row.Domain {
			domains = append(domains, SendingDomain{Name: row.Domain})
		}
		domain := &domains[len(domains)-1]
		domain.Keys = append(domain.Keys, shownKey(row))
	}
	return domains, nil
}

func shownKey(row store.SigningKey) SigningKey {
	record := dkim.Record(dkim.Algorithm(row.Algorithm), row.Public)
	return SigningKey{
		Domain: row.Domain, Selector: row.Selector, Algorithm: row.Algorithm, InUse: row.InUse, CreatedAt: row.CreatedAt,
		RecordName: dkim.RecordName(row.Domain, row.Selector), Record: record, ZoneText: dkim.ZoneText(record),
	}
}

// CreateSigningKeys makes keys for a domain and returns them. The first of a
// domain and algorithm sign at once; later ones wait for UseSigningKey.
func (a *App) CreateSigningKeys(ctx context.Context, actor mailing.Account, f SigningForm) ([]SigningKey, error) {
	if err := maySign(actor); err != nil {
		return nil, err
	}
	f, err := a.checkedSigning(f)
	if err != nil {
		return nil, err
	}
	var rows []store.SigningKey
	now := a.Now()
	for _, algorithm := range f.algorithms() {
		row, err := a.newSigningKey(f, algorithm, now)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	if err := a.store.CreateSigningKeys(a.doingKeys(ctx, actor, "domain.create_keys", rows...), rows); err != nil {
		return nil, err
	}
	if err := a.signingChanged(ctx); err != nil {
		return nil, err
	}
	return a.signingKeys(ctx, rows)
}

// signingKeys returns keys as they are stored now.
func (a *App) signingKeys(ctx context.Context, made []store.SigningKey) ([]SigningKey, error) {
	rows, err := a.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var keys []SigningKey
	for _, row := range rows {
		if slices.ContainsFunc(made, func(m store.SigningKey) bool { return m.Domain == row.Domain && m.Selector == row.Selector }) {
			keys = append(keys, shownKey(row))
		}
	}
	return keys, nil
}

// UseSigningKey has a key sign in place of the one of its domain and algorithm
// that does so now.
func (a *App) UseSigningKey(ctx context.Context, actor mailing.Account, domain, selector string) error {
	if err := maySign(actor); err != nil {
		return err
	}
	domain, err := normalDomain(domain)
	if err != nil {
		return err
	}
	doing := a.doingKeys(ctx, actor, "domain.use_key", store.SigningKey{Domain: domain, Selector: selector})
	if err := a.store.UseSigningKey(doing, domain, selector); err != nil {
		return err
	}
	return a.signingChanged(ctx)
}

// DeleteSigningKey deletes a key for good. Mails that are on their way can be
// verified as long as its record is published.
func (a *App) DeleteSigningKey(ctx context.Context, actor mailing.Account, domain, selector string) error {
	if err := maySign(actor); err != nil {
		return err
	}
	domain, err := normalDomain(domain)
	if err != nil {
		return err
	}
	doing := a.doingKeys(ctx, actor, "domain.delete_key", store.SigningKey{Domain: domain, Selector: selector})
	if err := a.store.DeleteSigningKey(doing, domain, selector); err != nil {
		return err
	}
	return a.signingChanged(ctx)
}

// doingKeys is doing for what is done to keys of one domain.
func (a *App) doingKeys(ctx context.Context, actor mailing.Account, action mailing.Action, keys ...store.SigningKey) context.Context {
	selectors := make([]string, len(keys))
	for i, key := range keys {
		selectors[i] = key.Selector
	}
	return a.doing(ctx, actor, mailing.Deed{
		Action: action, Thing: mailing.Thing{Kind: mailing.ThingDomain, Name: keys[0].Domain},
		After: mailing.Facts{"selector": strings.Join(selectors, ", ")},
	})
}

func normalDomain(typed string) (string, error) {
	domain, err := mailing.NormalizeDomain(typed)
	var problems mailing.Problems
	if err := problems.AddError("domain", err); err != nil {
		return "", err
	}
	return domain, problems.Err()
}

func maySign(actor mailing.Account) error {
	if actor.Role.May(mailing.ManageRelays) {
		return nil
	}
	return mailing.Fault(mailing.NotFound, "not_found")
}

func (a *App) signingChanged(ctx context.Context) error {
	if a.SigningChanged == nil {
		return nil
	}
	return wrap(a.SigningChanged(ctx), "use signing keys")
}

// checkedSigning completes a form.
func (a *App) checkedSigning(f SigningForm) (SigningForm, error) {
	var problems mailing.Problems
	domain, err := mailing.NormalizeDomain(f.Domain)
	if err := problems.AddError("domain", err); err != nil {
		return f, err
	}
	f.Domain = domain
	f.Selector = cmp.Or(strings.ToLower(strings.TrimSpace(f.Selector)), "v"+a.Now().UTC().Format("20060102"))
	for _, algorithm := range f.algorithms() {
		if domain != "" && !dkim.ValidName(f.selector(algorithm), domain) {
			problems.Add("selector", "selector_malformed")
			break
		}
	}
	if f.algorithms() == nil {
		problems.Add("algorithm", "choice_unknown")
	}
	return f, problems.Err()
}

func (f SigningForm) algorithms() []dkim.Algorithm {
	switch f.Algorithm {
	case "", bothAlgorithms:
		return []dkim.Algorithm{dkim.RSA, dkim.Ed25519}
	case string(dkim.RSA), string(dkim.Ed25519):
		return []dkim.Algorithm{dkim.Algorithm(f.Algorithm)}
	}
	return nil
}

// selector is the one of a key. Two keys cannot share it, since a verifier takes
// only one record (RFC 6376, section 3.6.2.2).
func (f SigningForm) selector(a dkim.Algorithm) string {
	if a == dkim.Ed25519 && len(f.algorithms()) > 1 {
		return f.Selector + "-" + string(a)
	}
	return f.Selector
}

func (a *App) newSigningKey(f SigningForm, algorithm dkim.Algorithm, now time.Time) (store.SigningKey, error) {
	private, err := dkim.NewPrivateKey(algorithm)
	if err != nil {
		return store.SigningKey{}, wrap(err, "make signing key")
	}
	selector := f.selector(algorithm)
	return store.SigningKey{
		Domain: f.Domain, Selector: selector, Algorithm: string(algorithm), Public: private.Public(),
		PrivateSealed: a.keys.Seal(purposeSigning, dkim.RecordName(f.Domain, selector), private.DER()),
		CreatedAt:     now,
	}, nil
}

// SigningKeysInUse returns the keys that sign, still sealed, for those who send.
// They are the same for as long as the answer is the same.
func (a *App) SigningKeysInUse(ctx context.Context) ([]SealedKey, error) {
	rows, err := a.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(row SealedKey) bool { return !row.InUse }), nil
}

// Signers unseals keys and returns who signs, by domain. With an error it returns
// those whose keys could be unsealed.
func (a *App) Signers(keys []SealedKey) (map[string]*dkim.Signer, error) {
	byDomain := map[string][]dkim.Key{}
	var faults []error
	for _, k := range keys {
		name := dkim.RecordName(k.Domain, k.Selector)
		private, err := a.privateKey(name, k.PrivateSealed)
		if err != nil {
			faults = append(faults, fmt.Errorf("app: signing key %s: %w", name, err))
			continue
		}
		byDomain[k.Domain] = append(byDomain[k.Domain], dkim.Key{Selector: k.Selector, Private: private})
	}
	signers := map[string]*dkim.Signer{}
	for domain, keys := range byDomain {
		signer, err := dkim.NewSigner(domain, keys...)
		if err != nil {
			faults = append(faults, wrap(err, "signer of "+domain))
			continue
		}
		signers[domain] = signer
	}
	return signers, errors.Join(faults...)
}

func (a *App) privateKey(name, sealed string) (dkim.PrivateKey, error) {
	der, err := a.keys.Open(purposeSigning, name, sealed)
	if err != nil {
		return dkim.PrivateKey{}, err
	}
	return dkim.ParsePrivateKey(der)
}
