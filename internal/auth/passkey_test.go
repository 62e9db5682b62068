package auth_test

import (
	"errors"
	"strings"
	"testing"

	"vestnik/internal/auth"
	"vestnik/internal/auth/authtest"
	"vestnik/internal/mailing"
)

const site = "https://mail.example.org"

// withPasskey is a holder with one passkey, and the device that holds it.
func withPasskey(t *testing.T, p *auth.Passkeys) (auth.Holder, *authtest.Device) {
	t.Helper()
	h, d := auth.Holder{ID: 7, Email: "anna@example.org", Name: "Анна"}, authtest.NewDevice(site)
	options, state, err := p.Make(h)
	if err != nil {
		t.Fatal(err)
	}
	made, err := p.Made(h, state, d.Make(t, options))
	if err != nil {
		t.Fatal(err)
	}
	h.Records = []string{made.Record}
	return h, d
}

func TestPasskeysProve(t *testing.T) {
	p := auth.NewPasskeys(site, "Vestnik")
	h, d := withPasskey(t, p)
	// prove has the device answer, after change has made it lie.
	prove := func(t *testing.T, change func(d *authtest.Device, options *string)) error {
		t.Helper()
		options, state, err := p.Ask(h)
		if err != nil {
			t.Fatal(err)
		}
		liar := *d
		change(&liar, &options)
		proof, err := p.Check(h, state, liar.Prove(t, options))
		if err == nil {
			if proof.Account != h.ID || proof.CredentialID == "" {
				t.Errorf("it proves %+v", proof)
			}
			d.Count, h.Records = liar.Count, []string{proof.Record}
		}
		return err
	}
	cases := []struct {
		name   string
		change func(d *authtest.Device, options *string)
		want   string
	}{
		{"who has it", func(*authtest.Device, *string) {}, ""},
		{"as a second factor, who has it, whoever they are", func(d *authtest.Device, _ *string) { d.Verifies = false }, ""},
		{"nothing on another site's page", func(d *authtest.Device, _ *string) { d.Origin = "https://mail.example.com" }, "passkey_refused"},
		{"nothing by the answer to another challenge", func(_ *authtest.Device, o *string) { *o, _, _ = p.Ask(h) }, "passkey_refused"},
		{"nothing when there are two of them", func(d *authtest.Device, _ *string) { d.Count = 0 }, "passkey_refused"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := prove(t, c.change); mailing.CodeOf(err) != c.want || (err == nil) != (c.want == "") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("nothing of somebody else", func(t *testing.T) {
		options, state, err := p.Ask(h)
		if err != nil {
			t.Fatal(err)
		}
		_, other := withPasskey(t, p)
		if _, err := p.Check(h, state, other.Prove(t, options)); mailing.CodeOf(err) != "passkey_refused" {
			t.Errorf("got %v", err)
		}
	})
}

func TestPasskeysInPlaceOfPasswords(t *testing.T) {
	p := auth.NewPasskeys(site, "Vestnik")
	h, d := withPasskey(t, p)
	gone := errors.New("gone")
	cases := []struct {
		name     string
		verifies bool
		find     func(id int64) (auth.Holder, error)
		want     error
		code     string
	}{
		{"the passkey says whose it is", true, func(int64) (auth.Holder, error) { return h, nil }, nil, ""},
		{"the device must make sure who holds it", false, func(int64) (auth.Holder, error) { return h, nil }, nil, "passkey_refused"},
		{"what finding the account met is told", true, func(int64) (auth.Holder, error) { return h, gone }, gone, ""},
		{"a passkey that was removed is refused", true, func(id int64) (auth.Holder, error) { return auth.Holder{ID: id}, nil }, nil, "passkey_refused"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			options, state, err := p.AskAnybody()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(options, "allowCredentials") {
				t.Errorf("the browser is told whose passkeys there are: %s", options)
			}
			d.Verifies = c.verifies
			proof, err := p.CheckAnybody(state, d.Prove(t, options), c.find)
			if mailing.CodeOf(err) != c.code || c.want != nil && !errors.Is(err, c.want) || err == nil && proof.Account != h.ID {
				t.Errorf("got %+v, %v", proof, err)
			}
			if err == nil {
				h.Records = []string{proof.Record}
			}
		})
	}
	t.Run("what is no answer at all is refused", func(t *testing.T) {
		_, state, _ := p.AskAnybody()
		for _, answer := range []string{"", "{}", "null", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`} {
			if _, err := p.CheckAnybody(state, answer, nil); mailing.CodeOf(err) != "passkey_refused" {
				t.Errorf("%q: %v", answer, err)
			}
		}
	})
}

func TestNewPasskeys(t *testing.T) {
	for address, want := range map[string]bool{
		"https://mail.example.org": true, "https://mail.example.org:8443": true, "http://localhost:8000": true,
		"http://mail.example.org": false, "http://127.0.0.1:8000": false, "https://192.0.2.1": false, "https://[::1]": false, "": false,
	} {
		t.Run("browsers and we agree about "+address, func(t *testing.T) {
			if got := auth.NewPasskeys(address, "Vestnik") != nil; got != want {
				t.Errorf("got %v", got)
			}
		})
	}
}
