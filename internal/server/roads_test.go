package server_test

import (
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

// relay sets up the mail server at a port as a way out.
func (h *house) relay(name string, port int, change func(*app.RelaySettings)) {
	h.t.Helper()
	r := app.RelaySettings{
		Kind: app.RelaySMTP, Name: name, Host: "127.0.0.1", Port: port, TLS: "none",
		FromEmail: "news@example.org", Weight: 10, Enabled: true,
	}
	change(&r)
	if _, err := h.base.App.CreateRelay(h.t.Context(), app.Operator, r); err != nil {
		h.t.Fatal(err)
	}
}

func TestSeveralRelays(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		const recipients = 600
		h := newHouse(t, url)
		storetest.Contacts(t, h.store, h.owner.ID, recipients)
		large, small, strict := newSink(t, smtpsink.Options{}), newSink(t, smtpsink.Options{}), newSink(t, smtpsink.Options{Username: "anna", Password: "right"})
		h.relay("large", large.Port(), func(r *app.RelaySettings) { r.Weight = 30 })
		h.relay("small", small.Port(), func(*app.RelaySettings) {})
		h.relay("refused", strict.Port(), func(r *app.RelaySettings) { r.Username, r.Password = "anna", "wrong" })
		h.serve("127.0.0.1:9") // nobody listens there, and nobody has to
		run := h.sendNow(h.mailing(mailing.NeverTwice))
		h.awaitEnd(run, time.Minute)

		t.Run("share a mailing by their weights, and each gets its mail once", func(t *testing.T) {
			h := h.in(t)
			copies := large.Copies()
			for email, n := range small.Copies() {
				copies[email] += n
			}
			if inDoubt := h.account(run, copies, 1); len(inDoubt) > 0 {
				t.Errorf("%d are in doubt", len(inDoubt))
			}
			if n := small.Count(); n < recipients/8 || n > recipients/2 {
				t.Errorf("of %d mails %d went by the relay with a quarter of the weight", recipients, n)
			}
		})
		t.Run("one that refuses the password is stopped, and the others go on without it", func(t *testing.T) {
			relays, err := h.base.App.RelaysInUse(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range relays {
				if stopped := r.Name == "refused"; r.Stopped() != stopped {
					t.Errorf("relay %s is stopped: %t (%s)", r.Name, r.Stopped(), r.Trouble)
				}
			}
			if got := h.run(run); got.Halt != "" || got.Counts.Sent != recipients {
				t.Errorf("the run has %+v, halt %q", got.Counts, got.Halt)
			}
		})
	})
}
