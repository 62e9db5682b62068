package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

func TestContactsImport(t *testing.T) {
	s := newShell(t)
	s.run("user", "create", "--email", anna).want(0)
	file := s.file("clients.csv", "email,name\nboris@example.com,Boris\nnobody\nvera@example.com,Vera\nboris@example.com,Boris\n")
	t.Run("lines that cannot be used are listed with the reason, the others are imported", func(t *testing.T) {
		r := s.in(t).run("contacts", "import", "--json", "--owner", anna, file).want(exitIncomplete)
		report := object[importJSON](r)
		if report.Total != 4 || report.Added != 2 || report.Existing != 0 || report.Refused != 2 || report.Filename != "clients.csv" {
			t.Errorf("the report is %+v", report)
		}
		want := []refusalJSON{
			{Line: 3, Value: "nobody", Code: "email_malformed", Reason: "“nobody” does not look like an e-mail address."},
			{Line: 5, Value: "boris@example.com", Code: "csv_repeated", Reason: "Repeated in the file: this address already stood in line 2."},
		}
		if !slices.Equal(report.Refusals, want) {
			t.Errorf("the refused lines are %+v", report.Refusals)
		}
	})
	t.Run("the same file once more adds nobody, and tells so in Russian", func(t *testing.T) {
		s.in(t).run("contacts", "import", "--lang", "ru", "--owner", anna, file).want(exitIncomplete).
			says("Добавлено: 0", "не принято: 2", "«nobody» не похоже на адрес")
	})
	t.Run("a file without faults ends with 0", func(t *testing.T) {
		s.in(t).runWith(ctx, "email\nglory@example.com\n", "contacts", "import", "--owner", anna, "-").want(0).says("Added: 1")
	})
	t.Run("a file that is no list is invalid", func(t *testing.T) {
		s.in(t).runWith(ctx, "name\nBoris\n", "contacts", "import", "--owner", anna, "-").want(exitInvalid)
	})
	t.Run("a file that is not there is not found", func(t *testing.T) {
		s.in(t).run("contacts", "import", "--owner", anna, "no.csv").want(exitNotFound).complains("no.csv")
	})
	t.Run("an owner who is not there is not found", func(t *testing.T) {
		s.in(t).run("contacts", "import", "--owner", "boris@example.com", file).want(exitNotFound).complains("boris@example.com")
	})
}

func TestMessageCreate(t *testing.T) {
	s := newShell(t)
	s.run("user", "create", "--email", anna).want(0)
	for name, format := range map[string]string{"a.md": "markdown", "a.HTML": "html", "a.txt": "text", "a": "markdown"} {
		t.Run("a file "+name+" is "+format, func(t *testing.T) {
			r := s.in(t).run("message", "create", "--json", "--owner", anna, "--subject", "News", "--file", s.file(name, "Hello")).want(0)
			equal(t, "format", object[messageJSON](r).Format, format)
		})
	}
	t.Run("--format wins over the name", func(t *testing.T) {
		r := s.in(t).run("message", "create", "--json", "--owner", anna, "--subject", "News", "--file", s.file("a.md", "Hello"), "--format", "text").want(0)
		equal(t, "format", object[messageJSON](r).Format, "text")
	})
	t.Run("a merge field that is malformed is invalid", func(t *testing.T) {
		s.in(t).run("message", "create", "--owner", anna, "--subject", "News", "--file", s.file("a.md", "Hello {{ first_name")).want(exitInvalid)
	})
	t.Run("a message keeps its text", func(t *testing.T) {
		r := s.in(t).run("message", "create", "--json", "--owner", anna, "--subject", "News", "--file", s.file("a.md", "\uFEFFHello, *Anna*")).want(0)
		b := s.in(t).base()
		owner, err := b.App.AccountByEmail(ctx, anna)
		if err != nil {
			t.Fatal(err)
		}
		m, err := b.App.Message(ctx, owner, object[messageJSON](r).ID)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "text", m.Body, "Hello, *Anna*")
	})
}

