package deliver

import (
	"strings"
	"testing"

	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"

	"vestnik/internal/mailing"
)

func TestEveryMailHasANameOfItsOwnAndSaysWhoMadeIt(t *testing.T) {
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
