package server_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"vestnik/internal/app"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// testMail sends a test mail through the service that runs, and returns it as it
// was kept in the demo mailbox.
func (h *house) testMail(kept int64) []byte {
	h.t.Helper()
	if err := h.base.App.SendTest(h.t.Context(), h.owner, letter, "anna@example.org", 0); err != nil {
		h.t.Fatal(err)
	}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); <-time.After(lookEvery) {
		list, total, err := h.store.DemoMails(h.t.Context(), store.Page{Sort: "at", Desc: true, Limit: 1})
		if err != nil {
			h.t.Fatal(err)
		}
		if total > kept {
			mail, err := h.store.DemoMail(h.t.Context(), list[0].ID)
			if err != nil {
				h.t.Fatal(err)
			}
			return mail.Data
		}
	}
	h.t.Fatal("the test mail was not sent within a minute")
	return nil
}

// awaitSignatures sends test mails until one has so many signatures, which must
// be soon, and returns their domains. They must hold.
func (h *house) awaitSignatures(count int, kept *int64, keys []app.SigningKey) []string {
	h.t.Helper()
	const soon = 10 * time.Second // nodes look every two
	for limit := time.Now().Add(soon); ; <-time.After(soon / 50) {
		domains := h.verified(h.testMail(*kept), keys)
		*kept++
		if len(domains) == count {
			return domains
		}
		if time.Now().After(limit) {
			h.t.Fatalf("mails have %d signatures after %s, want %d", len(domains), soon, count)
		}
	}
}

func (h *house) verified(mail []byte, keys []app.SigningKey) (domains []string) {
	h.t.Helper()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(mail), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			for _, k := range keys {
				if k.RecordName == name {
					return []string{k.Record}, nil
				}
			}
			return nil, errors.New("no such name: " + name)
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, v := range found {
		if v.Err != nil {
			h.t.Fatalf("%v in\n%s", v.Err, mail)
		}
		domains = append(domains, v.Domain)
	}
	return domains
}

func TestSigning(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url)
		start(t, h.settings("VESTNIK_MAIL_FROM=Вестник <vestnik@News.Example.org>", "VESTNIK_ADDR="+freeAddr(t))...).
			says("pages are served", 30*time.Second)
		var kept int64
		makeKeys := func(domain string) []app.SigningKey {
			keys, err := h.base.App.CreateSigningKeys(t.Context(), app.Operator, app.SigningForm{Domain: domain})
			if err != nil {
				t.Fatal(err)
			}
			return keys
		}
		t.Run("mails of a domain without keys are not signed", func(t *testing.T) {
			h := h.in(t)
			h.awaitSignatures(0, &kept, nil)
			makeKeys("example.com")
			h.awaitSignatures(0, &kept, nil)
		})
		var above []app.SigningKey
		t.Run("soon after keys were made elsewhere for a domain above, mails are signed with them", func(t *testing.T) {
			above = makeKeys("example.org")
			if got := h.in(t).awaitSignatures(2, &kept, above); got[0] != "example.org" {
				t.Errorf("they are signed by %v", got)
			}
		})
		t.Run("keys of the domain itself are preferred", func(t *testing.T) {
			keys, err := h.base.App.CreateSigningKeys(t.Context(), app.Operator, app.SigningForm{Domain: "news.example.org", Algorithm: "ed25519"})
			if err != nil {
				t.Fatal(err)
			}
			if got := h.in(t).awaitSignatures(1, &kept, append(keys, above...)); got[0] != "news.example.org" {
				t.Errorf("they are signed by %v", got)
			}
		})
		t.Run("soon after all keys were deleted, mails are signed no more", func(t *testing.T) {
			domains, err := h.base.App.SendingDomains(t.Context(), app.Operator)
			if err != nil {
				t.Fatal(err)
			}
			var all []app.SigningKey
			for _, domain := range domains {
				all = append(all, domain.Keys...)
			}
			for _, k := range all {
				if err := h.base.App.DeleteSigningKey(t.Context(), app.Operator, k.Domain, k.Selector); err != nil {
					t.Fatal(err)
				}
			}
			h.in(t).awaitSignatures(0, &kept, all)
		})
	})
}
