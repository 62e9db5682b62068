package app_test

import (
	"slices"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

var oldSecret, newSecret = []byte(strings.Repeat("k", auth.MinSecret)), []byte(strings.Repeat("n", auth.MinSecret))

// withKeys are the same use cases with other secrets.
func (h *house) withKeys(secret []byte, older ...[]byte) *house {
	other := *h
	other.App = app.New(h.App.Config, h.store, auth.NewKeys(secret, older...))
	return &other
}

func TestKeyRotation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := over(s)
		_, err := s.Installation(t.Context(), store.Installation{Instance: "i", KeyCheck: app.KeyCheck(auth.NewKeys(oldSecret))}, h.now)
		must(t, err)
		owner := h.person(t, "owner@example.org", mailing.RoleUser)
		link := strings.TrimPrefix(h.UnsubscribeURL(owner.ID, 1, "anna@example.org"), h.BaseURL+"/unsubscribe/")
		_, err = h.CreateRelay(t.Context(), app.Operator, app.RelaySettings{
			Kind: app.RelaySMTP, Name: "post", Host: "smtp.example.org", Port: 587, TLS: "starttls", Username: "me", Password: "open sesame",
			FromEmail: "news@example.org", Weight: 10, Enabled: true,
		})
		must(t, err)
		_, err = h.CreateSigningKeys(t.Context(), app.Operator, app.SigningForm{Domain: "example.org", Algorithm: "ed25519"})
		must(t, err)
		must(t, h.RequestReset(t.Context(), app.Visitor{Address: "192.0.2.1"}, owner.Email))
		reset, _ := h.mails(t)[0].vars["link"].(string)

		// usable fails unless everything sealed can be read and every link opened.
		usable := func(t *testing.T, h *house, links bool) {
			t.Helper()
			relays, err := h.RelaysInUse(t.Context())
			if err != nil || relays[0].Password != "open sesame" {
				t.Errorf("the relay's password: %v", err)
			}
			keys, err := h.SigningKeysInUse(t.Context())
			must(t, err)
			if signers, err := h.Signers(keys); err != nil || signers["example.org"] == nil {
				t.Errorf("the signing key: %v", err)
			}
			if got := h.mails(t)[0].vars["link"]; got != reset {
				t.Errorf("the mail's link is %v", got)
			}
			_, unsubscribe := h.Subscription(t.Context(), link)
			if _, err := h.CheckReset(strings.TrimPrefix(reset, h.BaseURL+"/reset/")); (err == nil) != links || (unsubscribe == nil) != links {
				t.Errorf("links work: %v, %v; want %v", err, unsubscribe, links)
			}
		}
		t.Run("with a new secret in front, all that was made before is good", func(t *testing.T) {
			usable(t, h.withKeys(newSecret, oldSecret), true)
		})
		t.Run("only the operator rotates", func(t *testing.T) {
			admin := h.person(t, "admin@example.org", mailing.RoleAdmin)
			if _, err := h.withKeys(newSecret, oldSecret).ResealAll(t.Context(), admin); mailing.KindOf(err) != mailing.NotFound {
				t.Errorf("got %v", err)
			}
		})
		t.Run("what is sealed anew needs no old secret, links do", func(t *testing.T) {
			done, err := h.withKeys(newSecret, oldSecret).ResealAll(t.Context(), app.Operator)
			if err != nil || done.Texts != 3 || len(done.Unopened) > 0 {
				t.Errorf("got %+v, %v", done, err)
			}
			usable(t, h.withKeys(newSecret, oldSecret), true)
			usable(t, h.withKeys(newSecret), false)
			check, err := s.KeyCheck(t.Context())
			must(t, err)
			if known, _ := app.CheckKey(auth.NewKeys(oldSecret), check); known {
				t.Error("a node with the old secret alone may still start")
			}
			if known, first := app.CheckKey(auth.NewKeys(newSecret, oldSecret), check); !known || !first {
				t.Error("a node with the new one may not")
			}
		})
		t.Run("what no secret opens is left, and the rest is done", func(t *testing.T) {
			done, err := h.withKeys([]byte(strings.Repeat("x", 32))).ResealAll(t.Context(), app.Operator)
			if err != nil || done.Texts != 0 || len(done.Unopened) != 3 {
				t.Errorf("got %+v, %v", done, err)
			}
			usable(t, h.withKeys(newSecret), false)
		})
	})
}

// TestEverySealedColumnIsRotated finds columns by their names. A new one is made so: its
// name ends with "_sealed", and it stands in sealedColumns.
func TestEverySealedColumnIsRotated(t *testing.T) {
	s := storetest.New(t)
	columns, err := s.Columns(t.Context())
	must(t, err)
	rotated := app.SealedColumns()
	found := 0
	for _, name := range columns {
		if !strings.HasSuffix(name, "_sealed") && !strings.HasSuffix(name, ".sealed") && name != "deliveries.vars" {
			continue
		}
		found++
		if !slices.Contains(rotated, name) {
			t.Errorf("%s is not sealed anew when the key is rotated", name)
		}
	}
	if found < 3 {
		t.Errorf("only %d sealed columns were found", found)
	}
}
