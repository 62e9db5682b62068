package main

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/alecthomas/kong"

	"vestnik/internal/i18n"
)

func TestCommandLine(t *testing.T) {
	t.Run("an unknown command is a usage error and prints no data", func(t *testing.T) {
		r := newShell(t).run("sreve").want(exitUsage).complains("sreve", "--help")
		equal(t, "standard output", r.out, "")
	})
	t.Run("an unknown flag is a usage error", func(t *testing.T) {
		newShell(t).run("migrate", "--fast").want(exitUsage).complains("--fast")
	})
	t.Run("no command at all is a usage error", func(t *testing.T) {
		newShell(t).run().want(exitUsage).complains("vestnik --help")
	})
	t.Run("a missing flag is named", func(t *testing.T) {
		newShell(t).run("contacts", "import", "x.csv").want(exitUsage).complains("--owner")
	})
	t.Run("help is data", func(t *testing.T) {
		newShell(t).run("--help").want(0).says("mailing send", "csu", "serve")
		newShell(t).run("mailing", "create", "--help").want(0).says("--never-missed")
	})
	t.Run("the language is that of the shell, and --lang wins over it", func(t *testing.T) {
		s := newShell(t, "LC_ALL=ru_RU.UTF-8")
		s.run("--help").want(0).says("Запустить сервис")
		s.run("--lang", "en", "--help").want(0).says("Run the service")
		s.run("migrate", "--lang=en").want(0).says("up to date")
	})
}

func TestSettings(t *testing.T) {
	t.Run("an unknown setting stops every command and the nearest one is named", func(t *testing.T) {
		newShell(t, "VESTNIK_ADR=:80").run("migrate").want(exitUsage).complains("VESTNIK_ADR", "VESTNIK_ADDR")
	})
	t.Run("a malformed setting is named", func(t *testing.T) {
		newShell(t).run("serve", "--drain-timeout=soon").want(exitUsage).complains("--drain-timeout")
	})
	t.Run("a setting's flag without its value is named", func(t *testing.T) {
		newShell(t).run("config", "--addr").want(exitUsage).complains("--addr")
	})
	t.Run("version and help need no settings", func(t *testing.T) {
		newShell(t, "VESTNIK_ADR=:80").run("version").want(0).says("vestnik " + version)
		newShell(t, "VESTNIK_ADR=:80").run("serve", "--help").want(0).says("Run the service")
	})
	t.Run("config prints every setting with its source", func(t *testing.T) {
		r := newShell(t, "VESTNIK_CONNECTIONS=3").run("config", "--json", "--late-limit=2h").want(0)
		sources := map[string]string{}
		for _, row := range object[[]settingJSON](r) {
			sources[row.Name] = row.Value + " " + row.Source
			if row.Meaning == "" || row.Unit == "" {
				t.Errorf("%s has no meaning or no unit", row.Name)
			}
		}
		equal(t, "connections", sources["VESTNIK_CONNECTIONS"], "3 env")
		equal(t, "late limit", sources["VESTNIK_LATE_LIMIT"], "2h flag")
		equal(t, "zone", sources["VESTNIK_ZONE"], "Europe/Moscow default")
	})
	t.Run("config shows no secret, as JSON and as a table", func(t *testing.T) {
		s := newShell(t, "SMTP_URL=smtp://anna:swordfish@mail.example.org:587", "VESTNIK_SECRET_KEY="+strings.Repeat("swordfish", 4))
		for _, r := range []result{s.run("config").want(0).says("MEANING", "mail.example.org"), s.run("config", "--json").want(0)} {
			if strings.Contains(r.out, "swordfish") {
				t.Error("a secret is printed")
			}
		}
	})
	t.Run("--zone is the setting for every command but mailing create", func(t *testing.T) {
		flags := map[string]string{"zone": "Asia/Tokyo"}
		if rest := giveBackZone(flags, []string{"mailing", "list"}); len(rest) != 2 || flags["zone"] == "" {
			t.Errorf("mailing list got %v", rest)
		}
		rest := giveBackZone(flags, []string{"--lang=ru", "mailing", "create", "--", "x"})
		if !slices.Equal(rest, []string{"--lang=ru", "mailing", "create", "--zone=Asia/Tokyo", "--", "x"}) || len(flags) != 0 {
			t.Errorf("mailing create got %v and left %v", rest, flags)
		}
	})
}

func TestMigrate(t *testing.T) {
	t.Run("several processes may begin on a new installation at once", func(t *testing.T) {
		s := newShell(t)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if r := s.run("migrate"); r.code != 0 {
					t.Errorf("one ended with %d: %s", r.code, r.err)
				}
			})
		}
		all.Wait()
	})
}

func TestHelp(t *testing.T) {
	catalog, err := i18n.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range i18n.Languages() {
		t.Run("every command, flag and argument is explained in "+lang, func(t *testing.T) {
			parser, err := (&desk{words: catalog.For(lang)}).parser(func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			explained(t, parser.Model.Node)
		})
	}
}

func explained(t *testing.T, node *kong.Node) {
	t.Helper()
	for _, flag := range node.Flags {
		if flag.Help == "" || strings.HasPrefix(flag.Help, "cli.") {
			t.Errorf("%s --%s is explained by %q", node.Path(), flag.Name, flag.Help)
		}
	}
	for _, argument := range node.Positional {
		if strings.HasPrefix(argument.Help, "cli.") {
			t.Errorf("%s %s is explained by %q", node.Path(), argument.Name, argument.Help)
		}
	}
	if node.Help == "" || strings.HasPrefix(node.Help, "cli.") {
		t.Errorf("%s is explained by %q", node.Path(), node.Help)
	}
	for _, child := range node.Children {
		explained(t, child)
	}
}
