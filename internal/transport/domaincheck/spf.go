package domaincheck

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"vestnik/internal/transport/mx"
)

// Limits of a receiver (RFC 7208, section 4.6.4): beyond them the record counts for nothing.
const (
	maxLookups = 10
	maxVoids   = 2 // of lookups to which there is no answer
)

// stopAt is how many lookups a check makes at most, to tell how far beyond the limit a
// record is. Chosen: sane records have less than half.
const stopAt = 40

// verdict is what a record says of an address (RFC 7208, section 2.6).
type verdict string

const (
	spfNone      verdict = "none"
	spfPass      verdict = "pass"
	spfFail      verdict = "fail"
	spfSoftFail  verdict = "softfail"
	spfNeutral   verdict = "neutral"
	spfPermError verdict = "permerror"
)

var qualifiers = map[byte]verdict{'+': spfPass, '-': spfFail, '~': spfSoftFail, '?': spfNeutral}

// spfRecord is the one of a domain.
type spfRecord struct {
	text    string // empty: there is none
	several bool
}

// walk evaluates a record for one address as a receiver does, except that it goes on
// behind what matched, since another address would come that far: what it counts is the
// most that any receiver may have to look up.
type walk struct {
	dns     *mx.Resolver
	address netip.Addr // invalid: no address; only "all" matches

	lookups, voids int
	included       []string // domains whose records are part of this one
	malformed      string   // the first term that means nothing
	empty          string   // the first included domain without a record, which spoils it all
	macros         bool     // something depends on each mail, and was taken for no match
}

var errTooMany = errors.New("more lookups than any receiver makes")

// findSPF looks for the record of a domain (RFC 7208, section 4.5).
func findSPF(ctx context.Context, resolver *mx.Resolver, domain string) (spfRecord, error) {
	texts, err := resolver.TXT(ctx, domain)
	var found spfRecord
	for _, text := range texts {
		if version, _, _ := strings.Cut(text, " "); strings.EqualFold(version, "v=spf1") {
			found.several = found.text != ""
			found.text = text
		}
	}
	return found, err
}

// evaluate says what the record of a domain says of the address. The error is that DNS
// could not say, or errTooMany.
func (w *walk) evaluate(ctx context.Context, domain string) (verdict, error) {
	record, err := findSPF(ctx, w.dns, domain)
	switch {
	case err != nil:
		return "", err
	case record.several:
		return spfPermError, nil
	case record.text == "":
		return spfNone, nil
	}
	return w.terms(ctx, domain, strings.Fields(record.text)[1:])
}

func (w *walk) terms(ctx context.Context, domain string, terms []string) (verdict, error) {
	said, redirect := verdict(""), ""
	for _, term := range terms {
		name, value, isModifier := strings.Cut(term, "=")
		if isModifier && !strings.ContainsAny(name, ":/") {
			if strings.EqualFold(name, "redirect") {
				redirect = value
			}
			continue
		}
		as := spfPass
		if qualified, ok := qualifiers[term[0]]; ok {
			as, term = qualified, term[1:]
		}
		matches, err := w.matches(ctx, domain, term)
		if err != nil {
			return "", err
		}
		if matches && said == "" {
			said = as
		}
		if strings.EqualFold(term, "all") {
			return said, nil // a redirect beside it counts for nothing (section 6.1)
		}
	}
	if redirect != "" {
		return w.redirected(ctx, redirect, said)
	}
	if said == "" {
		said = spfNeutral // section 4.7
	}
	return said, nil
}

func (w *walk) redirected(ctx context.Context, to string, said verdict) (verdict, error) {
	other, err := w.another(ctx, to)
	if said != "" || err != nil {
		return said, err
	}
	if other == spfNone {
		other = spfPermError
	}
	return other, nil
}

