package server

import (
	"context"
	"slices"
	"strings"
	"sync"

	"vestnik/internal/app"
	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
)

// signers knows who signs the mails of each domain. The page and the command line
// may change the keys while mails leave.
type signers struct {
	base *Base

	mu       sync.Mutex
	keys     []app.SealedKey // that byDomain is made of
	byDomain map[string]*dkim.Signer
}

// look goes over to the keys that are in use now. One that cannot be unsealed is
// told once, and its domain is signed by the others.
func (s *signers) look(ctx context.Context) error {
	keys, err := s.base.App.SigningKeysInUse(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(keys, s.keys) {
		return nil
	}
	byDomain, err := s.base.App.Signers(keys)
	if err != nil {
		s.base.Log.Error("signing key cannot be used", "error", err)
	}
	s.keys, s.byDomain = keys, byDomain
	return nil
}

// of returns who signs the mails of a domain: its own keys, or those of the
// nearest domain above it, which count as its own (DMARC, RFC 7489, section
// 3.1.1, relaxed alignment).
func (s *signers) of(domain string) *dkim.Signer {
	s.mu.Lock()
	byDomain := s.byDomain
	s.mu.Unlock()
	if len(byDomain) == 0 {
		return nil
	}
	if signer := byDomain[domain]; signer != nil {
		return signer
	}
	// An address out of a setting may be written as people like it.
	if normal, err := mailing.NormalizeDomain(domain); err == nil {
		domain = normal
	}
	for domain != "" {
		if signer := byDomain[domain]; signer != nil {
			return signer
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return nil
}
