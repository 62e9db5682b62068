package config

import (
	"net/url"
	"strings"
)

// Source says where a value came from.
type Source string

// The sources, the weakest first.
const (
	FromDefault Source = "default"
	FromEnv     Source = "env"
	FromFlag    Source = "flag"
)

// Row is one line of the print-out of `vestnik config`.
type Row struct {
	Name    string // in the environment
	Flag    string // without the dashes; empty when there is none
	Value   string // in force, secrets masked
	Default string // secrets masked
	Unit    string // what the value is counted in, or its form
	Source  Source
	Meaning string // one sentence, in English
}

// Explain returns a row for each setting, in the order of the table. It knows
// only what Load read: a Config made by hand has none.
func (c Config) Explain() []Row { return append([]Row(nil), c.explained...) }

// masked hides what is secret in a value of s.
func (s setting) masked(value string) string {
	if s.mask == nil || value == "" {
		return value
	}
	return s.mask(value)
}

// hidden stands for a secret; it is what url.URL.Redacted writes too. It has
// always the same length, to tell nothing.
const hidden = "xxxxx"

func maskAll(string) string { return hidden }

// maskPassword hides the password of a URL, and all of it when it is not one.
func maskPassword(value string) string {
	if strings.HasPrefix(value, "sqlite:") {
		return value
	}
	server, err := url.Parse(value)
	if err != nil || server.Scheme == "" || server.Opaque != "" {
		return hidden
	}
	query := server.Query()
	// libpq takes the password as a parameter too.
	if query.Has("password") {
		query.Set("password", hidden)
		server.RawQuery = query.Encode()
	}
	return server.Redacted()
}
