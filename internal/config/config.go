// Package config holds the settings of an installation: one table names each
// of them, its default, unit and meaning, and that table drives reading from
// the environment and from flags, checking, and the print-out of
// `vestnik config`.
//
// A flag wins over the environment, the environment over the default. What is
// unknown or malformed stops the start with sentences that name all of it, so
// that an operator mends everything at once.
package config

import (
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Role is a share of the work that one process may take over.
type Role string

// The roles. One process has all three unless it is told otherwise.
const (
	RoleWeb       Role = "web"       // answers pages and the links in mails
	RoleScheduler Role = "scheduler" // opens the runs that are due, runs background jobs
	RoleWorker    Role = "worker"    // leases deliveries and sends them
)

// Config is the settings in force. Load makes one; the zero value is not
// usable. Copies share nothing that changes.
type Config struct {
	Addr          string         // host:port the web server listens on; an empty host means every interface
	BaseURL       string         // how people reach the pages: scheme and host, without a slash at the end
	MetricsAddr   string         // host:port of numbers and profiles; empty: nowhere
	DataDir       string         // folder of everything that is not in the database
	DatabaseURL   string         // "sqlite:PATH" or "postgres://…"; may hold a password
	CacheLocation string         // "redis://…" or "rediss://…"; empty: no Redis; may hold a password
	CacheEnabled  bool           // whether anything is kept, and CacheLocation used
	SMTPURL       string         // "smtp://…" or "smtps://…"; empty is the demo mailbox; may hold a password
	MailFrom      mail.Address   // sender of codes and notices
	Roles         []Role         // never empty, without repetition
	Connections   int            // open connections to mail servers at once
	LogLevel      slog.Level     // least level that is logged
	LogFormat     string         // "text" or "json"
	SecretKey     string         // empty: the key is in SecretFile
	OldSecretKeys []string       // beside SecretKey: these verify and open, and neither sign nor seal
	DrainTimeout  time.Duration  // how long a stop waits for what is being sent
	LateLimit     time.Duration  // a run that is later than this is skipped
	Zone          *time.Location // time zone a new account starts with
	SampleData    bool           // an empty database is filled with examples
	PrivateMX     bool           // direct sending may connect to private addresses
	PrivateRelays bool           // admins may set up relays at loopback and private addresses
	PublicSignup  bool           // the default of Signup: open, or else closed
	Signup        Signup         // how one comes by an account
	DemoKeep      int            // mails the demo mailbox keeps
	// How long is kept what is no more needed; zero: for ever.
	KeepDetails, KeepDemo, KeepImports time.Duration
	// TrustedProxies are the machines whose word counts on where a request comes
	// from; none by default.
	TrustedProxies []netip.Prefix

	explained []Row // what Load read, for Explain
}

// Load reads the settings from env, in the form of os.Environ, and from flags,
// which map a name of FlagNames to its value. An environment variable that is
// empty counts as not set, because that is how container files leave one out.
// The error is Problems.
func Load(env []string, flags map[string]string) (Config, error) {
	var config Config
	given, problems := gather(env, flags)
	for _, s := range settings() {
		problem, row := s.apply(&config, given[s.env])
		if problem != nil {
			problems = append(problems, *problem)
		}
		config.explained = append(config.explained, row)
	}
	if len(problems) > 0 {
		return Config{}, problems
	}
	return config, nil
}

// Has reports whether this process takes over role.
func (c Config) Has(role Role) bool { return slices.Contains(c.Roles, role) }

// Demo reports whether mail stays on this machine, in the demo mailbox.
func (c Config) Demo() bool { return c.SMTPURL == "" }

// Secure reports whether people reach the pages over TLS, so that cookies may
// be restricted to it.
func (c Config) Secure() bool { return strings.HasPrefix(c.BaseURL, "https:") }

// SecretFile is where the installation's secret lies when SecretKey is empty.
func (c Config) SecretFile() string { return filepath.Join(c.DataDir, "secret.key") }

// Loopback reports whether the pages are both bound to and addressed by a
// loopback address. Both count: a proxy in front of a server on 127.0.0.1
// makes it reachable from anywhere.
func (c Config) Loopback() bool {
	bound, _, err := net.SplitHostPort(c.Addr)
	if err != nil || !isLoopback(bound) {
		return false
	}
	base, err := url.Parse(c.BaseURL)
	return err == nil && isLoopback(base.Hostname())
}

// isLoopback knows addresses of 127.0.0.0/8 and ::1, and the name localhost,
// which never leaves the machine (RFC 6761, section 6.3).
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// String gives the settings on one line each, with the secrets masked, so that
// printing a Config by accident shows no password.
func (c Config) String() string {
	var text strings.Builder
	for _, row := range c.explained {
		text.WriteString(row.Name + "=" + row.Value + "\n")
	}
	return text.String()
}

// LogValue logs the settings with the secrets masked.
func (c Config) LogValue() slog.Value {
	facts := make([]slog.Attr, len(c.explained))
	for i, row := range c.explained {
		facts[i] = slog.String(row.Name, row.Value)
	}
	return slog.GroupValue(facts...)
}

// GoString keeps the secrets out of %#v too.
func (c Config) GoString() string { return c.String() }
