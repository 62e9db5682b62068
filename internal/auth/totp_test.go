package auth

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// rfcSecret is that of the examples of both RFCs.
var rfcSecret = []byte("12345678901234567890")

func TestHOTP(t *testing.T) {
	t.Run("codes are those of RFC 4226, appendix D", func(t *testing.T) {
		for counter, want := range []string{
			"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
		} {
			if got := hotp(rfcSecret, int64(counter), 6); got != want {
				t.Errorf("%d: got %s, want %s", counter, got, want)
			}
		}
	})
	t.Run("codes are those of RFC 6238, appendix B", func(t *testing.T) {
		for at, want := range map[int64]string{
			59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924",
			2000000000: "69279037", 20000000000: "65353130",
		} {
			if got := hotp(rfcSecret, at/totpStep, 8); got != want {
				t.Errorf("%d: got %s, want %s", at, got, want)
			}
		}
	})
}

func TestMatchTOTP(t *testing.T) {
	const at = 1111111111 // its step is 37037037, and the code of the RFC ends with these six digits
	code, step := "050471", int64(37037037)
	cases := []struct {
		name, typed string
		now, used   int64
		want        int64
	}{
		{"the code of the step matches", code, at, 0, step},
		{"spaces in a code do not count", " 050 471 ", at, 0, step},
		{"a code of one step ago matches", code, at + totpStep, 0, step},
		{"a code of one step ahead matches", code, at - totpStep, 0, step},
		{"a code of two steps ago does not", code, at + 2*totpStep, 0, 0},
		{"a code of two steps ahead does not", code, at - 2*totpStep, 0, 0},
		{"a code is good until its step is used", code, at, step - 1, step},
		{"a code whose step is used does not match", code, at, step, 0},
		{"a code of a step before the one that is used does not match", code, at, step + 1, 0},
		{"eight digits do not match", "14050471", at, 0, 0},
		{"nothing does not match", "", at, 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, matches := MatchTOTP(rfcSecret, c.typed, time.Unix(c.now, 0), c.used)
			if got != c.want || matches != (c.want != 0) {
				t.Errorf("got %d, %v", got, matches)
			}
		})
	}
}

func TestTOTPSecret(t *testing.T) {
	t.Run("a secret is 160 random bits", func(t *testing.T) {
		if a, b := NewTOTPSecret(), NewTOTPSecret(); len(a) != 20 || string(a) == string(b) {
			t.Errorf("%x and %x", a, b)
		}
	})
	t.Run("it is written in groups for people and whole for apps", func(t *testing.T) {
		if got := TOTPText(rfcSecret); got != "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ" {
			t.Errorf("got %s", got)
		}
		want := "otpauth://totp/Vestnik%20&%20Co:anna@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Vestnik+%26+Co"
		if got := TOTPLink("Vestnik & Co", "anna@example.org", rfcSecret); got != want {
			t.Errorf("got %s", got)
		}
	})
}

func TestRecoveryCodes(t *testing.T) {
	keys, code := NewKeys(testSecret), NewRecoveryCode()
	t.Run("a code is ten letters and digits that nobody mistakes, and random", func(t *testing.T) {
		if !regexp.MustCompile(`^[a-z2-7]{5}-[a-z2-7]{5}$`).MatchString(code) || code == NewRecoveryCode() {
			t.Errorf("got %s", code)
		}
	})
	hash := keys.HashRecoveryCode(7, code)
	t.Run("how it is typed does not count", func(t *testing.T) {
		typed := " " + strings.ToUpper(strings.ReplaceAll(code, "-", " "))
		if keys.HashRecoveryCode(7, typed) != hash {
			t.Errorf("%q is not %q", typed, code)
		}
	})
	t.Run("it is good after the secret was replaced", func(t *testing.T) {
		old := []byte(strings.Repeat("o", 32))
		stored := NewKeys(old).HashRecoveryCode(7, code)
		if !slices.Contains(NewKeys([]byte(strings.Repeat("n", 32)), old).RecoveryCodeHashes(7, code), stored) {
			t.Error("it is not")
		}
	})
	t.Run("another account or installation has another hash", func(t *testing.T) {
		others := NewKeys([]byte(strings.Repeat("x", 32)))
		if keys.HashRecoveryCode(8, code) == hash || others.HashRecoveryCode(7, code) == hash {
			t.Error("it has the same")
		}
	})
}
