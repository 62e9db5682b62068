package deliver

import (
	"bytes"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// begun opens the first free journal below dir and begins it.
func begun(t testing.TB, dir string) *journal {
	t.Helper()
	j, err := openJournal(dir)
	ok(t, err)
	t.Cleanup(func() { _ = j.close() })
	_, err = j.read()
	ok(t, err)
	ok(t, j.begin())
	return j
}

func outcomeOf(id, epoch int64, state mailing.DeliveryState) store.Outcome {
	return store.Outcome{DeliveryID: id, Epoch: epoch, State: state, Attempt: &mailing.Attempt{
		DeliveryID: id, At: time.Unix(1_800_000_000, 0), Result: mailing.AttemptAccepted,
		Reply: mailing.Reply{Code: 250, Enhanced: "2.0.0", Text: "Ok\nqueued"},
	}}
}

// after reads what a kill at this moment would leave of the journals below dir.
func after(t testing.TB, dir string) (map[int64]entry, *journal) {
	t.Helper()
	j, err := openJournal(copyDir(t, dir))
	ok(t, err)
	t.Cleanup(func() { _ = j.close() })
	entries, err := j.read()
	ok(t, err)
	return entries, j
}

// TestJournal runs alone: it limits the files of the whole process.
func TestJournal(t *testing.T) {
	t.Run("a kill leaves intents and outcomes", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		ok(t, j.intend(1, 7, 0, nil))
		ok(t, j.intend(2, 7, 0, nil))
		told := outcomeOf(2, 7, mailing.Sent)
		ok(t, j.conclude(&told))
		entries, restarted := after(t, dir)
		equal(t, "entries", len(entries), 2)
		equal(t, "the first", entries[1], entry{epoch: 7})
		if o := entries[2].outcome; o == nil || o.State != mailing.Sent || o.Attempt.Reply != told.Attempt.Reply {
			t.Errorf("the second has the outcome %+v", o)
		}
		equal(t, "same name", restarted.name, j.name)
		equal(t, "same boot", restarted.sameBoot, true)
	})
	t.Run("a delivery that is intended again is not concluded", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		told := outcomeOf(1, 7, mailing.Deferred)
		ok(t, j.intend(1, 7, 0, nil))
		ok(t, j.conclude(&told))
		ok(t, j.intend(1, 7, 1, nil))
		entries, _ := after(t, dir)
		equal(t, "the entry", entries[1], entry{epoch: 7, tries: 1})
	})
	t.Run("an outcome goes with the next intent, and in any order", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		first, second := outcomeOf(1, 7, mailing.Deferred), outcomeOf(1, 7, mailing.Sent)
		second.Tries = 1
		ok(t, j.intend(1, 7, 0, nil))
		ok(t, j.intend(1, 7, 1, nil))
		ok(t, j.intend(2, 7, 0, &second))
		ok(t, j.intend(3, 7, 0, &first))
		entries, _ := after(t, dir)
		equal(t, "entries", len(entries), 3)
		if o := entries[1].outcome; o == nil || o.State != mailing.Sent || o.Tries != 1 {
			t.Errorf("the last word on the first is %+v", o)
		}
	})
	t.Run("what is settled is not written down any more, and holds no segment", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		o := outcomeOf(1, 7, mailing.Sent)
		ok(t, j.intend(1, 7, 0, nil))
		j.settled([]store.Outcome{o})
		ok(t, j.intend(2, 7, 0, &o))
		ok(t, j.conclude(&o))
		entries, _ := after(t, dir)
		if entries[1].outcome != nil {
			t.Errorf("the journal has the outcome %+v", entries[1].outcome)
		}
		ok(t, rotated(j))
		j.settled([]store.Outcome{outcomeOf(2, 7, mailing.Sent)})
		equal(t, "segments", len(segments(t, dir)), 1)
	})
	t.Run("a torn last line says nothing", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		ok(t, j.intend(1, 7, 0, nil))
		_, err := j.file.WriteString("I 2 7")
		ok(t, err)
		entries, _ := after(t, dir)
		equal(t, "entries", len(entries), 1)
	})
	t.Run("a record that was written in part is taken back", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		ok(t, j.intend(1, 7, 0, nil))
		limitFiles(t, uint64(j.size+3), func() {
			if err := j.intend(2, 7, 0, nil); err == nil {
				t.Error("nothing is wrong with writing to a full disk")
			}
		})
		o := outcomeOf(1, 7, mailing.Sent)
		ok(t, j.conclude(&o))
		entries, _ := after(t, dir)
		equal(t, "entries", len(entries), 1)
		if entries[1].outcome == nil {
			t.Error("the outcome after the torn record is lost")
		}
	})
	t.Run("a record that cannot be taken back is the last", func(t *testing.T) {
		j := begun(t, t.TempDir())
		whole := j.file
		j.file = readOnly(t, whole.Name())
		if err := j.intend(2, 7, 0, nil); err == nil {
			t.Fatal("nothing is wrong with writing to a file that cannot be written")
		}
		j.file = whole
		if err := j.intend(3, 7, 0, nil); err == nil {
			t.Error("a broken journal takes more intents")
		}
	})
	t.Run("another boot is told from the same", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		lock := filepath.Join(j.dir, "lock")
		ok(t, os.WriteFile(lock, []byte(j.name+"\nanother boot\n"), 0o600))
		_, restarted := after(t, dir)
		equal(t, "same name", restarted.name, j.name)
		equal(t, "same boot", restarted.sameBoot, false)
	})
	t.Run("another boot is seen even when all segments are lost", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		ok(t, os.WriteFile(filepath.Join(j.dir, "lock"), []byte(j.name+"\nanother boot\n"), 0o600))
		ok(t, os.Remove(j.path(j.number)))
		_, restarted := after(t, dir)
		equal(t, "same boot", restarted.sameBoot, false)
	})
	t.Run("the boot is signed anew when the segments are", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		lock := filepath.Join(j.dir, "lock")
		ok(t, os.WriteFile(lock, []byte(j.name+"\nanother boot\n"), 0o600))
		ok(t, j.close())
		equal(t, "same boot after a restart", begun(t, dir).sameBoot, false)
		_, restarted := after(t, dir)
		equal(t, "and after the next", restarted.sameBoot, true)
	})
}

