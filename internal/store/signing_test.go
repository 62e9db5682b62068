package store_test

import (
	"testing"
	"time"

	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func signingKey(domain, selector, algorithm string, at time.Time) store.SigningKey {
	return store.SigningKey{
		Domain: domain, Selector: selector, Algorithm: algorithm, Public: "public " + selector,
		PrivateSealed: "sealed " + selector, CreatedAt: at,
	}
}

func inUse(k store.SigningKey) store.SigningKey {
	k.InUse = true
	return k
}

func TestSigningKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		rsa, ed := signingKey("b.example", "one", "rsa", now), signingKey("b.example", "two", "ed25519", now)
		other := signingKey("a.example", "one", "rsa", now)
		later := signingKey("b.example", "new", "rsa", now.Add(time.Hour))
		t.Run("the first of a domain and algorithm are in use at once", func(t *testing.T) {
			equal(t, "keys at first", len(must(s.SigningKeys(ctx))(t)), 0)
			ok(t, s.CreateSigningKeys(ctx, []store.SigningKey{rsa, ed}))
			ok(t, s.CreateSigningKeys(ctx, []store.SigningKey{other}))
			equalList(t, "keys", must(s.SigningKeys(ctx))(t), []store.SigningKey{inUse(other), inUse(rsa), inUse(ed)})
		})
		t.Run("a later one waits until it is put into use, in place of the other", func(t *testing.T) {
			ok(t, s.CreateSigningKeys(ctx, []store.SigningKey{later}))
			equalList(t, "keys", must(s.SigningKeys(ctx))(t), []store.SigningKey{inUse(other), later, inUse(rsa), inUse(ed)})
			ok(t, s.UseSigningKey(ctx, "b.example", "new"))
			equalList(t, "keys", must(s.SigningKeys(ctx))(t), []store.SigningKey{inUse(other), inUse(later), rsa, inUse(ed)})
		})
		t.Run("a selector of a domain is there once, and all or none are stored", func(t *testing.T) {
			err := s.CreateSigningKeys(ctx, []store.SigningKey{signingKey("b.example", "free", "rsa", now), rsa})
			wantCode(t, err, "selector_taken")
			equal(t, "keys", len(must(s.SigningKeys(ctx))(t)), 4)
		})
		t.Run("one that is deleted is gone, and no other is put into use for it", func(t *testing.T) {
			ok(t, s.DeleteSigningKey(ctx, "b.example", "new"))
			equalList(t, "keys", must(s.SigningKeys(ctx))(t), []store.SigningKey{inUse(other), rsa, inUse(ed)})
			wantCode(t, s.DeleteSigningKey(ctx, "b.example", "new"), "not_found")
			wantCode(t, s.UseSigningKey(ctx, "b.example", "new"), "not_found")
			wantCode(t, s.UseSigningKey(ctx, "c.example", "one"), "not_found")
		})
	})
}
