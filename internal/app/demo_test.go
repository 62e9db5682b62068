package app_test

import (
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// TestTheCodeOfADemoMail looks for the code that confirms an address in the demo mailbox.
func TestTheCodeOfADemoMail(t *testing.T) {
	h := newHouse(t)
	const email = "anna@example.org"
	here := app.Visitor{Address: "127.0.0.1", Loopback: true, Browser: "hers"}
	code := func() string {
		t.Helper()
		found, err := h.DemoCode(t.Context(), mailing.Account{}, here, email)
		must(t, err)
		return found
	}
	arrive := func() {
		t.Helper()
		text := "Content-Type: text/plain; charset=utf-8\r\n\r\nOpen (" + h.last(t, "open") + ") soon.\r\n"
		must(t, h.store.PutDemoMail(t.Context(), store.DemoMail{Recipient: email, Data: []byte(text), At: h.now}, 10))
	}
	if got := code(); got != "" {
		t.Errorf("nobody registered, and there is %q", got)
	}
	_, err := h.Register(t.Context(), here, anna())
	must(t, err)
	if got := code(); got != "" {
		t.Errorf("before the mail is there it is %q", got)
	}
	arrive()
	if got := code(); got != h.last(t, "code") {
		t.Errorf("it is %q, the mail says %q", got, h.last(t, "code"))
	}
	must(t, h.ResendCode(t.Context(), here, email))
	if got := code(); got != "" {
		t.Errorf("a code that was replaced is given: %q", got)
	}
	arrive()
	if got := code(); got != h.last(t, "code") {
		t.Errorf("it is %q, the second mail says %q", got, h.last(t, "code"))
	}
	_, err = h.DemoCode(t.Context(), mailing.Account{}, stranger, email)
	want(t, err, "not_found")
	must(t, h.Confirm(t.Context(), here, email, code()))
	if got := code(); got != "" {
		t.Errorf("it is used up, and given: %q", got)
	}
}
