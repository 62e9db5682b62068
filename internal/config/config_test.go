package config

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, flags map[string]string, env ...string) Config {
	t.Helper()
	config, err := Load(env, flags)
	if err != nil {
		t.Fatalf("Load(%q, %q): %v", env, flags, err)
	}
	return config
}

func TestDefaults(t *testing.T) {
	c := load(t, nil, "PATH=/bin", "HOME=/root")
	t.Run("a server without settings is reachable from this machine only", func(t *testing.T) {
		if c.Addr != "127.0.0.1:8000" || c.BaseURL != "http://127.0.0.1:8000" || !c.Loopback() {
			t.Errorf("addr %q, base URL %q, loopback %v", c.Addr, c.BaseURL, c.Loopback())
		}
	})
	t.Run("nothing leaves the machine and everything lies in one folder", func(t *testing.T) {
		if !c.Demo() || c.DatabaseURL != "sqlite:data/vestnik.db" || c.SecretFile() != filepath.Join("data", "secret.key") {
			t.Errorf("demo %v, database %q, secret %q", c.Demo(), c.DatabaseURL, c.SecretFile())
		}
	})
	t.Run("one process does everything", func(t *testing.T) {
		for _, role := range []Role{RoleWeb, RoleScheduler, RoleWorker} {
			if !c.Has(role) {
				t.Errorf("role %s is missing", role)
			}
		}
	})
	t.Run("numbers, spans and the zone are as documented", func(t *testing.T) {
		if c.Connections != 10 || c.DemoKeep != 10000 || c.DrainTimeout != 30*time.Second || c.LateLimit != 24*time.Hour {
			t.Errorf("got %d, %d, %s, %s", c.Connections, c.DemoKeep, c.DrainTimeout, c.LateLimit)
		}
		if c.Zone.String() != "Europe/Moscow" || c.MailFrom.Address != "vestnik@localhost" || !c.PublicSignup || c.SampleData {
			t.Errorf("got %s, %s, %v, %v", c.Zone, c.MailFrom.Address, c.PublicSignup, c.SampleData)
		}
	})
}

func TestPrecedence(t *testing.T) {
	t.Run("a flag wins over the environment", func(t *testing.T) {
		c := load(t, map[string]string{"connections": "3"}, "VESTNIK_CONNECTIONS=5")
		if c.Connections != 3 {
			t.Errorf("connections = %d", c.Connections)
		}
	})
	t.Run("an empty variable counts as not set", func(t *testing.T) {
		if c := load(t, nil, "VESTNIK_CONNECTIONS="); c.Connections != 10 {
			t.Errorf("connections = %d", c.Connections)
		}
	})
	t.Run("the default base URL follows the address", func(t *testing.T) {
		if c := load(t, nil, "VESTNIK_ADDR=:9000"); c.BaseURL != "http://localhost:9000" || c.Loopback() {
			t.Errorf("base URL %q, loopback %v", c.BaseURL, c.Loopback())
		}
	})
	t.Run("the default database follows the data folder", func(t *testing.T) {
		if c := load(t, map[string]string{"data-dir": "/var/lib/vestnik/"}); c.DatabaseURL != "sqlite:/var/lib/vestnik/vestnik.db" {
			t.Errorf("database %q", c.DatabaseURL)
		}
	})
}

