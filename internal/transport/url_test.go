package transport

import (
	"log/slog"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, url, want string }{
		{"without a user it relays", "smtp://mx.shop.test", "smtp://mx.shop.test:25?tls=starttls"},
		{"with a user it submits and needs TLS", "smtp://anna:" + secret + "@shop.test", "smtp://anna@shop.test:587?tls=starttls-required"},
		{"on this machine TLS is not needed", "smtp://anna:" + secret + "@localhost:1025", "smtp://anna@localhost:1025?tls=starttls"},
		{"smtps is implicit TLS", "smtps://anna:" + secret + "@shop.test", "smtps://anna@shop.test:465"},
		{"tls may be told", "smtp://shop.test:2525?tls=none", "smtp://shop.test:2525?tls=none"},
		{"implicit may be told too", "smtp://shop.test?tls=implicit", "smtps://shop.test:465"},
		{"an IPv6 address", "smtp://[::1]", "smtp://[::1]:25?tls=starttls"},
		{"spaces around it do not matter", " smtp://shop.test/ ", "smtp://shop.test:25?tls=starttls"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			relay, err := ParseURL(test.url)
			if err != nil || relay.String() != test.want {
				t.Errorf("got %v, %v; want %s", relay, err, test.want)
			}
			if strings.Contains(test.url, secret) && relay.Password != secret {
				t.Errorf("the password was read as %q", relay.Password)
			}
			var log strings.Builder
			slog.New(slog.NewTextHandler(&log, nil)).Info("relay", "relay", relay, "value", *relay)
			noSecret(t, relay, *relay, log.String())
		})
	}
}

func TestURLParametersAreRead(t *testing.T) {
	t.Parallel()
	relay, err := ParseURL("smtp://anna%40shop.test:p%3A%2F%40ss@smtp.shop.test?helo=mx.shop.test&verify=false")
	if err != nil {
		t.Fatal(err)
	}
	if relay.Username != "anna@shop.test" || relay.Password != "p:/@ss" || relay.HeloName != "mx.shop.test" || !relay.InsecureSkipVerify {
		t.Errorf("got %v, password %q, helo %q, trust %v", relay, relay.Password, relay.HeloName, relay.InsecureSkipVerify)
	}
}

func TestBadURLs(t *testing.T) {
	t.Parallel()
	tests := []struct{ url, code string }{
		{"smtp://anna:" + secret + "%zz@shop.test", "smtp_url_malformed"},
		{"smtp://anna:" + secret + "@shop.test:port", "smtp_url_malformed"},
		{"smtp:shop.test", "smtp_url_malformed"},
		{"smtp://shop.test/path", "smtp_url_malformed"},
		{"http://anna:" + secret + "@shop.test", "smtp_url_scheme"},
		{"shop.test", "smtp_url_malformed"},
		{"", "smtp_url_scheme"},
		{"smtp://", "smtp_url_host_missing"},
		{"smtp://:25", "smtp_url_host_missing"},
		{"smtp://shop.test:0", "smtp_url_port"},
		{"smtp://shop.test:65536", "smtp_url_port"},
		{"smtp://shop.test?tls=yes", "smtp_url_tls"},
		{"smtps://shop.test?tls=starttls", "smtp_url_tls"},
		{"smtp://anna@shop.test", "smtp_url_password_missing"},
		{"smtp://:" + secret + "@shop.test", "smtp_url_password_missing"},
		{"smtp://shop.test?verify=maybe", "smtp_url_verify"},
		{"smtp://shop.test?helo=a%0d%0ab", "smtp_helo_malformed"},
		{"smtp://shop.test?timeout=5", "smtp_url_parameter"},
	}
	for _, test := range tests {
		_, err := ParseURL(test.url)
		noSecret(t, err)
		if mailing.CodeOf(err) != test.code || mailing.KindOf(err) != mailing.Invalid {
			t.Errorf("%q: got %v, want %s", test.url, err, test.code)
		}
	}
}
