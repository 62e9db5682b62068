package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"vestnik/internal/mailing"
)

func TestHasher(t *testing.T) {
	hasher := NewHasher(HashesAtOnce)
	const password = "correct horse, батарея"
	stored, err := hasher.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(t *testing.T, typed, hash string, want bool) {
		t.Helper()
		if got, err := hasher.Verify(t.Context(), typed, hash); err != nil || got != want {
			t.Errorf("Verify(%q) = %v, %v, want %v", typed, got, err, want)
		}
	}
	t.Run("a hash names its algorithm and cost", func(t *testing.T) {
		if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("hash = %s", stored)
		}
	})
	t.Run("the password matches and no other does", func(t *testing.T) {
		verify(t, password, stored, true)
		verify(t, password+" ", stored, false)
		verify(t, "", stored, false)
	})
	t.Run("the same password never hashes to the same text", func(t *testing.T) {
		if again, err := hasher.Hash(t.Context(), password); err != nil || again == stored {
			t.Errorf("got %s, %v", again, err)
		}
	})
	t.Run("two ways of typing the same letter are one", func(t *testing.T) {
		composed, decomposed := "йогурт пьёт", "и\u0306огурт пье\u0308т"
		hash, err := hasher.Hash(t.Context(), composed)
		if err != nil {
			t.Fatal(err)
		}
		verify(t, decomposed, hash, true)
	})
	t.Run("a changed hash does not match", func(t *testing.T) {
		last := stored[len(stored)-5:]
		verify(t, password, strings.TrimSuffix(stored, last)+"AAAAA"[:4]+last[4:], false)
	})
	t.Run("an unknown account is checked at the same cost and says nothing", func(t *testing.T) {
		if err := hasher.VerifyNothing(t.Context(), password); err != nil {
			t.Error(err)
		}
	})
}

func TestMalformedHashes(t *testing.T) {
	const salt, sum = "$AAAAAAAAAAAAAAAAAAAAAA", "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	cases := map[string]string{
		"empty text":                  "",
		"another algorithm":           "$argon2i$v=19$m=19456,t=2,p=1" + salt + sum,
		"another version":             "$argon2id$v=16$m=19456,t=2,p=1" + salt + sum,
		"too few parts":               "$argon2id$v=19$m=19456,t=2,p=1" + salt,
		"a cost that eats the memory": "$argon2id$v=19$m=4194304,t=2,p=1" + salt + sum,
		"a cost that takes for ever":  "$argon2id$v=19$m=19456,t=4000000,p=1" + salt + sum,
		"no lanes":                    "$argon2id$v=19$m=19456,t=2,p=0" + salt + sum,
		"no passes":                   "$argon2id$v=19$m=19456,t=0,p=1" + salt + sum,
		"something after the cost":    "$argon2id$v=19$m=19456,t=2,p=1,x=1" + salt + sum,
		"a salt that is not base64":   "$argon2id$v=19$m=19456,t=2,p=1$??????????" + sum,
		"a hash of nothing":           "$argon2id$v=19$m=19456,t=2,p=1" + salt + "$",
		"a hash too short to trust":   "$argon2id$v=19$m=19456,t=2,p=1" + salt + "$AAAA",
	}
	hasher := NewHasher(1)
	for name, stored := range cases {
		t.Run(name+" is refused", func(t *testing.T) {
			if ok, err := hasher.Verify(t.Context(), "password", stored); err == nil || ok {
				t.Errorf("Verify = %v, %v", ok, err)
			}
			if !NeedsRehash(stored) {
				t.Error("it does not need a rehash")
			}
		})
	}
}

func TestNeedsRehash(t *testing.T) {
	hasher := NewHasher(1)
	stored, err := hasher.Hash(t.Context(), "password")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a hash of today's cost stays", func(t *testing.T) {
		if NeedsRehash(stored) {
			t.Error("it is to be made anew")
		}
	})
	t.Run("a cheaper hash still verifies and is made anew", func(t *testing.T) {
		// argon2id, m=64, t=1, p=1, of "password" with a salt of zero bytes.
		weak, err := hasher.compute(t.Context(), "password", make([]byte, 16), cost{64, 1, 1}, 32)
		if err != nil {
			t.Fatal(err)
		}
		old := "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + rawStd(weak)
		if ok, err := hasher.Verify(t.Context(), "password", old); err != nil || !ok {
			t.Errorf("Verify = %v, %v", ok, err)
		}
		if !NeedsRehash(old) {
			t.Error("it stays")
		}
	})
}