func TestGoodValues(t *testing.T) {
	c := load(t, map[string]string{"sample-data": "true"},
		"VESTNIK_BASE_URL=https://mail.example.org/", "DATABASE_URL=postgres://v:p@db:5432/vestnik?sslmode=disable",
		"SMTP_URL=smtps://me:p%40ss@smtp.yandex.ru:465", "VESTNIK_MAIL_FROM=Рассылки <news@example.org>",
		"VESTNIK_ROLES=worker, web,worker", "VESTNIK_LOG_LEVEL=debug", "VESTNIK_LOG_FORMAT=json",
		"VESTNIK_ZONE=Asia/Yekaterinburg", "VESTNIK_PUBLIC_SIGNUP=no", "VESTNIK_LATE_LIMIT=90m",
		"VESTNIK_SECRET_KEY="+strings.Repeat("k", 32))
	t.Run("a slash at the end of the base URL is dropped", func(t *testing.T) {
		if c.BaseURL != "https://mail.example.org" || !c.Secure() {
			t.Errorf("base URL %q, secure %v", c.BaseURL, c.Secure())
		}
	})
	t.Run("roles are taken once each", func(t *testing.T) {
		if !slices.Equal(c.Roles, []Role{RoleWorker, RoleWeb}) || c.Has(RoleScheduler) {
			t.Errorf("roles %v", c.Roles)
		}
	})
	t.Run("every value arrives in its type", func(t *testing.T) {
		if c.LogLevel != slog.LevelDebug || c.LogFormat != "json" || c.LateLimit != 90*time.Minute || c.PublicSignup ||
			!c.SampleData || c.Zone.String() != "Asia/Yekaterinburg" || c.MailFrom.Name != "Рассылки" || c.Demo() || len(c.SecretKey) != 32 {
			t.Errorf("got %v", c)
		}
	})
}

func TestBadValues(t *testing.T) {
	cases := []struct{ line, want string }{
		{"VESTNIK_ADDR=8000", "host:port"},
		{"VESTNIK_ADDR=localhost:http", "port from 0 to 65535"},
		{"VESTNIK_ADDR=localhost:70000", "port from 0 to 65535"},
		{"VESTNIK_BASE_URL=mail.example.org", "http://"},
		{"VESTNIK_BASE_URL=https://example.org/mail", "without a path"},
		{"VESTNIK_BASE_URL=https://me@example.org", "without a path"},
		{"DATABASE_URL=mysql://db/vestnik", "postgres://"},
		{"DATABASE_URL=sqlite:", "name a file"},
		{"DATABASE_URL=postgres:///vestnik", "name a host"},
		{"SMTP_URL=smtp.yandex.ru", "smtp://"},
		{"CACHE_LOCATION=cache:6379", "redis://"},
		{"CACHE_LOCATION=redis://", "name a host"},
		{"CACHE_LOCATION=redis://cache/first", "number of a database"},
		{"CACHE_LOCATION=redis://cache/0?read_timeout=1h", "question mark"},
		{"CACHE_ENABLED=perhaps", "true or false"},
		{"SMTP_URL=smtp://:25", "name a host"},
		{"VESTNIK_MAIL_FROM=nobody", "an address"},
		{"VESTNIK_CONNECTIONS=many", "from 1 to 1000"},
		{"VESTNIK_CONNECTIONS=0", "from 1 to 1000"},
		{"VESTNIK_DEMO_KEEP=-1", "from 1 to 1000000"},
		{"VESTNIK_LATE_LIMIT=1d", "as in 90s"},
		{"VESTNIK_DRAIN_TIMEOUT=2h", "to 1h0m0s"},
		{"VESTNIK_ROLES=web,clown", "web, scheduler and worker"},
		{"VESTNIK_ZONE=Moscow", "IANA"},
		{"VESTNIK_ZONE=Local", "IANA"},
		{"VESTNIK_PUBLIC_SIGNUP=maybe", "true or false"},
		{"VESTNIK_SECRET_KEY=short", "32 characters"},
		{"VESTNIK_LOG_LEVEL=loud", "debug, info"},
		{"VESTNIK_LOG_FORMAT=xml", "text or json"},
		{"VESTNIK_MAIL_FROM=Vestnik <news@a_b.example>", "name of a domain"},
		{"VESTNIK_MAIL_FROM=Vestnik <news@[192.0.2.1]>", "name of a domain"},
		{"VESTNIK_TRUSTED_PROXIES=10.0.0.0/33", "addresses or CIDRs"},
		{"VESTNIK_TRUSTED_PROXIES=10.0.0.1,nginx", "addresses or CIDRs"},
		{"VESTNIK_TRUSTED_PROXIES=10.0.0.1,", "addresses or CIDRs"},
	}
	for _, c := range cases {
		t.Run(c.line+" is refused with the reason", func(t *testing.T) {
			_, err := Load([]string{c.line}, nil)
			if err == nil {
				t.Fatal("it was accepted")
			}
			name, _, _ := strings.Cut(c.line, "=")
			if text := err.Error(); !strings.HasPrefix(text, name) || !strings.Contains(text, c.want) {
				t.Errorf("%q names neither %s nor %q", text, name, c.want)
			}
		})
	}
}

