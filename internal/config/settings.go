package config

import (
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"path/filepath"
	"slices"
	"time"
)

// setting is one row of the table of everything that can be set.
type setting struct {
	env      string                      // name in the environment
	flag     string                      // name of the flag; empty when there is none
	fallback func(Config) string         // default, from the settings above it
	unit     string                      // what the value is counted in, or its form
	meaning  string                      // one sentence for the operator
	mask     func(string) string         // hides what is secret in a value; nil when nothing is
	isSwitch bool                        // the flag may stand without a value
	take     func(*Config, string) error // checks a value and puts it in its place
}

// settings is the table, in the order in which it is printed. A default may
// use what stands above it.
func settings() []setting {
	return slices.Concat(placeSettings(), mailSettings(), retentionSettings(), processSettings())
}

// placeSettings say where things are: addresses, folders, databases.
func placeSettings() []setting {
	return []setting{
		{
			env: "VESTNIK_ADDR", flag: "addr", fallback: always("127.0.0.1:8000"), unit: "host:port",
			meaning: "Where the web server listens; an empty host means every interface.",
			take:    into(func(c *Config) *string { return &c.Addr }, address),
		},
		{
			env: "VESTNIK_BASE_URL", flag: "base-url", fallback: baseURLOf, unit: "URL",
			meaning: "How people reach the pages; links in mails begin with it.",
			take:    into(func(c *Config) *string { return &c.BaseURL }, baseURL),
		},
		{
			env: "VESTNIK_TRUSTED_PROXIES", flag: "trusted-proxies", fallback: always(""), unit: "addresses or CIDRs, separated by commas",
			meaning: "Proxies in front of the pages; from them, X-Forwarded-For says who comes.",
			take:    into(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }, proxies),
		},
		{
			env: "VESTNIK_METRICS_ADDR", flag: "metrics-addr", fallback: always(""), unit: "host:port",
			meaning: "Where /metrics (Prometheus) and /debug/pprof are served, to anybody who can connect; empty: nowhere. Best a loopback address.",
			take:    into(func(c *Config) *string { return &c.MetricsAddr }, orNowhere),
		},
		{
			env: "VESTNIK_DATA_DIR", flag: "data-dir", fallback: always("./data"), unit: "folder",
			meaning: "Folder of the embedded database, the journal and the secret key.",
			take:    into(func(c *Config) *string { return &c.DataDir }, folder),
		},
		{
			env: "DATABASE_URL", flag: "database-url", fallback: databaseURLOf, unit: "URL", mask: maskPassword,
			meaning: "sqlite:PATH for the embedded database, postgres://… for a PostgreSQL server.",
			take:    into(func(c *Config) *string { return &c.DatabaseURL }, databaseURL),
		},
		{
			// Both names are those of the earlier service's settings file.
			env: "CACHE_LOCATION", flag: "cache-location", fallback: always(""), unit: "URL", mask: maskPassword,
			meaning: "redis://:password@host:6379/0, or rediss://… over TLS, for a cache and limits by the second that several nodes share; empty: each has its own.",
			take:    into(func(c *Config) *string { return &c.CacheLocation }, cacheLocation),
		},
		{
			env: "CACHE_ENABLED", flag: "cache-enabled", fallback: always("true"), unit: "true or false", isSwitch: true,
			meaning: "Whether anything is kept in a cache; without that, Redis is not used either.",
			take:    into(func(c *Config) *bool { return &c.CacheEnabled }, truth),
		},
	}
}

// mailSettings say how mail leaves.
func mailSettings() []setting {
	return []setting{
		{
			env: "SMTP_URL", flag: "smtp-url", fallback: always(""), unit: "URL", mask: maskPassword,
			meaning: "smtp://user:password@host:587 or smtps://…:465, while no way out is set up on the page; without both, mail stays in the demo mailbox.",
			take:    into(func(c *Config) *string { return &c.SMTPURL }, smtpURL),
		},
		{
			env: "VESTNIK_MAIL_FROM", flag: "mail-from", fallback: always("Vestnik <vestnik@localhost>"), unit: "name <address>",
			meaning: "Sender of confirmation codes and notices.",
			take:    into(func(c *Config) *mail.Address { return &c.MailFrom }, sender),
		},
		{
			// 10 is modest enough for every provider we know of: Postfix lets one
			// client hold 50 (smtpd_client_connection_count_limit). 1000 stays
			// below the usual limit of 1024 open files.
			env: "VESTNIK_CONNECTIONS", flag: "connections", fallback: always("10"), unit: "connections",
			meaning: "Connections to the mail server that this node holds at once.",
			take:    into(func(c *Config) *int { return &c.Connections }, whole(1, 1000)),
		},
		{
			env: "VESTNIK_PRIVATE_MX", flag: "private-mx", fallback: always("false"), unit: "true or false", isSwitch: true,
			meaning: "Whether direct sending may connect to private addresses; only in a network whose DNS you trust.",
			take:    into(func(c *Config) *bool { return &c.PrivateMX }, truth),
		},
		{
			// On, since most have their mail server beside them and only admins name
			// relays. Off is for those whose admins are not the ones who run the machine.
			env: "VESTNIK_PRIVATE_RELAYS", flag: "private-relays", fallback: always("true"), unit: "true or false", isSwitch: true,
			meaning: "Whether admins may set up relays at loopback and private addresses; link-local ones never.",
			take:    into(func(c *Config) *bool { return &c.PrivateRelays }, truth),
		},
		{
			env: "VESTNIK_LATE_LIMIT", flag: "late-limit", fallback: always("24h"), unit: "duration",
			meaning: "A sending that was missed by no more than this is made up once; a later one is skipped and says so.",
			take:    into(func(c *Config) *time.Duration { return &c.LateLimit }, span(time.Minute, 366*24*time.Hour)),
		},
		{
			env: "VESTNIK_DEMO_KEEP", flag: "demo-keep", fallback: always("10000"), unit: "mails",
			meaning: "How many mails the demo mailbox keeps; the oldest go first.",
			take:    into(func(c *Config) *int { return &c.DemoKeep }, whole(1, 1_000_000)),
		},
	}
}