// limitFiles lets no file grow beyond the size meanwhile, as a full disk does.
func limitFiles(t *testing.T, size uint64, do func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ) // the kernel's other way of saying so
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	ok(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	ok(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: before.Max}))
	do()
	ok(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before))
}

func readOnly(t testing.TB, path string) *os.File {
	t.Helper()
	file, err := os.Open(path)
	ok(t, err)
	t.Cleanup(func() { file.Close() })
	return file
}

func TestJournalSegments(t *testing.T) {
	t.Parallel()
	t.Run("a segment lives as long as it holds the last word on a delivery", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		ok(t, j.intend(1, 7, 0, nil))
		ok(t, j.intend(2, 7, 0, nil))
		ok(t, rotated(j))
		equal(t, "segments with two intents in the first", len(segments(t, dir)), 2)
		first := outcomeOf(1, 7, mailing.Sent)
		ok(t, j.conclude(&first))
		equal(t, "segments with an intent in the first", len(segments(t, dir)), 2)
		second := outcomeOf(2, 7, mailing.Sent)
		ok(t, j.conclude(&second))
		equal(t, "segments with all outcomes in the second", len(segments(t, dir)), 1)
		entries, _ := after(t, dir)
		if entries[1].outcome == nil || entries[2].outcome == nil {
			t.Errorf("the journal says %v, want two outcomes", entries)
		}
		ok(t, rotated(j))
		j.settled([]store.Outcome{first})
		equal(t, "segments with one unsettled", len(segments(t, dir)), 2)
		j.settled([]store.Outcome{second, outcomeOf(99, 7, mailing.Waiting)})
		equal(t, "segments with all settled", len(segments(t, dir)), 1)
		ok(t, j.close())
		equal(t, "segments after the end", len(segments(t, dir)), 0)
	})
	t.Run("a new one is begun after some megabytes", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		var open []store.Outcome
		for id := int64(1); j.number == 1; id++ {
			ok(t, j.intend(id, 7, 0, nil))
			o := outcomeOf(id, 7, mailing.Sent)
			ok(t, j.conclude(&o))
			open = append(open, o)
		}
		info, err := os.Stat(j.path(1))
		ok(t, err)
		if info.Size() < segmentBytes || info.Size() > segmentBytes+1024 {
			t.Errorf("the segment has %d octets, want %d", info.Size(), segmentBytes)
		}
		entries, _ := after(t, dir)
		equal(t, "entries over both segments", len(entries), len(open))
		j.settled(open)
		equal(t, "segments", len(segments(t, dir)), 1)
	})
	t.Run("when none can be begun, what was intended is concluded in the old one", func(t *testing.T) {
		dir := t.TempDir()
		j := begun(t, dir)
		ok(t, j.intend(1, 7, 0, nil))
		ok(t, os.WriteFile(j.path(2), nil, 0o600)) // in the way
		j.size = segmentBytes + 1
		if err := j.intend(2, 7, 0, nil); err == nil {
			t.Fatal("an intent is taken without a segment for it")
		}
		o := outcomeOf(1, 7, mailing.Sent)
		ok(t, j.conclude(&o))
		entries, _ := after(t, dir)
		equal(t, "entries", len(entries), 1)
		if entries[1].outcome == nil {
			t.Error("the outcome is lost")
		}
	})
}