func TestSender(t *testing.T) {
	t.Run("a Cyrillic domain is written in the form that mail servers take", func(t *testing.T) {
		from := load(t, nil, "VESTNIK_MAIL_FROM=Вестник <news@Почта.рф>").MailFrom
		if from.Address != "news@xn--80a1acny.xn--p1ai" || from.Name != "Вестник" {
			t.Errorf("got %s", from)
		}
	})
}

func TestTrustedProxies(t *testing.T) {
	t.Run("nobody is trusted unless named", func(t *testing.T) {
		if got := load(t, nil).TrustedProxies; len(got) != 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("addresses and ranges are read", func(t *testing.T) {
		got := load(t, map[string]string{"trusted-proxies": "10.1.2.3/8, ::1,::ffff:192.0.2.1"}).TrustedProxies
		if fmt.Sprint(got) != "[10.0.0.0/8 ::1/128 192.0.2.1/32]" {
			t.Errorf("got %v", got)
		}
	})
}

func TestProblems(t *testing.T) {
	t.Run("all of them come at once", func(t *testing.T) {
		_, err := Load([]string{"VESTNIK_ADDR=x", "VESTNIK_COLOUR=red"}, map[string]string{"zone": "Mars"})
		var problems Problems
		if !errors.As(err, &problems) || len(problems) != 3 {
			t.Fatalf("got %v", err)
		}
		for _, name := range []string{"VESTNIK_ADDR", "VESTNIK_COLOUR", "--zone"} {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%q does not name %s", err, name)
			}
		}
	})
	t.Run("a slip of the pen is answered with the name that was meant", func(t *testing.T) {
		_, err := Load([]string{"VESTNIK_ADRR=:1"}, map[string]string{"basE-ur": "x"})
		if err == nil || !strings.Contains(err.Error(), "perhaps VESTNIK_ADDR") || !strings.Contains(err.Error(), "perhaps --base-url") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no error shows a secret", func(t *testing.T) {
		for _, line := range []string{"DATABASE_URL=my://v:hunter2@db", "SMTP_URL=smtp://v:hunter2%@h", "CACHE_LOCATION=redis://:hunter2%@h", "CACHE_LOCATION=redis://:hunter2@h/x", "VESTNIK_SECRET_KEY=hunter2"} {
			_, err := Load([]string{line}, nil)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", line, err)
			}
		}
	})
}

