package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

const many = 10_000

// importClients adds n clients from a file as a spreadsheet saves it.
func (h *house) importClients(n int) {
	h.t.Helper()
	var file strings.Builder
	file.WriteString("\ufeffИмя;Фамилия;E-mail;Комментарий\r\n")
	for i := range n {
		fmt.Fprintf(&file, "Клиент %d;Ёлкин;client%06d@example.com;\"Любит \"\"чай\"\"; ждёт новостей\"\r\n", i+1, i+1)
	}
	report, err := h.base.App.ImportContacts(h.t.Context(), h.owner, "клиенты.csv", strings.NewReader(file.String()))
	if err != nil {
		h.t.Fatal(err)
	}
	if report.Added != int64(n) || report.Refused != 0 {
		h.t.Fatalf("%d of %d clients were added, %d refused", report.Added, n, report.Refused)
	}
}

// report says how fast a run went.
func report(t *testing.T, what string, n int, asked, first time.Time) {
	t.Helper()
	total := time.Since(asked)
	if first.IsZero() {
		t.Logf("%s: %d mails in %s", what, n, total.Round(time.Millisecond))
		return
	}
	t.Logf("%s: %d mails, the first after %s, all after %s: %.0f mails a second from the first on", what, n,
		first.Sub(asked).Round(time.Millisecond), total.Round(time.Millisecond), float64(n)/time.Since(first).Seconds())
}

func TestVolume(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, url)
		n := asMany(3000, many)
		h.importClients(n)
		s := newSink(t, smtpsink.Options{Strict: true, StrictFormat: true})
		h.serve(s.Addr()).says("pages are served", 30*time.Second)
		asked := time.Now()
		run := h.sendNow(h.mailing(mailing.NeverTwice))
		h.awaitEnd(run, time.Minute)
		report(t, "sink", n, asked, s.firstAt())

		t.Run("each imported client gets exactly one mail", func(t *testing.T) {
			if inDoubt := h.in(t).account(run, s.Copies(), 1); len(inDoubt) > 0 {
				t.Errorf("%d are in doubt", len(inDoubt))
			}
			if got := h.run(run).Counts.Sent; got != int64(n) || s.Count() != n {
				t.Errorf("the run counts %d sent, the server %d, want %d", got, s.Count(), n)
			}
		})
		t.Run("the log holds one attempt for each, with the server's answer", func(t *testing.T) {
			h.in(t).checkAcceptedLog(run, n, "kept")
		})
		t.Run("no byte on the wire breaks a standard", func(t *testing.T) {
			if v := s.Violations(); len(v) > 0 {
				t.Errorf("%d violations: %s", len(v), strings.Join(v[:min(5, len(v))], "; "))
			}
		})
	})
}

// checkAcceptedLog checks that each of the run's n mails was tried once and
// accepted with these words.
func (h *house) checkAcceptedLog(run int64, n int, words string) {
	h.t.Helper()
	tried := map[int64]bool{}
	for _, a := range h.log(run) {
		tried[a.DeliveryID] = true
		if a.Result != mailing.AttemptAccepted || a.Stage != "dot" || a.Reply.Code != 250 || !strings.Contains(a.Reply.Text, words) ||
			a.Host == "" || a.Node == "" || a.At.IsZero() || a.Duration <= 0 {
			h.t.Fatalf("an attempt says %+v", a)
		}
	}
	if len(tried) != n || len(h.log(run)) != n {
		h.t.Errorf("%d attempts of %d deliveries are on record, want %d of each", len(h.log(run)), len(tried), n)
	}
}
