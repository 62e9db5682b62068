package mx

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Site is where the mail of one provider's domains goes. There may be several
// values for one site: it is the Key that tells.
type Site struct {
	// Key is the provider's name in providers.json; for others the registrable
	// domain of the best mail exchanger (by the Public Suffix List), or an
	// address literal.
	Key    string
	Name   string // for people
	Limits Limits

	providers *providers
	rules     []rule
}

// Limits are how much a site is given to begin with by one sending machine.
type Limits struct {
	Connections           Limit `json:"connections"`
	MessagesPerConnection Limit `json:"messages_per_connection"`
	PerSecond             Limit `json:"per_second"` // messages
	PerHour               Limit `json:"per_hour"`   // messages
}

// Limit is a number and where it is from: the title of a document, or "chosen".
type Limit struct {
	Value  int    `json:"value"`
	Source string `json:"source"`
}

//go:embed providers.json
var providersFile []byte

// providers is what providers.json holds.
type providers struct {
	sources   map[string]source
	unknown   Limits
	rules     []rule
	providers []provider
}

type source struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// provider is one of those whose servers and words we know.
type provider struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	MX     []string `json:"mx"` // a name, or what it ends with after a dot
	Limits Limits   `json:"limits"`
	Rules  []rule   `json:"replies"`
}

// loadProviders reads the file that is part of the program; that it can be read
// is tested, so an error is a programmer's mistake.
func loadProviders() *providers {
	known, err := parseProviders(providersFile)
	if err != nil {
		panic(fmt.Sprintf("mx: providers.json: %v", err))
	}
	return known
}

func parseProviders(text []byte) (*providers, error) {
	var file struct {
		About     string            `json:"about"`
		Sources   map[string]source `json:"sources"`
		Unknown   Limits            `json:"unknown"`
		Replies   []rule            `json:"replies"`
		Providers []provider        `json:"providers"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, err
	}
	known := &providers{sources: file.Sources, unknown: file.Unknown, rules: file.Replies, providers: file.Providers}
	known.title(&known.unknown)
	for i := range known.providers {
		known.title(&known.providers[i].Limits)
	}
	return known, nil
}

// title puts the titles of documents for their keys.
func (p *providers) title(limits *Limits) {
	for _, limit := range []*Limit{&limits.Connections, &limits.MessagesPerConnection, &limits.PerSecond, &limits.PerHour} {
		if document, ok := p.sources[limit.Source]; ok {
			limit.Source = document.Title
		}
	}
}

// siteOf finds the site that a mail exchanger belongs to.
func (p *providers) siteOf(host string) *Site {
	for i := range p.providers {
		known := &p.providers[i]
		for _, name := range known.MX {
			if host == name || strings.HasSuffix(host, "."+name) {
				return &Site{Key: known.ID, Name: known.Name, Limits: known.Limits, providers: p, rules: known.Rules}
			}
		}
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		domain = host // a public suffix itself
	}
	return &Site{Key: domain, Name: domain, Limits: p.unknown, providers: p}
}