func TestLoopback(t *testing.T) {
	cases := []struct {
		addr, base string
		want       bool
	}{
		{"127.0.0.1:8000", "http://127.0.0.1:8000", true},
		{"127.8.8.8:8000", "http://localhost:8000", true},
		{"[::1]:8000", "http://[::1]:8000", true},
		{"localhost:8000", "http://LOCALHOST:8000", true},
		{"127.0.0.1:8000", "https://mail.example.org", false},
		{"0.0.0.0:8000", "http://127.0.0.1:8000", false},
		{":8000", "http://localhost:8000", false},
		{"192.168.1.5:8000", "http://localhost:8000", false},
		{"127.0.0.1:8000", "http://127.0.0.1.example.org", false},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s addressed as %s is loopback: %v", c.addr, c.base, c.want), func(t *testing.T) {
			config := load(t, nil, "VESTNIK_ADDR="+c.addr, "VESTNIK_BASE_URL="+c.base)
			if got := config.Loopback(); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func rowOf(t *testing.T, c Config, name string) Row {
	t.Helper()
	for _, row := range c.Explain() {
		if row.Name == name {
			return row
		}
	}
	t.Fatalf("%s is not explained", name)
	return Row{}
}

func TestExplain(t *testing.T) {
	c := load(t, map[string]string{"connections": "3"},
		"DATABASE_URL=postgres://v:hunter2@db/vestnik?password=hunter2", "SMTP_URL=smtp://v:hunter2@h:25",
		"CACHE_LOCATION=rediss://:hunter2@h:6379/1",
		"VESTNIK_SECRET_KEY="+strings.Repeat("hunter2", 5))
	t.Run("each value is shown with where it came from", func(t *testing.T) {
		row := rowOf(t, c, "VESTNIK_CONNECTIONS")
		if row.Value != "3" || row.Default != "10" || row.Source != FromFlag || row.Flag != "connections" || row.Unit != "connections" {
			t.Errorf("got %+v", row)
		}
		if row := rowOf(t, c, "VESTNIK_ADDR"); row.Source != FromDefault || row.Value != row.Default {
			t.Errorf("got %+v", row)
		}
	})
	t.Run("a user's name stays readable while the password is hidden", func(t *testing.T) {
		if row := rowOf(t, c, "SMTP_URL"); row.Value != "smtp://v:xxxxx@h:25" || row.Source != FromEnv {
			t.Errorf("got %+v", row)
		}
	})
	t.Run("no way of printing the settings shows a secret", func(t *testing.T) {
		var logged strings.Builder
		slog.New(slog.NewTextHandler(&logged, nil)).Info("settings", "config", c)
		for _, text := range []string{
			fmt.Sprint(c.Explain()), fmt.Sprintf("%v", c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), logged.String(),
		} {
			if strings.Contains(text, "hunter2") || !strings.Contains(text, "xxxxx") {
				t.Errorf("got %s", text)
			}
		}
	})
	t.Run("every setting says what it means and its flag follows from its name", func(t *testing.T) {
		for _, row := range c.Explain() {
			if row.Unit == "" || !strings.HasSuffix(row.Meaning, ".") {
				t.Errorf("%s is badly explained: %+v", row.Name, row)
			}
			kebab := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(row.Name, prefix)), "_", "-")
			if row.Flag != "" && row.Flag != kebab {
				t.Errorf("%s has the flag %s, want %s", row.Name, row.Flag, kebab)
			}
		}
	})
}

func TestTakeFlags(t *testing.T) {
	t.Run("settings are taken out and the rest is left in order", func(t *testing.T) {
		flags, rest, err := TakeFlags([]string{"serve", "--addr", ":1", "-v", "--zone=UTC", "--sample-data", "--email", "a@b.c", "--", "--addr", "x"})
		if err != nil {
			t.Fatal(err)
		}
		if len(flags) != 3 || flags["addr"] != ":1" || flags["zone"] != "UTC" || flags["sample-data"] != "true" {
			t.Errorf("flags %v", flags)
		}
		if !slices.Equal(rest, []string{"serve", "-v", "--email", "a@b.c", "--", "--addr", "x"}) {
			t.Errorf("rest %v", rest)
		}
	})
	t.Run("a switch may be turned off", func(t *testing.T) {
		flags, _, err := TakeFlags([]string{"--public-signup=false"})
		if err != nil || flags["public-signup"] != "false" {
			t.Errorf("flags %v, %v", flags, err)
		}
	})
	t.Run("a flag without its value is named", func(t *testing.T) {
		for _, args := range [][]string{{"--addr"}, {"--addr", "--zone=UTC"}} {
			if _, _, err := TakeFlags(args); err == nil || !strings.Contains(err.Error(), "--addr must be followed by a value") {
				t.Errorf("%v: %v", args, err)
			}
		}
	})
	t.Run("the secret key has no flag, for command lines are public", func(t *testing.T) {
		if slices.Contains(FlagNames(), "secret-key") || !slices.Contains(FlagNames(), "database-url") {
			t.Errorf("flags %v", FlagNames())
		}
	})
}