// TestALateRecordOfAnEarlierTry has a worker write down what came of a mail that another
// has taken up again by then, and whose next try is on the wire.
func TestALateRecordOfAnEarlierTry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := begun(t, dir)
	ok(t, j.intend(1, 7, 0, nil))
	earlier := outcomeOf(1, 7, mailing.Deferred)
	j.settled([]store.Outcome{earlier})
	ok(t, j.intend(1, 7, 1, nil))
	ok(t, rotated(j))
	ok(t, j.intend(2, 7, 0, &earlier))
	ok(t, j.conclude(&earlier))
	entries, _ := after(t, dir)
	if e, known := entries[1]; !known || e.tries != 1 || e.outcome != nil {
		t.Errorf("of the try on the wire the journal says %+v, %v", e, known)
	}
}

func rotated(j *journal) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.rotate()
}

func TestPlacesOfNodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := begun(t, dir), begun(t, dir)
	t.Run("two at once have different places and names", func(t *testing.T) {
		if first.dir == second.dir || first.name == second.name {
			t.Errorf("both are %s in %s", first.name, first.dir)
		}
	})
	t.Run("who comes back has the place of before", func(t *testing.T) {
		ok(t, first.close())
		again := begun(t, dir)
		equal(t, "the place", again.dir, first.dir)
		equal(t, "the name", again.name, first.name)
		ok(t, again.close())
	})
	t.Run("what a killed one has left comes before an empty place", func(t *testing.T) {
		ok(t, second.intend(1, 7, 0, nil))
		ok(t, second.lock.Close()) // as a kill does
		heir := begun(t, dir)
		equal(t, "the place", heir.dir, second.dir)
		equal(t, "the name", heir.name, second.name)
	})
}

// FuzzReadJournal has the reader meet any bytes: it must neither panic nor take a
// line that was cut short for a whole one.
func FuzzReadJournal(f *testing.F) {
	f.Add([]byte("I 1 7\nO {\"DeliveryID\":1,\"Epoch\":7,\"State\":3}\n"))
	f.Add([]byte("I 1 7\nI 2"))
	f.Add([]byte("\n\n\x00\x00\x00"))
	f.Add([]byte("I 9223372036854775808 1\nO null\nO {\"Attempt\":null}\nB x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		whole := map[int64]entry{}
		for line := range bytes.Lines(data) {
			read(whole, line)
		}
		last := bytes.LastIndexByte(data, '\n')
		cut := map[int64]entry{}
		for line := range bytes.Lines(data[:last+1]) {
			read(cut, line)
		}
		if len(whole) != len(cut) {
			t.Errorf("a line without an end was read: %q", data[last+1:])
		}
		for id, e := range whole {
			if e.outcome != nil && (e.outcome.DeliveryID != id || e.outcome.Epoch != e.epoch) {
				t.Errorf("entry %d of epoch %d has the outcome of %d, %d", id, e.epoch, e.outcome.DeliveryID, e.outcome.Epoch)
			}
		}
	})
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := begun(t, dir)
	for i, text := range []string{"", "plain", "two\nlines", "Кириллица", "\u2028 <&>", strings.Repeat("long ", 2000)} {
		id := int64(i + 1)
		ok(t, j.intend(id, 3, 0, nil))
		o := outcomeOf(id, 3, mailing.Failed)
		o.Attempt.Reply.Text = text
		ok(t, j.conclude(&o))
		entries, _ := after(t, dir)
		if got := entries[id].outcome; got == nil || got.Attempt.Reply.Text != text || !got.Attempt.At.Equal(o.Attempt.At) {
			t.Errorf("%.20q comes back as %+v", text, got)
		}
	}
}