// retentionSettings say how long is kept what nobody needs to go on.
func retentionSettings() []setting {
	return []setting{
		{
			env: "VESTNIK_KEEP_DETAILS", flag: "keep-details", fallback: always("0"), unit: "days; 0 is for ever",
			meaning: "How long after the end of a run it is kept who got a mail, and each attempt; numbers are kept for ever.",
			take:    into(func(c *Config) *time.Duration { return &c.KeepDetails }, days),
		},
		{
			env: "VESTNIK_KEEP_DEMO_MAILS", flag: "keep-demo-mails", fallback: always("0"), unit: "days; 0 is for ever",
			meaning: "How long mails stay in the demo mailbox, if VESTNIK_DEMO_KEEP does not end that before.",
			take:    into(func(c *Config) *time.Duration { return &c.KeepDemo }, days),
		},
		{
			env: "VESTNIK_KEEP_IMPORTS", flag: "keep-imports", fallback: always("0"), unit: "days; 0 is for ever",
			meaning: "How long reports of imports are kept, with the lines that were not taken.",
			take:    into(func(c *Config) *time.Duration { return &c.KeepImports }, days),
		},
	}
}

// processSettings say how the process behaves.
func processSettings() []setting {
	return []setting{
		{
			env: "VESTNIK_ROLES", flag: "roles", fallback: always("web,scheduler,worker"), unit: "list",
			meaning: "The shares of the work that this process takes over.",
			take:    into(func(c *Config) *[]Role { return &c.Roles }, roles),
		},
		{
			env: "VESTNIK_ZONE", flag: "zone", fallback: always("Europe/Moscow"), unit: "IANA name",
			meaning: "Time zone a new account starts with; Moscow, because most of those who move here are Russian.",
			take:    into(func(c *Config) **time.Location { return &c.Zone }, zone),
		},
		{
			env: "VESTNIK_PUBLIC_SIGNUP", flag: "public-signup", fallback: always("true"), unit: "true or false", isSwitch: true,
			meaning: "The older form of VESTNIK_SIGNUP: true is open, false is closed.",
			take:    into(func(c *Config) *bool { return &c.PublicSignup }, truth),
		},
		{
			env: "VESTNIK_SIGNUP", flag: "signup", fallback: signupOf, unit: "open, invitation, closed or domains, separated by commas",
			meaning: "Who may register: anybody, who was invited, nobody, or who has a mailbox at one of the domains.",
			take:    into(func(c *Config) *Signup { return &c.Signup }, signup),
		},
		{
			env: "VESTNIK_SAMPLE_DATA", flag: "sample-data", fallback: always("false"), unit: "true or false", isSwitch: true,
			meaning: "Fills an empty database with examples.",
			take:    into(func(c *Config) *bool { return &c.SampleData }, truth),
		},
		{
			// No flag: a command line is shown to every user of the machine.
			env: "VESTNIK_SECRET_KEY", fallback: always(""), unit: "text", mask: maskAll,
			meaning: "Secret that signs links and seals passwords, 32 characters or more; empty makes the file secret.key in the data folder.",
			take:    into(func(c *Config) *string { return &c.SecretKey }, secretKey),
		},
		{
			env: "VESTNIK_OLD_SECRET_KEYS", fallback: always(""), unit: "texts, separated by spaces", mask: maskAll,
			meaning: "Further secrets beside VESTNIK_SECRET_KEY: what they signed and sealed is still good.",
			take:    into(func(c *Config) *[]string { return &c.OldSecretKeys }, secretKeys),
		},
		{
			// 30 s is what Kubernetes and most init systems wait before they kill.
			env: "VESTNIK_DRAIN_TIMEOUT", flag: "drain-timeout", fallback: always("30s"), unit: "duration",
			meaning: "How long a stop waits for mails that are being handed over.",
			take:    into(func(c *Config) *time.Duration { return &c.DrainTimeout }, span(0, time.Hour)),
		},
		{
			env: "VESTNIK_LOG_LEVEL", flag: "log-level", fallback: always("info"), unit: "debug, info, warn or error",
			meaning: "The least important line that is still logged.",
			take:    into(func(c *Config) *slog.Level { return &c.LogLevel }, level),
		},
		{
			env: "VESTNIK_LOG_FORMAT", flag: "log-format", fallback: always("text"), unit: "text or json",
			meaning: "How a line of the log is written.",
			take:    into(func(c *Config) *string { return &c.LogFormat }, logFormat),
		},
	}
}

// always is a default that depends on nothing.
func always(value string) func(Config) string {
	return func(Config) string { return value }
}

// baseURLOf is the address the server listens on, as a browser on the same
// machine would write it.
func baseURLOf(c Config) string {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return "http://127.0.0.1:8000" // the bad address is a problem of its own
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func databaseURLOf(c Config) string {
	return "sqlite:" + filepath.Join(c.DataDir, "vestnik.db")
}
