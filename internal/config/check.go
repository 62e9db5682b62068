package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zone names are checked on machines without a zone table too

	"golang.org/x/net/idna"
)

// minSecretKey is the least length of VESTNIK_SECRET_KEY in bytes: as long as
// the output of SHA-256, below which HMAC keys are discouraged (RFC 2104,
// section 3).
const minSecretKey = 32

// into puts what parse makes of a value in its place. The errors of parse are
// the end of a sentence that begins with the setting's name, and never repeat
// the value, which may be secret.
func into[T any](place func(*Config) *T, parse func(string) (T, error)) func(*Config, string) error {
	return func(c *Config, value string) error {
		parsed, err := parse(value)
		if err != nil {
			return err
		}
		*place(c) = parsed
		return nil
	}
}

func address(value string) (string, error) {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return "", errors.New("must be host:port, as in 127.0.0.1:8000")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("must end with a port from 0 to 65535")
	}
	return value, nil
}

func orNowhere(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	return address(value)
}

func baseURL(value string) (string, error) {
	base, err := url.Parse(value)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Hostname() == "" {
		return "", errors.New("must begin with http:// or https:// and name a host")
	}
	bare := url.URL{Scheme: base.Scheme, Host: base.Host}
	if bare.String() != strings.TrimSuffix(value, "/") {
		return "", errors.New("must be only a scheme and a host, without a path, a question mark or a user")
	}
	return bare.String(), nil
}

func folder(value string) (string, error) {
	if value == "" || strings.ContainsRune(value, 0) {
		return "", errors.New("must be a path")
	}
	return filepath.Clean(value), nil
}

func databaseURL(value string) (string, error) {
	if path, embedded := strings.CutPrefix(value, "sqlite:"); embedded {
		if path == "" {
			return "", errors.New("must name a file, as in sqlite:data/vestnik.db")
		}
		return value, nil
	}
	return serverURL(value, "postgres", "postgresql")
}

// cacheLocation checks the address of a Redis as redis-cli takes it, with the number of
// a database for a path.
func cacheLocation(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	if _, err := serverURL(value, "redis", "rediss"); err != nil {
		return "", err
	}
	location, err := url.Parse(value)
	if err != nil {
		return "", err
	}
	if number := strings.Trim(location.Path, "/"); number != "" {
		if _, err := strconv.ParseUint(number, 10, 16); err != nil {
			return "", errors.New("must end with the number of a database, as in redis://127.0.0.1:6379/0")
		}
	}
	if location.RawQuery != "" {
		return "", errors.New("must have no question mark: there is nothing more to set")
	}
	return value, nil
}

func smtpURL(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	return serverURL(value, "smtp", "smtps")
}

// serverURL checks the address of a server. The error of url.Parse is left
// out, for it holds the password.
func serverURL(value string, schemes ...string) (string, error) {
	server, err := url.Parse(value)
	if err != nil {
		return "", errors.New("cannot be read as a URL; special characters in a password are written as %XX")
	}
	if !slices.Contains(schemes, server.Scheme) {
		return "", fmt.Errorf("must begin with %s", strings.Join(schemes, ":// or ")+"://")
	}
	if server.Hostname() == "" && server.Query().Get("host") == "" {
		return "", errors.New("must name a host")
	}
	return value, nil
}

// sender reads an address and writes its domain as A-labels (RFC 5890), which
// every mail server takes.
func sender(value string) (mail.Address, error) {
	parsed, err := mail.ParseAddress(value)
	if err != nil {
		return mail.Address{}, errors.New("must be an address, as in Vestnik <vestnik@example.org>")
	}
	at := strings.LastIndex(parsed.Address, "@")
	domain, err := idna.Lookup.ToASCII(parsed.Address[at+1:])
	if err != nil {
		return mail.Address{}, errors.New("must end with the name of a domain, as in Vestnik <vestnik@example.org>")
	}
	parsed.Address = parsed.Address[:at+1] + domain
	return *parsed, nil
}

// proxies reads addresses and ranges of them (RFC 4632, section 3.1); an address
// is the range of itself alone.
func proxies(value string) ([]netip.Prefix, error) {
	if value == "" {
		return nil, nil
	}
	var ranges []netip.Prefix
	for text := range strings.SplitSeq(value, ",") {
		text = strings.TrimSpace(text)
		proxy, err := netip.ParsePrefix(text)
		if err != nil {
			address, notAddress := netip.ParseAddr(text)
			if notAddress != nil || address.Zone() != "" {
				return nil, errors.New("must be a list of addresses or CIDRs, separated by commas, as in 10.0.0.5, fd00::/8")
			}
			address = address.Unmap()
			proxy = netip.PrefixFrom(address, address.BitLen())
		}
		ranges = append(ranges, proxy.Masked())
	}
	return ranges, nil
}

func whole(least, most int) func(string) (int, error) {
	return func(value string) (int, error) {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("must be a whole number from %d to %d", least, most)
		}
		return n, nil
	}
}

func span(least, most time.Duration) func(string) (time.Duration, error) {
	return func(value string) (time.Duration, error) {
		d, err := time.ParseDuration(value)
		if err != nil || d < least || d > most {
			return 0, fmt.Errorf("must be a duration from %s to %s, as in 90s, 30m or 24h", least, most)
		}
		return d, nil
	}
}

// days is whole days, of a century at most.
func days(value string) (time.Duration, error) {
	n, err := whole(0, 36500)(value)
	return time.Duration(n) * 24 * time.Hour, err
}

func zone(value string) (*time.Location, error) {
	location, err := time.LoadLocation(value)
	if err != nil || value == "" || value == "Local" {
		return nil, errors.New("must be a name of the IANA time zone table, as in Europe/Moscow or UTC")
	}
	return location, nil
}

// truth reads what people and the earlier service's settings file write.
func truth(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, errors.New("must be true or false")
}

func roles(value string) ([]Role, error) {
	var named []Role
	for name := range strings.SplitSeq(value, ",") {
		role := Role(strings.TrimSpace(name))
		if !slices.Contains([]Role{RoleWeb, RoleScheduler, RoleWorker}, role) {
			return nil, errors.New("must be a list of web, scheduler and worker, separated by commas")
		}
		if !slices.Contains(named, role) {
			named = append(named, role)
		}
	}
	return named, nil
}

func secretKey(value string) (string, error) {
	if value != "" && len(value) < minSecretKey {
		return "", fmt.Errorf("must have %d characters or more; `openssl rand -base64 32` makes one", minSecretKey)
	}
	return value, nil
}

// secretKeys reads secrets of which none has a space.
func secretKeys(value string) ([]string, error) {
	secrets := strings.Fields(value)
	for _, secret := range secrets {
		if _, err := secretKey(secret); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}

func level(value string) (slog.Level, error) {
	switch value {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, errors.New("must be debug, info, warn or error")
}

func logFormat(value string) (string, error) {
	if value != "text" && value != "json" {
		return "", errors.New("must be text or json")
	}
	return value, nil
}