// another evaluates the record of another domain that is a part of this one.
func (w *walk) another(ctx context.Context, domain string) (verdict, error) {
	if domain == "" {
		w.complain("include:")
		return spfNeutral, nil
	}
	if w.isMacro(domain) {
		return spfNeutral, w.look()
	}
	if err := w.look(); err != nil {
		return "", err
	}
	w.included = append(w.included, strings.ToLower(strings.TrimSuffix(domain, ".")))
	said, err := w.evaluate(ctx, domain)
	if said == spfNone && w.empty == "" {
		w.empty = domain // section 5.2
	}
	return said, err
}

// look counts a lookup.
func (w *walk) look() error {
	if w.lookups++; w.lookups > stopAt {
		return errTooMany
	}
	return nil
}

func (w *walk) isMacro(domain string) bool {
	has := strings.Contains(domain, "%")
	w.macros = w.macros || has
	return has
}

// matches reports whether a mechanism is about the address (RFC 7208, section 5).
func (w *walk) matches(ctx context.Context, domain, term string) (bool, error) {
	name, rest := term, ""
	if end := strings.IndexAny(term, ":/"); end >= 0 {
		name, rest = term[:end], term[end:]
	}
	value, hasValue := strings.CutPrefix(rest, ":")
	switch strings.ToLower(name) {
	case "all":
		return true, nil
	case "include":
		said, err := w.another(ctx, value)
		return said == spfPass, err
	case "ip4", "ip6":
		return w.inNetwork(term, value), nil
	case "a", "mx":
		target, four, six, ok := spans(rest, domain)
		if !ok {
			w.complain(term)
			return false, nil
		}
		return w.isHost(ctx, name, target, four, six)
	case "ptr", "exists":
		w.macros = w.macros || hasValue // not for us to tell without a mail
		return false, w.look()
	}
	w.complain(term)
	return false, nil
}

func (w *walk) complain(term string) {
	if w.malformed == "" {
		w.malformed = term
	}
}

func (w *walk) inNetwork(term, value string) bool {
	if !strings.Contains(value, "/") {
		address, err := netip.ParseAddr(value)
		if err != nil {
			w.complain(term)
		}
		return err == nil && address == w.address
	}
	network, err := netip.ParsePrefix(value)
	if err != nil {
		w.complain(term)
	}
	return err == nil && network.Contains(w.address)
}

// spans reads ":domain/4//6" behind "a" and "mx" (RFC 7208, section 5.3).
func spans(rest, domain string) (target string, four, six int, ok bool) {
	rest, sixText, hasSix := strings.Cut(rest, "//")
	rest, fourText, hasFour := strings.Cut(rest, "/")
	target, four, six, ok = domain, 32, 128, true
	if named, has := strings.CutPrefix(rest, ":"); has {
		target = named
	}
	if hasFour {
		four, ok = bits(fourText, 32)
	}
	if ok && hasSix {
		six, ok = bits(sixText, 128)
	}
	return target, four, six, ok && target != ""
}

func bits(text string, most int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= most
}

// isHost reports whether the address is one of the target's, or of its mail servers', or
// near them.
func (w *walk) isHost(ctx context.Context, kind, target string, four, six int) (bool, error) {
	if err := w.look(); err != nil || w.isMacro(target) {
		return false, err
	}
	hosts := []string{target}
	if strings.EqualFold(kind, "mx") {
		var err error
		if hosts, err = w.dns.Exchangers(ctx, target); err != nil {
			return false, err
		}
	}
	found := false
	for _, host := range hosts {
		addresses, err := w.dns.Addresses(ctx, host)
		if err != nil {
			return false, err
		}
		found = found || len(addresses) > 0
		if slices.ContainsFunc(addresses, func(a netip.Addr) bool { return near(a, w.address, four, six) }) {
			return true, nil
		}
	}
	if !found {
		w.voids++
	}
	return false, nil
}

func near(a, b netip.Addr, four, six int) bool {
	size := six
	if a.Is4() {
		size = four
	}
	network, err := a.Prefix(size)
	return err == nil && network.Contains(b)
}
