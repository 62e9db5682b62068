package main

import (
	"slices"
	"strings"
	"testing"
)

func TestDkim(t *testing.T) {
	t.Run("new makes a key of each kind and prints what to publish", func(t *testing.T) {
		s := newShell(t)
		r := s.run("dkim", "new", "example.org", "--selector", "s").want(0)
		r.says("Name: s._domainkey.example.org\n", "Value: v=DKIM1; h=sha256; k=rsa; p=MII", "s._domainkey.example.org. IN TXT ( \"v=DKIM1;",
			"Name: s-ed25519._domainkey.example.org\n", "k=ed25519; p=", "add these TXT records", "begins to sign")
		s.run("--lang", "ru", "dkim", "list", "example.org").want(0).says("Подписывает", "Имя: s._domainkey.example.org", "В файле зоны: ")
	})
	t.Run("as JSON it is what list prints, too", func(t *testing.T) {
		s := newShell(t)
		made := s.run("dkim", "new", "Почта.рф", "--json", "--algorithm", "rsa", "--selector", "s").want(0)
		keys := object[[]signingKeyJSON](made)
		if len(keys) != 1 || keys[0].Domain != "xn--80a1acny.xn--p1ai" || !keys[0].InUse || keys[0].RecordName != "s._domainkey.xn--80a1acny.xn--p1ai" {
			t.Fatalf("it is %+v", keys)
		}
		equal(t, "list", s.run("dkim", "list", "--json").want(0).out, made.out)
		equal(t, "list of another domain", s.run("dkim", "list", "--json", "example.org").want(0).out, "[]\n")
		if strings.Contains(made.out, "PRIVATE") || strings.Contains(made.out, "sealed") {
			t.Error("the private half is printed")
		}
	})
	t.Run("a second key is put into use, and the first one removed", func(t *testing.T) {
		s := newShell(t)
		s.run("dkim", "new", "почта.рф", "--algorithm", "rsa", "--selector", "one").want(0)
		s.run("dkim", "new", "почта.рф", "--algorithm", "rsa", "--selector", "two").want(0).
			says("vestnik dkim use xn--80a1acny.xn--p1ai two")
		s.run("dkim", "use", "почта.рф", "two").want(0).says("почта.рф", "two")
		inUse := map[string]bool{}
		for _, k := range object[[]signingKeyJSON](s.run("dkim", "list", "--json").want(0)) {
			inUse[k.Selector] = k.InUse
		}
		if inUse["one"] || !inUse["two"] {
			t.Errorf("in use are %v", inUse)
		}
		s.run("dkim", "remove", "почта.рф", "one").want(0).says("one", "week")
		s.run("dkim", "remove", "почта.рф", "one").want(exitNotFound)
		s.run("dkim", "use", "почта.рф", "one").want(exitNotFound)
	})
	t.Run("what cannot be used is told", func(t *testing.T) {
		s := newShell(t)
		r := s.run("dkim", "new", "example").want(exitInvalid).complains("“example” is no domain")
		if strings.Contains(r.err, "--") {
			t.Errorf("it names a flag: %s", r.err)
		}
		s.run("dkim", "remove", "example", "s").want(exitInvalid)
		s.run("dkim", "new", "example.org", "--selector", "a_b c").want(exitInvalid).complains("--selector: ")
		s.run("dkim", "new", "example.org", "--algorithm", "dsa").want(exitUsage)
		s.run("dkim", "new", "example.org", "--selector", "s").want(0)
		s.run("dkim", "new", "example.org", "--selector", "s").want(exitConflict).complains("“s”")
	})
	t.Run("without keys list says so, and prints no data", func(t *testing.T) {
		r := newShell(t).run("dkim", "list").want(0).complains("no signing keys")
		equal(t, "standard output", r.out, "")
	})
}

func TestTheFieldsOfAKeyAreKept(t *testing.T) {
	s := newShell(t)
	keys := object[[]map[string]any](s.run("dkim", "new", "example.org", "--json", "--algorithm", "ed25519").want(0))
	var names []string
	for name := range keys[0] {
		names = append(names, name)
	}
	slices.Sort(names)
	equal(t, "fields", strings.Join(names, " "), "algorithm created_at domain in_use record record_name selector zone_text")
}
