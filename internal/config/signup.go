package config

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// Signup says how one comes by an account.
type Signup struct {
	Way     string   // "open", "invitation", "domains" or "closed"
	Domains []string // as A-labels (RFC 5890); only with "domains"
}

func signupOf(c Config) string {
	if c.PublicSignup {
		return "open"
	}
	return "closed"
}

// signup reads one of three words, or domains, which are told from the words by their dot.
func signup(value string) (Signup, error) {
	switch value {
	case "open", "invitation", "closed":
		return Signup{Way: value}, nil
	}
	domains := Signup{Way: "domains"}
	for text := range strings.SplitSeq(value, ",") {
		domain, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimPrefix(strings.TrimSpace(text), "@")))
		if err != nil || !strings.Contains(strings.Trim(domain, "."), ".") || strings.ContainsAny(domain, "@ /:*") {
			return Signup{}, errors.New("must be open, invitation, closed, or a list of domains, separated by commas, as in example.org, example.com")
		}
		if !slices.Contains(domains.Domains, domain) {
			domains.Domains = append(domains.Domains, domain)
		}
	}
	return domains, nil
}
