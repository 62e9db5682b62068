package mailing

import (
	"slices"
	"time"
)

// DomainCheck is what DNS said of a sending domain at one moment.
type DomainCheck struct {
	Domain   string // as A-labels
	At       time.Time
	Findings []Finding // by topic, in the order of Topics
}

// Topic is what a finding is about.
type Topic string

// The topics, in the order in which a person should look after them.
const (
	TopicSPF   Topic = "spf"
	TopicDKIM  Topic = "dkim"
	TopicDMARC Topic = "dmarc"
	TopicMX    Topic = "mx"
	TopicPTR   Topic = "ptr"
)

// Condition is how good something is.
type Condition string

// The conditions, from the best to the worst.
const (
	Good      Condition = "good"
	Unknown   Condition = "unknown"   // DNS could not say
	Attention Condition = "attention" // mails arrive, and would more often
	Bad       Condition = "bad"       // mails are refused or taken for spam
)

var conditions = []Condition{Good, Unknown, Attention, Bad}

// Finding is one sentence about a domain. Code is the translation key below
// "domain.found."; Params fill it.
type Finding struct {
	Topic     Topic             `json:"topic"`
	Condition Condition         `json:"condition"`
	Code      string            `json:"code"`
	Params    map[string]string `json:"params,omitempty"`
	// Name and Record are the TXT record to publish; empty: none.
	Name   string `json:"name,omitempty"`
	Record string `json:"record,omitempty"`
}

// Condition is that of the worst finding.
func (c DomainCheck) Condition() Condition {
	worst := Good
	for _, f := range c.Findings {
		if slices.Index(conditions, f.Condition) > slices.Index(conditions, worst) {
			worst = f.Condition
		}
	}
	return worst
}

// DomainQuestion is what a domain is checked for: by which ways its mails leave, and what
// signs them.
type DomainQuestion struct {
	Domain string
	Ways   []DomainWay
	Keys   []DomainKey // that sign here and should be published
}

// DomainWay is a way out of the domain's mails.
type DomainWay struct {
	Name   string // what people call it
	Direct bool   // there is no server in between
	Host   string // the mail server, or when direct the name we introduce ourselves by
}

// DomainKey is a signing key as it should stand in DNS.
type DomainKey struct{ Name, Record string }