func TestRecordsKeepEveryField(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		number := rapid.Int64Range(0, 1<<52)
		o := store.Outcome{
			DeliveryID: number.Draw(r, "delivery"), Epoch: number.Draw(r, "epoch"), Tries: number.Draw(r, "tries"),
			State: mailing.DeliveryState(rapid.Int64Range(0, 6).Draw(r, "state")), Reason: mailing.Reason(rapid.String().Draw(r, "reason")),
			Suppress: rapid.Bool().Draw(r, "suppress"),
		}
		if rapid.Bool().Draw(r, "due") {
			o.DueAt = time.UnixMilli(1 + number.Draw(r, "due at"))
		}
		if rapid.Bool().Draw(r, "tried") {
			text := rapid.String()
			o.Attempt = &mailing.Attempt{
				DeliveryID: o.DeliveryID, RunID: number.Draw(r, "run"), MailingID: number.Draw(r, "mailing"), OwnerID: number.Draw(r, "owner"),
				Email: text.Draw(r, "email"), At: time.UnixMilli(number.Draw(r, "at")), Duration: time.Duration(rapid.Int64Range(0, 1<<40).Draw(r, "took")) * time.Microsecond,
				Node: text.Draw(r, "node"), Host: text.Draw(r, "host"), TLS: text.Draw(r, "tls"), Stage: text.Draw(r, "stage"),
				Result: mailing.AttemptResult(text.Draw(r, "result")),
				Reply:  mailing.Reply{Code: rapid.IntRange(0, 999).Draw(r, "code"), Enhanced: text.Draw(r, "enhanced"), Text: text.Draw(r, "text")},
			}
		}
		line := appendOutcome(nil, &o)
		if bytes.IndexByte(line, '\n') != len(line)-1 {
			r.Fatalf("the record is not one line: %q", line)
		}
		entries := map[int64]entry{}
		read(entries, line)
		if got := entries[o.DeliveryID].outcome; got == nil || !reflect.DeepEqual(*got, o) {
			r.Fatalf("%+v comes back as %+v from %q", o, got, line)
		}
	})
}

// TestNothingIsSentWithoutJournal breaks the journal of a working node.
func TestNothingIsSentWithoutJournal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 500, smtpsink.Options{Delay: 2 * time.Millisecond})
		id := w.open(t, w.mailing(t, mailing.Mailing{}))
		r := w.start(t)
		eventually(t, "mails leave", func() bool { return w.sink.Count() > 20 })
		r.journal.mu.Lock()
		ok(t, r.journal.file.Close()) // a disk that went away
		r.journal.mu.Unlock()
		if err := r.wait(t); err == nil || !strings.Contains(err.Error(), "journal") {
			t.Fatalf("the node ended with %v, want the journal's error", err)
		}
		states := w.states(t, id)
		if states[mailing.Waiting] == 0 || states[mailing.InDoubt] != 0 {
			t.Errorf("the run has %v, want the rest waiting and nothing in doubt", states)
		}
		w.check(t, 1, id)
		before := w.sink.Count()
		equal(t, "mails that are said to be sent", states[mailing.Sent], int64(before))
		w.start(t)
		w.complete(t, id)
		w.check(t, 1, id)
		equal(t, "mails", w.sink.Count(), 500)
	})
}
