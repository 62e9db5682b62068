package main

import "testing"

func TestDomainCheckCommand(t *testing.T) {
	t.Run("it tells of every topic, whatever DNS says", func(t *testing.T) {
		s := newShell(t)
		r := s.run("domain", "check", "--json", "Nobody.Invalid")
		check := object[domainCheckJSON](r)
		if want := map[bool]int{true: exitInvalid, false: 0}[check.Condition == "bad"]; r.code != want {
			t.Errorf("the exit code is %d, and the domain is %s", r.code, check.Condition)
		}
		equal(t, "domain", check.Domain, "nobody.invalid")
		topics := map[string]bool{}
		for _, f := range check.Findings {
			topics[f.Topic] = f.Condition != "" && f.Code != "" && f.Text != ""
		}
		for _, topic := range []string{"spf", "dkim", "dmarc", "mx"} {
			if !topics[topic] {
				t.Errorf("nothing is told of %s", topic)
			}
		}
	})
	t.Run("what is no domain is invalid", func(t *testing.T) {
		newShell(t).run("domain", "check", "no domain").want(exitInvalid).complains("no domain")
	})
}
