package app_test

import (
	"slices"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/compose/dkim"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

func (h *house) keys(t *testing.T, f app.SigningForm) []app.SigningKey {
	t.Helper()
	keys, err := h.CreateSigningKeys(t.Context(), app.Operator, f)
	must(t, err)
	return keys
}

// signers are who signs with this house's keys, as another house reads them.
func (h *house) signers(t *testing.T, reader *house) (map[string]*dkim.Signer, error) {
	t.Helper()
	rows, err := h.SigningKeysInUse(t.Context())
	must(t, err)
	return reader.Signers(rows)
}

func TestSigningKeys(t *testing.T) {
	t.Run("only an admin sees or changes them", func(t *testing.T) {
		h := newHouse(t)
		for _, role := range []mailing.Role{mailing.RoleUser, mailing.RoleManager} {
			who := h.person(t, string(role)+"@example.org", role)
			_, err := h.SendingDomains(t.Context(), who)
			want(t, err, "not_found")
			_, err = h.CreateSigningKeys(t.Context(), who, app.SigningForm{Domain: "example.org"})
			want(t, err, "not_found")
			want(t, h.UseSigningKey(t.Context(), who, "example.org", "s"), "not_found")
			want(t, h.DeleteSigningKey(t.Context(), who, "example.org", "s"), "not_found")
		}
		_, err := h.SendingDomains(t.Context(), h.person(t, "admin@example.org", mailing.RoleAdmin))
		must(t, err)
	})
	t.Run("a domain gets one of each kind, with today in its name, and its record", func(t *testing.T) {
		h := newHouse(t)
		keys := h.keys(t, app.SigningForm{Domain: " @Почта.РФ. "})
		if len(keys) != 2 || keys[0].Selector != "v20261123" || keys[1].Selector != "v20261123-ed25519" {
			t.Fatalf("it gets %+v", keys)
		}
		if keys[0].RecordName != "v20261123._domainkey.xn--80a1acny.xn--p1ai" ||
			!strings.HasPrefix(keys[0].Record, "v=DKIM1; h=sha256; k=rsa; p=MIIBIjAN") || !keys[0].InUse || !keys[1].InUse ||
			!strings.HasPrefix(keys[0].ZoneText, `( "v=DKIM1;`) || !strings.Contains(keys[1].ZoneText, "k=ed25519") {
			t.Errorf("the keys are %+v", keys)
		}
		domains, err := h.SendingDomains(t.Context(), app.Operator)
		if err != nil || len(domains) != 1 || domains[0].Name != "xn--80a1acny.xn--p1ai" || !slices.Equal(domains[0].Keys, keys) {
			t.Errorf("listed are %+v, %v", domains, err)
		}
	})
	t.Run("one kind can be asked for, under a name of one's own", func(t *testing.T) {
		keys := newHouse(t).keys(t, app.SigningForm{Domain: "example.org", Selector: " Mail ", Algorithm: "ed25519"})
		if len(keys) != 1 || keys[0].Selector != "mail" || keys[0].Algorithm != "ed25519" {
			t.Errorf("it gets %+v", keys)
		}
	})
	t.Run("what is given is checked, all of it at once", func(t *testing.T) {
		h := newHouse(t)
		_, err := h.CreateSigningKeys(t.Context(), app.Operator, app.SigningForm{Domain: "example", Selector: "a b", Algorithm: "dsa"})
		for _, part := range []string{"domain: domain_malformed", "algorithm: choice_unknown"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s is not told: %v", part, err)
			}
		}
		_, err = h.CreateSigningKeys(t.Context(), app.Operator, app.SigningForm{Domain: "example.org", Selector: "a b"})
		want(t, err, "selector_malformed")
	})
	t.Run("a name that is taken is told", func(t *testing.T) {
		h := newHouse(t)
		h.keys(t, app.SigningForm{Domain: "example.org"})
		_, err := h.CreateSigningKeys(t.Context(), app.Operator, app.SigningForm{Domain: "example.org"})
		want(t, err, "selector_taken")
	})
}

func TestSigners(t *testing.T) {
	h := newHouse(t)
	h.keys(t, app.SigningForm{Domain: "example.org", Selector: "one"})
	h.keys(t, app.SigningForm{Domain: "example.org", Selector: "two", Algorithm: "rsa"})
	selectors := func() (names []string) {
		rows, err := h.SigningKeysInUse(t.Context())
		must(t, err)
		for _, row := range rows {
			names = append(names, row.Selector)
		}
		slices.Sort(names)
		return names
	}
	t.Run("the private half is stored sealed", func(t *testing.T) {
		rows, err := h.store.SigningKeys(t.Context())
		must(t, err)
		for _, row := range rows {
			if !strings.HasPrefix(row.PrivateSealed, "v1:") {
				t.Errorf("%s is stored as %q", row.Selector, row.PrivateSealed)
			}
		}
	})
	t.Run("a key signs when it is put into use, in place of the other", func(t *testing.T) {
		if got := selectors(); !slices.Equal(got, []string{"one", "one-ed25519"}) {
			t.Errorf("at first %v do", got)
		}
		must(t, h.UseSigningKey(t.Context(), app.Operator, "example.org", "two"))
		if got := selectors(); !slices.Equal(got, []string{"one-ed25519", "two"}) {
			t.Errorf("then %v do", got)
		}
	})
	t.Run("a domain with keys has a signer with all of them", func(t *testing.T) {
		signers, err := h.signers(t, h)
		if err != nil || len(signers) != 1 || signers["example.org"] == nil {
			t.Fatalf("there are %v, %v", signers, err)
		}
		fields, err := signers["example.org"].Sign(nil, []byte("From: a@example.org\r\n\r\nx\r\n"), nil, h.now)
		for _, selector := range []string{" s=two;", " s=one-ed25519;"} {
			if err != nil || !strings.Contains(string(fields), selector) {
				t.Errorf("%s does not sign: %v\n%s", selector, err, fields)
			}
		}
	})
	t.Run("with another secret key there is none, and it is told", func(t *testing.T) {
		other := &house{App: app.New(app.Config{}, h.store, auth.NewKeys([]byte(strings.Repeat("x", auth.MinSecret))))}
		signers, err := h.signers(t, other)
		if len(signers) != 0 || err == nil || !strings.Contains(err.Error(), "two._domainkey.example.org") {
			t.Errorf("there are %v, %v", signers, err)
		}
	})
	t.Run("a sealed key does not open under another name", func(t *testing.T) {
		rows, err := h.SigningKeysInUse(t.Context())
		must(t, err)
		rows[0].Domain = "evil.example"
		if signers, err := h.Signers([]store.SigningKey{rows[0]}); len(signers) != 0 || err == nil {
			t.Errorf("it does: %v, %v", signers, err)
		}
	})
	t.Run("what is deleted signs no more", func(t *testing.T) {
		must(t, h.DeleteSigningKey(t.Context(), app.Operator, "example.org", "two"))
		if got := selectors(); !slices.Equal(got, []string{"one-ed25519"}) {
			t.Errorf("%v do", got)
		}
		want(t, h.DeleteSigningKey(t.Context(), app.Operator, "example.org", "two"), "not_found")
	})
}