func TestHasherSlots(t *testing.T) {
	t.Run("who waits for a slot gives up with the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			hasher := NewHasher(1)
			hasher.slots <- struct{}{}
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error)
			go func() {
				_, err := hasher.Hash(ctx, "password")
				failed <- err
			}()
			synctest.Wait()
			cancel()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("many at once all get their answer", func(t *testing.T) {
		hasher := NewHasher(2)
		var group sync.WaitGroup
		for range 12 {
			group.Go(func() {
				sum, err := hasher.compute(t.Context(), "password", make([]byte, 16), cost{64, 1, 1}, 32)
				if err != nil || len(sum) != 32 {
					t.Errorf("got %d bytes, %v", len(sum), err)
				}
				if busy := len(hasher.slots); busy > 2 {
					t.Errorf("%d at once", busy)
				}
			})
		}
		group.Wait()
		if len(hasher.slots) != 0 {
			t.Errorf("%d slots are still taken", len(hasher.slots))
		}
	})
}

func TestHasherQueue(t *testing.T) {
	t.Run("who comes when too many wait is told so at once, and takes nobody's place", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			hasher := NewHasher(1)
			hasher.slots <- struct{}{} // one that takes long
			hasher.queue <- struct{}{}
			ctx, cancel := context.WithCancel(t.Context())
			answers := make(chan error, HashesWaiting)
			for range HashesWaiting {
				go func() {
					_, err := hasher.Hash(ctx, "password")
					answers <- err
				}()
			}
			synctest.Wait()
			for range 3 {
				if err := hasher.VerifyNothing(t.Context(), "password"); !errors.Is(err, ErrBusy) {
					t.Errorf("got %v", err)
				}
			}
			cancel()
			for range HashesWaiting {
				if err := <-answers; !errors.Is(err, context.Canceled) {
					t.Errorf("one who waited got %v", err)
				}
			}
			if len(hasher.queue) != 1 {
				t.Errorf("%d are still in the queue", len(hasher.queue)-1)
			}
		})
	})
}

func TestCheckPassword(t *testing.T) {
	cases := []struct{ name, password, code string }{
		{"eight characters are enough", "жёлтый-8", ""},
		{"seven are too few", "abc-defg"[:7], "password_too_short"},
		{"characters count, not bytes", "ёжикёжи", "password_too_short"},
		{"spaces count like any other", "a b c d e", ""},
		{"a sentence is welcome", "Утром я пью чай с лимоном и мёдом.", ""},
		{"128 characters are allowed", strings.Repeat("щука", 32), ""},
		{"129 are too many", strings.Repeat("щука", 32) + "!", "password_too_long"},
		{"an English favourite is refused", "Password1", "password_common"},
		{"a Russian favourite is refused", "Пароль123", "password_common"},
		{"the Russian keyboard row is refused", "йцукенгшщз", "password_common"},
		{"Russian words on English keys are refused", "gfhjkm123", "password_common"},
		{"one letter over and over is refused", "яяяяяяяяяя", "password_common"},
		{"two letters over and over are refused", "abababababab", "password_common"},
		{"a favourite with a year and a mark is refused", "Sunshine2026!", "password_common"},
		{"one of the long list is refused", "butterfly", "password_common"},
		{"three letters over and over are refused", "abcabcabca", "password_common"},
		{"the alphabet is refused", "abcdefghijk", "password_common"},
		{"the alphabet backwards is refused", "яюэьыъщш", "password_common"},
		{"the e-mail address is refused", "Ivan.Petrov@Example.org", "password_personal"},
		{"the name in the address is refused", "ivan.petrov", "password_personal"},
		{"a surname with a year is refused", "Petrov-1985", "password_personal"},
		{"a name in another script is refused, too", "!Прохорова2026", "password_personal"},
		{"the name of the service is refused", "Vestnik2026", "password_personal"},
		{"the name of the site is refused", "rassylki.firma", "password_personal"},
		{"two words of the context are no better than one", "petrov+vestnik", "password_personal"},
		{"a name among other words is fine", "прохорова любит чай", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := CheckPassword(c.password, "ivan.petrov@example.org", "", "Прохорова", "https://rassylki.firma.ru")
			if got := mailing.CodeOf(err); got != c.code || (err == nil) != (c.code == "") {
				t.Errorf("got %v, want code %q", err, c.code)
			}
		})
	}
	t.Run("the bound is told", func(t *testing.T) {
		var fault *mailing.Error
		if !errors.As(CheckPassword("short"), &fault) || fault.Params["min"] != MinPassword || fault.Kind != mailing.Invalid {
			t.Errorf("got %+v", fault)
		}
	})
	t.Run("the list of common passwords has no line that other rules refuse", func(t *testing.T) {
		for line := range strings.Lines(commonPasswords) {
			word := strings.TrimSuffix(line, "\n")
			if word != strings.ToLower(word) || utf8.RuneCountInString(word) < MinPassword {
				t.Errorf("%q never counts", word)
			}
		}
	})
}

func BenchmarkHash(b *testing.B) {
	hasher := NewHasher(HashesAtOnce)
	for b.Loop() {
		if _, err := hasher.Hash(b.Context(), "correct horse"); err != nil {
			b.Fatal(err)
		}
	}
}
