package app

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"vestnik/internal/auth"
	"vestnik/internal/mailing"
)

// MaxRelayWeight bounds weights, so that they read as shares of a hundred.
const MaxRelayWeight = 100

// DefaultRelayWeight leaves room on both sides for a relay that is to carry more
// or less than the others. Chosen.
const DefaultRelayWeight = 10

// Limits of a relay's limits: of connections as of VESTNIK_CONNECTIONS; of the
// others, chosen far above what any server takes.
const (
	maxRelayConnections = 1000
	maxRelayLimit       = 1_000_000_000
)

// checkedRelay completes a form. The stored password serves only for the server
// and name it was given for, so that nobody can have it sent elsewhere.
func (a *App) checkedRelay(ctx context.Context, actor mailing.Account, r RelaySettings) (RelaySettings, error) {
	if err := mayManageRelays(actor); err != nil {
		return r, err
	}
	var problems mailing.Problems
	if err := r.check(&problems); err != nil {
		return r, err
	}
	if r.ID == 0 && r.needsPassword() {
		problems.Add("password", "relay_password_missing")
	}
	if err := problems.Err(); err != nil || r.ID == 0 {
		return r, err
	}
	old, err := a.store.Relay(ctx, r.ID)
	if err != nil || !r.needsPassword() {
		return r, err
	}
	isElsewhere := old.Host != r.Host || old.Port != r.Port || old.Username != r.Username
	if isElsewhere || securesTLS(old.TLS) && !securesTLS(r.TLS) {
		return r, mailing.FieldFault(mailing.Invalid, "password", "relay_password_again")
	}
	r.Password, err = a.relayPassword(old)
	switch {
	case errors.Is(err, auth.ErrSealed):
		return r, mailing.FieldFault(mailing.Invalid, "password", "relay_password_unreadable").Because(err)
	case err == nil && r.Password == "": // of an older version, which took it without
		return r, mailing.FieldFault(mailing.Invalid, "password", "relay_password_missing")
	}
	return r, err
}

// needsPassword reports whether there is a user name without a password: no server lets
// that in.
func (r RelaySettings) needsPassword() bool { return r.Username != "" && r.Password == "" }

// securesTLS reports whether nobody on the way reads a password.
func securesTLS(mode string) bool { return mode == "starttls-required" || mode == "implicit" }

// checkNotLast refuses to switch off the last relay that is in use.
func (a *App) checkNotLast(ctx context.Context, r RelaySettings) error {
	rows, err := a.store.Relays(ctx)
	if err != nil || r.Enabled {
		return err
	}
	isLast := false
	for _, row := range rows {
		if row.Enabled && row.ID != r.ID {
			return nil
		}
		isLast = isLast || row.Enabled
	}
	if isLast {
		return mailing.FieldFault(mailing.Conflict, "enabled", "relay_last")
	}
	return nil
}

// check completes what was typed and adds what is wrong with it.
func (r *RelaySettings) check(problems *mailing.Problems) error {
	r.Name, r.FromName = mailing.CleanLine(r.Name), mailing.CleanLine(r.FromName)
	switch r.Kind {
	case RelaySMTP:
		r.checkServer(problems)
	case RelayMX:
		r.Host, r.Port, r.TLS, r.Username, r.Password = "", 0, "", "", ""
	default:
		problems.Add("kind", "choice_unknown")
	}
	if err := r.checkHelo(problems); err != nil {
		return err
	}
	r.Name = cmp.Or(r.Name, r.Host, r.HeloName)
	for _, f := range []struct{ field, name string }{{"name", r.Name}, {"from_name", r.FromName}} {
		if utf8.RuneCountInString(f.name) > mailing.MaxNameRunes {
			problems.Add(f.field, "text_too_long", "max", mailing.MaxNameRunes)
		}
	}
	r.checkLimits(problems)
	email, err := mailing.NormalizeEmail(r.FromEmail)
	if err := problems.AddError("from_email", err); err != nil {
		return err
	}
	r.FromEmail = email
	return nil
}

func (r *RelaySettings) checkServer(problems *mailing.Problems) {
	r.Host, r.Username = hostAlone(mailing.CleanLine(r.Host), r.Port), mailing.CleanLine(r.Username)
	if r.Host == "" {
		problems.Add("host", "required")
	} else if net.ParseIP(r.Host) == nil && strings.ContainsAny(r.Host, " /:@?#") {
		problems.Add("host", "relay_host_malformed")
	}
	if r.Port < 1 || r.Port > 65535 {
		problems.Add("port", "port_malformed")
	}
	if !slices.Contains([]string{"none", "starttls", "starttls-required", "implicit"}, r.TLS) {
		problems.Add("tls", "choice_unknown")
	}
}

// hostAlone leaves out what people paste along with the name of a server: the scheme, the
// slash at the end, and the port if it is the one that is set anyhow.
func hostAlone(typed string, port int) string {
	if _, rest, found := strings.Cut(typed, "://"); found {
		typed = rest
	}
	typed = strings.TrimRight(typed, "/")
	if host, number, err := net.SplitHostPort(typed); err == nil && number == strconv.Itoa(port) {
		return host
	}
	return typed
}

// checkHelo checks the name we greet with. Who sends directly is turned away
// without one that leads to their address.
func (r *RelaySettings) checkHelo(problems *mailing.Problems) error {
	r.HeloName = mailing.CleanLine(r.HeloName)
	if r.HeloName == "" {
		if r.Kind == RelayMX {
			problems.Add("helo_name", "required")
		}
		return nil
	}
	name, err := mailing.NormalizeDomain(r.HeloName)
	if err == nil {
		r.HeloName = name
	}
	return problems.AddError("helo_name", err)
}

func (r *RelaySettings) checkLimits(problems *mailing.Problems) {
	for _, limit := range []struct {
		field         string
		is, min, most int
	}{
		{"weight", r.Weight, 1, MaxRelayWeight},
		{"connections", r.Connections, 0, maxRelayConnections},
		{"messages", r.Messages, 0, maxRelayLimit},
		{"per_second", r.PerSecond, 0, maxRelayLimit},
		{"per_hour", r.PerHour, 0, maxRelayLimit},
		{"per_day", r.PerDay, 0, maxRelayLimit},
	} {
		if limit.is < limit.min || limit.is > limit.most {
			problems.Add(limit.field, "number_out_of_range", "min", limit.min, "max", limit.most)
		}
	}
}
