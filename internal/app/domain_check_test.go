package app_test

import (
	"reflect"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

func TestDomainChecks(t *testing.T) {
	h, admin, _ := withRelay(t)
	_, err := h.CreateSigningKeys(t.Context(), admin, app.SigningForm{Domain: "example.org", Selector: "v1", Algorithm: "ed25519"})
	must(t, err)
	ready := func(want bool) {
		t.Helper()
		got, _, err := h.DomainsReady(t.Context(), admin)
		must(t, err)
		if got != want {
			t.Errorf("the domains are ready: %v", got)
		}
	}
	t.Run("the domain of a relay's sender waits to be checked", func(t *testing.T) {
		checks, err := h.DomainChecks(t.Context(), admin, "")
		must(t, err)
		if len(checks) != 1 || checks[0].Domain != "example.org" || !checks[0].At.IsZero() {
			t.Errorf("the checks are %+v", checks)
		}
		ready(false)
	})
	t.Run("it is asked for its relay and its keys, and the answer is kept with its time", func(t *testing.T) {
		h.findings = []mailing.Finding{{Topic: mailing.TopicSPF, Condition: mailing.Bad, Code: "spf_missing", Params: map[string]string{"domain": "example.org"}, Name: "example.org", Record: "v=spf1 -all"}}
		h.later(time.Hour)
		_, err := h.CheckDomain(t.Context(), admin, "Example.ORG")
		must(t, err)
		q := h.asked[len(h.asked)-1]
		if len(q.Ways) != 1 || q.Ways[0].Host != "smtp.example.org" || len(q.Keys) != 1 || q.Keys[0].Name != "v1._domainkey.example.org" {
			t.Errorf("asked is %+v", q)
		}
		checks, err := h.DomainChecks(t.Context(), admin, "")
		must(t, err)
		if want := (mailing.DomainCheck{Domain: "example.org", At: h.now, Findings: h.findings}); !reflect.DeepEqual(checks, []mailing.DomainCheck{want}) {
			t.Errorf("kept is %+v", checks)
		}
		ready(false)
	})
	t.Run("a later answer takes its place", func(t *testing.T) {
		h.findings = []mailing.Finding{{Topic: mailing.TopicSPF, Condition: mailing.Attention, Code: "spf_perhaps"}}
		_, err := h.CheckDomain(t.Context(), admin, "example.org")
		must(t, err)
		ready(true)
	})
	t.Run("a domain that is not in use is checked for all ways, and shown when it is asked for", func(t *testing.T) {
		_, err := h.CheckDomain(t.Context(), admin, "другой.рф")
		must(t, err)
		q := h.asked[len(h.asked)-1]
		if q.Domain != "xn--c1abqtis.xn--p1ai" || len(q.Ways) != 1 || len(q.Keys) != 0 {
			t.Errorf("asked is %+v", q)
		}
		for besides, want := range map[string]int{"": 1, q.Domain: 2, "example.org": 1, "unknown.example": 1} {
			checks, err := h.DomainChecks(t.Context(), admin, besides)
			must(t, err)
			if len(checks) != want {
				t.Errorf("with %q there are %d", besides, len(checks))
			}
		}
	})
	t.Run("what is no domain is told, and only who manages relays may ask", func(t *testing.T) {
		_, err := h.CheckDomain(t.Context(), admin, "no domain")
		if fields(err) == "" {
			t.Errorf("the error is %v", err)
		}
		for _, role := range []mailing.Role{mailing.RoleUser, mailing.RoleManager} {
			who := h.person(t, string(role)+"@example.org", role)
			_, err := h.CheckDomain(t.Context(), who, "example.org")
			want(t, err, "not_found")
			_, err = h.DomainChecks(t.Context(), who, "")
			want(t, err, "not_found")
		}
	})
}
