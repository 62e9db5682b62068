package server_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// TestSampleNeverLeaves starts a service with sample data, once to the demo mailbox and then
// with a mail server.
func TestSampleNeverLeaves(t *testing.T) {
	t.Parallel()
	c := storySettings(t, "VESTNIK_SAMPLE_DATA=true")
	storyService(t, c)
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	owner, err := base.App.AccountByEmail(t.Context(), "demo@example.com")
	if err != nil {
		t.Fatal(err)
	}
	list := func() []app.MailingRow {
		rows, _, err := base.App.Mailings(t.Context(), owner, app.MailingFilter{}, app.Page{Limit: 50})
		if err != nil || len(rows) < 3 {
			t.Fatalf("the mailings are %+v, %v", rows, err)
		}
		return rows
	}
	coming := 0
	for _, m := range list() {
		if m.Status.Live() && !m.NextAt.IsZero() {
			coming++
		}
	}
	if there, err := base.App.HasExamples(t.Context(), owner); err != nil || !there || coming < 2 {
		t.Fatalf("examples are there: %t, %v; %d mailings come", there, err, coming)
	}
	if _, err := base.App.CreateRelay(t.Context(), owner, app.RelaySettings{
		Kind: app.RelaySMTP, Host: "127.0.0.1", Port: 2525, TLS: "none", FromEmail: "news@example.org", Weight: 1, Enabled: true,
	}); err != nil {
		t.Fatal(err)
	}
	for _, m := range list() {
		if m.Status.Live() && m.Status != mailing.StatusCompleted {
			t.Errorf("%q is %s", m.Subject, m.Status)
		}
	}
	if err := base.App.RemoveExamples(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	if n, err := base.App.Numbers(t.Context(), owner, false); err != nil || n.Clients != 0 || n.Mailings != 0 {
		t.Errorf("%+v is left, %v", n, err)
	}
}

// TestSampleIsToldOfAgain starts a service twice: who has missed the password of the sample
// account learns at the second start where to set another.
func TestSampleIsToldOfAgain(t *testing.T) {
	t.Parallel()
	c := storySettings(t, "VESTNIK_SAMPLE_DATA=true")
	for _, words := range []string{"sample data is there", c.BaseURL + "/reset email=demo@example.com"} {
		var lines output
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- server.Run(ctx, c, slog.New(slog.NewTextHandler(&lines, nil)), "story") }()
		await(t, storyPatience, words, func() bool { return strings.Contains(lines.String(), words) })
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}
