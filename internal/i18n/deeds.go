package i18n

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"vestnik/internal/mailing"
)

// Below lists the names of the texts below a section, such as "deed.", sorted.
func (p *Printer) Below(section string) []string {
	var names []string
	for key := range p.messages {
		if name, below := strings.CutPrefix(key, section); below {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// FactName is what people call a field of mailing.Facts.
func (p *Printer) FactName(field string) string {
	if key := "fact." + field; p.Has(key) {
		return p.T(key)
	}
	return field
}

// factSections are where the words of a fact stand that is a word of ours, if not below
// its own name or that of the fact.
var factSections = map[string]string{
	"state": "run_state.", "lang": "language.", "reason": "clients.reason.", "format": "messages.format.", "fault": "error.",
}

// Fact is what people call a value of mailing.Facts. What is no word of ours, such as
// what somebody typed, is returned as it is; nothing is a dash.
func (p *Printer) Fact(field, fact string) string {
	switch field {
	case "email":
		fact = mailing.DisplayEmail(fact)
	case "zone":
		return p.Zone(fact)
	case "message":
		fact = p.SubjectName(fact)
	case "rule":
		var rule mailing.Rule
		if json.Unmarshal([]byte(fact), &rule) == nil {
			return p.RuleWords(rule)
		}
	case "next_at", "expires_at", "erase_at":
		if at, err := time.Parse(time.RFC3339, fact); err == nil {
			return p.DateTimeZone(at)
		}
	}
	if fact == "" {
		return "—"
	}
	for _, section := range []string{factSections[field], field + ".", "fact_word." + field + "."} {
		if section != "" && p.Has(section+fact) {
			return p.T(section + fact)
		}
	}
	return fact
}
