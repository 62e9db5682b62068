package deliver

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"

	"vestnik/internal/mailing"
)

func TestEveryMailHasANameOfItsOwnAndSaysWhoMadeIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const recipients = 50
		w := newWorld(t, s, recipients, smtpsink.Options{Strict: true, StrictFormat: true, Keep: true})
		bulk := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.start(t)
		w.complete(t, bulk)
		again := w.open(t, w.mailing(t, mailing.Mailing{}))
		w.complete(t, again)
		code := w.openSystem(t, "somebody@example.org")
		w.complete(t, code)
		names, lists := map[string]bool{}, map[string]int{}
		for _, m := range w.sink.Messages() {
			header, _, _ := strings.Cut(string(m.Data), "\r\n\r\n")
			_, after, _ := strings.Cut(header, "\r\nMessage-ID: <")
			name, _, _ := strings.Cut(after, ">")
			names[name] = true
			if !strings.HasSuffix(name, "@vestnik.test") {
				t.Errorf("Message-ID %q is not in our domain", name)
			}
			if _, list, inList := strings.Cut(header, "\r\nList-ID: <"); inList {
				list, _, _ = strings.Cut(list, ">")
				lists[list]++
			}
			byProgram := strings.Contains(header, "\r\nAuto-Submitted: auto-generated\r\n")
			inList := strings.Contains(header, "\r\nList-ID: <") && strings.Contains(header, "\r\nList-Unsubscribe-Post: ")
			if isCode := m.To[0] == "somebody@example.org"; byProgram != isCode || inList == isCode {
				t.Errorf("a mail to %s is of a program: %v, of a list: %v", m.To[0], byProgram, inList)
			}
		}
		if len(names) != 2*recipients+1 {
			t.Errorf("%d names for %d mails", len(names), 2*recipients+1)
		}
		for list, mails := range lists {
			if len(lists) != 2 || mails != recipients || !strings.HasSuffix(list, ".vestnik.test") {
				t.Errorf("%d mails are of the list %s, of %d lists", mails, list, len(lists))
			}
		}
		if violations := w.sink.Violations(); len(violations) > 0 {
			t.Errorf("violations %q", violations)
		}
	})
}

func TestAHeaderInUTF8IsSaidToTheServer(t *testing.T) {
	t.Parallel()
	for _, announced := range []bool{true, false} {
		t.Run(fmt.Sprintf("a Reply-To in UTF-8 goes with SMTPUTF8 or not at all; announced: %t", announced), func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				w := newWorld(t, s, 1, smtpsink.Options{UTF8: announced, Strict: true, Keep: true})
				m := w.mailing(t, mailing.Mailing{ReplyTo: "почта@example.org"})
				message, err := w.Message(background, m.MessageID)
				ok(t, err)
				run := storetest.OpeningRun(m)
				run.CreatedAt, run.ReplyTo = time.Now(), m.ReplyTo
				id, err := w.OpenManualRun(background, run, store.ContentOf(message), run.CreatedAt)
				ok(t, err)
				storetest.Fill(t, s, id)
				w.start(t)
				counts := w.complete(t, id).Counts
				if sent := counts.Sent == 1; sent != announced {
					t.Errorf("the run counts %+v", counts)
				}
				if broken := w.sink.Violations(); len(broken) > 0 {
					t.Errorf("violations: %q", broken)
				}
				if announced && !bytes.Contains(w.sink.Messages()[0].Data, []byte("Reply-To: почта@example.org")) {
					t.Errorf("the mail is\n%s", w.sink.Messages()[0].Data)
				}
			})
		})
	}
}
