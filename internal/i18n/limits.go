package i18n

import (
	"strings"

	"vestnik/internal/mailing"
)

// Limits says in words how much a relay may be given: "up to 2 connections, 500
// mails an hour".
func (p *Printer) Limits(l mailing.Limits) string {
	var words []string
	for _, limit := range []struct {
		key string
		is  int
	}{
		{"relay.limit_connections", l.Connections},
		{"relay.limit_messages", l.Messages},
		{"relay.limit_per_second", l.PerSecond},
		{"relay.limit_per_hour", l.PerHour},
		{"relay.limit_per_day", l.PerDay},
	} {
		if limit.is > 0 {
			words = append(words, p.N(limit.key, int64(limit.is)))
		}
	}
	if len(words) == 0 {
		return p.T("relay.limit_none")
	}
	return strings.Join(words, ", ")
}