func TestMailingCreate(t *testing.T) {
	s := newShell(t)
	s.run("user", "create", "--email", anna).want(0)
	message := s.message(anna)
	tomorrow := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	create := func(t *testing.T, args ...string) result {
		t.Helper()
		return s.in(t).run(append([]string{"mailing", "create", "--json", "--owner", anna, "--message", message, "--at", "09:30", "--start", tomorrow}, args...)...)
	}
	rest := `"start":"` + tomorrow + `","at":"09:30"`
	moscow := rest + `,"zone":"Europe/Moscow"`
	for _, c := range []struct{ name, flags, rule string }{
		{"once is the default", "", `{"frequency":"once",` + moscow + `}`},
		{"every day", "--repeat daily", `{"frequency":"daily","interval":1,` + moscow + `}`},
		{"a zone of its own", "--zone Asia/Tokyo", `{"frequency":"once",` + rest + `,"zone":"Asia/Tokyo"}`},
		{"weekdays, short or long", "--repeat weekly --every 2 --on fri,Monday", `{"frequency":"weekly","interval":2,` + moscow + `,"weekdays":["monday","friday"]}`},
		{"a day of the month", "--repeat monthly --day 31", `{"frequency":"monthly","interval":1,` + moscow + `,"monthly_by":"day","day":31,"short_month":"last_day"}`},
		{"short months skipped", "--repeat monthly --day 31 --skip-short-months", `{"frequency":"monthly","interval":1,` + moscow + `,"monthly_by":"day","day":31,"short_month":"skip"}`},
		{"the last day", "--repeat monthly --last-day", `{"frequency":"monthly","interval":1,` + moscow + `,"monthly_by":"last_day"}`},
		{"the second Tuesday", "--repeat monthly --nth 2 --weekday tue", `{"frequency":"monthly","interval":1,` + moscow + `,"monthly_by":"weekday","nth":2,"weekday":"tuesday"}`},
		{"the last Sunday", "--repeat monthly --nth last --weekday sun", `{"frequency":"monthly","interval":1,` + moscow + `,"monthly_by":"weekday","nth":-1,"weekday":"sunday"}`},
		{"an end by date", "--repeat daily --until 2199-01-01", `{"frequency":"daily","interval":1,` + moscow + `,"until":"2199-01-01"}`},
		{"an end by count, days skipped", "--repeat daily --count 5 --skip 2199-01-02,2199-01-01", `{"frequency":"daily","interval":1,` + moscow + `,"count":5,"skip":["2199-01-01","2199-01-02"]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := object[mailingJSON](create(t, strings.Fields(c.flags)...).want(0))
			equal(t, "rule", string(made.Rule), c.rule)
			equal(t, "doubt", made.Doubt, "never_twice")
			equal(t, "weight", made.Weight, mailing.WeightNormal)
			if made.NextAt == nil {
				t.Error("there is no next date")
			}
		})
	}
	t.Run("never missed, and who it is from, are kept", func(t *testing.T) {
		r := create(t, "--never-missed", "--from-name", "Anna", "--reply-to", "Reply@example.com").want(0)
		made := object[mailingJSON](r)
		equal(t, "doubt", made.Doubt, "never_missed")
		equal(t, "owner", made.Owner, anna)
		equal(t, "subject", made.Subject, "News")
	})
	t.Run("a weight is kept, and told where it is not normal", func(t *testing.T) {
		made := object[mailingJSON](create(t, "--weight", "high").want(0))
		equal(t, "weight", made.Weight, mailing.WeightHigh)
		s.in(t).run("mailing", "status", strconv.FormatInt(made.ID, 10)).want(0).says("Weight: High")
		normal := object[mailingJSON](create(t).want(0))
		if r := s.in(t).run("mailing", "status", strconv.FormatInt(normal.ID, 10)).want(0); strings.Contains(r.out, "Weight") {
			t.Errorf("it says %s", r.out)
		}
	})
	t.Run("all that cannot be read is told at once, by the name of its flag", func(t *testing.T) {
		r := s.in(t).run("mailing", "create", "--owner", anna, "--message", message, "--at", "9.30", "--start", "2026-13-01",
			"--zone", "Mars/Base", "--repeat", "weekly", "--on", "someday").want(exitInvalid)
		r.complains("--at: ", "--start: ", "--zone: ", "Mars/Base", "--on: ")
	})
	t.Run("weekly without a day is told with the flag for it", func(t *testing.T) {
		create(t, "--repeat", "weekly").want(exitInvalid).complains("--on: ")
	})
	t.Run("a place in the month that does not exist is told with its flag", func(t *testing.T) {
		for _, nth := range []string{"0", "5", "second"} {
			create(t, "--repeat", "monthly", "--nth", nth, "--weekday", "tue").want(exitInvalid).complains("--nth: ")
		}
	})
	t.Run("somebody else's message is refused", func(t *testing.T) {
		other := s.in(t)
		other.run("user", "create", "--email", "boris@example.com").want(0)
		other.run("mailing", "create", "--owner", "boris@example.com", "--message", message, "--at", "09:30").want(exitInvalid).complains("--message: ")
	})
}

func TestMailingCreateUsage(t *testing.T) {
	for _, flags := range []string{
		"--on mon", "--day 3", "--last-day", "--nth 2 --weekday tue", "--every 2", "--until 2199-01-01", "--count 3", "--skip 2199-01-01",
		"--repeat monthly --nth 2", "--repeat monthly --weekday tue", "--repeat monthly --last-day --skip-short-months",
		"--repeat monthly --day 3 --last-day", "--repeat hourly", "--weight 16",
	} {
		t.Run("a flag that would be ignored is a usage error: "+flags, func(t *testing.T) {
			args := append([]string{"mailing", "create", "--owner", anna, "--message", "1", "--at", "09:30"}, strings.Fields(flags)...)
			newShell(t).run(args...).want(exitUsage).complains("--")
		})
	}
}

func TestMailingList(t *testing.T) {
	s := newShell(t)
	s.run("mailing", "list").want(0).complains("no mailings")
	equal(t, "nothing as JSON", s.run("mailing", "list", "--json").want(0).out, "[]\n")
	s.furnish("c@example.com")
	s.run("user", "create", "--email", "boris@example.com").want(0)
	s.mailing("boris@example.com", s.message("boris@example.com"))
	t.Run("an owner's list is theirs alone", func(t *testing.T) {
		list := object[[]mailingJSON](s.in(t).run("mailing", "list", "--json", "--owner", anna).want(0))
		if len(list) != 1 || list[0].Owner != anna {
			t.Errorf("it is %+v", list)
		}
	})
	t.Run("without an owner it is everybody's", func(t *testing.T) {
		s.in(t).run("mailing", "list").want(0).says(anna, "boris@example.com", "News", "Created", "every day at")
	})
	t.Run("the JSON of a mailing has the fields that are documented", func(t *testing.T) {
		list := object[[]json.RawMessage](s.in(t).run("mailing", "list", "--json").want(0))
		got := fields(result{shell: s.in(t), out: string(list[0])})
		want := []string{
			"audience", "created_at", "doubt", "id", "last_at", "message", "next_at", "owner", "rule", "status", "subject", "weight",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestMailingSwitches(t *testing.T) {
	s := newShell(t)
	id := s.furnish("c@example.com")
	status := func() string {
		return string(object[mailingStatusJSON](s.run("mailing", "status", "--json", id).want(0)).Status)
	}
	for _, step := range []struct{ do, status string }{
		{"pause", "paused"}, {"resume", "created"}, {"disable", "disabled"}, {"enable", "created"},
	} {
		s.run("mailing", step.do, id).want(0).says("Status: ")
		equal(t, "status after "+step.do, status(), step.status)
	}
	t.Run("what cannot follow is a conflict", func(t *testing.T) {
		s.in(t).run("mailing", "resume", id).want(exitConflict)
	})
	t.Run("a mailing that is not there is not found", func(t *testing.T) {
		for _, do := range []string{"pause", "resume", "disable", "enable", "status", "send"} {
			s.in(t).run("mailing", do, strconv.Itoa(1)).want(exitNotFound)
		}
	})
	t.Run("a disabled mailing says why", func(t *testing.T) {
		s := s.in(t)
		s.run("mailing", "disable", "--why", "complaints", id).want(0)
		s.run("mailing", "status", id).want(0).says("Reason: complaints")
	})
}
