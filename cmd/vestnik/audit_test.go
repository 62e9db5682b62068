package main

import (
	"strings"
	"testing"
)

func TestAuditCommands(t *testing.T) {
	s := newShell(t)
	t.Run("an empty log is whole", func(t *testing.T) { s.in(t).run("audit", "verify").want(0).says("empty") })
	s.run("user", "create", "--email", "anna@example.org", "--first-name", "Анна", "--last-name", "Петрова").want(0)
	s.run("user", "create", "--email", "boris@example.org", "--first-name", "Борис", "--last-name", "Иванов").want(0)

	t.Run("what the command line did is the operator's", func(t *testing.T) {
		r := s.in(t).run("audit", "list").want(0).says("Operator", "Made an account", "anna@example.org", "Role: User")
		if strings.Index(r.out, "boris") > strings.Index(r.out, "anna") {
			t.Error("the newest is not the first")
		}
		s.in(t).run("--lang", "ru", "audit", "list", "--limit", "1").want(0).says("Учётная запись создана", "boris@example.org")
	})
	t.Run("it is narrowed", func(t *testing.T) {
		for _, flags := range [][]string{
			{"--action", "account.confirm"}, {"--kind", "mailing"}, {"--until", "2020-01-01"}, {"--by", "anna"}, {"--thing", "1"},
		} {
			if r := s.in(t).run(append([]string{"audit", "list"}, flags...)...).want(0); r.out != "" {
				t.Errorf("%v leaves %s", flags, r.out)
			}
		}
		s.in(t).run("audit", "list", "--owner", "nobody@example.org").want(exitNotFound)
		s.in(t).run("audit", "list", "--since", "yesterday").want(exitInvalid).complains("--since")
		anna := object[deedJSON](s.in(t).run("audit", "list", "--json", "--owner", "anna@example.org", "--since", "2020-01-01").want(0))
		if anna.Number != 1 || anna.Actor != -1 || anna.After["role"] != "user" || anna.Hash == "" {
			t.Errorf("it is %+v", anna)
		}
	})
	t.Run("it is verified, and what was done to it is found", func(t *testing.T) {
		whole := object[verifiedJSON](s.in(t).run("audit", "verify", "--json").want(0))
		if !whole.Whole || whole.Lines != 2 || whole.Broken != 0 {
			t.Errorf("it is %+v", whole)
		}
		s.in(t).run("audit", "verify").want(0).says("2", whole.Hash)
		tamper(t, s, "drop trigger deeds_stay", "update deeds set email = 'eve@example.org' where number = 2")
		s.in(t).run("audit", "verify").want(exitTampered).says("line 2 is not")
		broken := object[verifiedJSON](s.in(t).run("audit", "verify", "--json").want(exitTampered))
		if broken.Whole || broken.Lines != 1 || broken.Broken != 2 {
			t.Errorf("it is %+v", broken)
		}
	})
}

// tamper changes the database behind the program's back.
func tamper(t *testing.T, s *shell, statements ...string) {
	t.Helper()
	db := s.in(t).base().Store.Writer()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}
