package deliver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"vestnik/internal/store"
)

// journal is the memory of a node that a kill does not take: intents and
// outcomes, appended by write(2) before anything depends on them. It is
// kept in segments; one whose outcomes are all in the ledger is deleted.
//
// The kernel keeps what a killed process has written. A power failure may lose
// the end of it, or whole segments, so the file "lock" says, safely on disk, under
// which boot of the machine they were written: after another one, what is missing
// from the journal proves nothing.
type journal struct {
	dir      string
	lock     *os.File // holds the name of the node and the boot, a line each
	name     string
	sameBoot bool // the machine has been up since the segments were begun

	writing sync.Mutex // locked before mu
	broken  error      // why nothing more can be written
	file    *os.File
	size    int

	mu      sync.Mutex
	number  int                    // of the segment that is written to; changed with both locked
	open    map[int]map[int64]bool // by segment: deliveries whose outcome is not in the ledger
	held    map[int64]held         // by delivery: where its last try is
	pending *batch                 // is written next; nil: nothing is
}

// held is where the last record of a delivery is, and of which try.
type held struct {
	segment      int
	epoch, tries int64
}

// segmentBytes is when a new segment is begun: large enough to be rare, small
// enough to be read in a blink at the next start. Chosen.
const segmentBytes = 4 << 20

// openJournal takes a folder below dir that no other process on this machine holds: one
// with something to tell, which a killed node has left, or else the first. So a node
// that comes back finds its own journal, or that of another that does not.
func openJournal(dir string) (*journal, error) {
	left, err := filepath.Glob(filepath.Join(dir, "node-*", "*"+segmentSuffix))
	if err != nil {
		return nil, fmt.Errorf("deliver: journal: %w", err)
	}
	for _, segment := range left {
		if j, err := takeJournal(filepath.Dir(segment)); j != nil || err != nil {
			return j, err
		}
	}
	for i := 1; ; i++ {
		if j, err := takeJournal(filepath.Join(dir, "node-"+strconv.Itoa(i))); j != nil || err != nil {
			return j, err
		}
	}
}

// takeJournal opens the journal in a folder; nil when another process holds it.
func takeJournal(folder string) (*journal, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("deliver: journal: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("deliver: journal: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, fmt.Errorf("deliver: journal: lock: %w", err)
	}
	j := &journal{dir: folder, lock: lock, open: map[int]map[int64]bool{}, held: map[int64]held{}}
	if err := j.identify(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("deliver: journal: %w", err)
	}
	return j, nil
}

// identify reads the node's name, or makes one: the host, so that people know it,
// and random letters, so that no two are the same.
func (j *journal) identify() error {
	data, err := io.ReadAll(j.lock)
	if err != nil {
		return err
	}
	name, rest, whole := strings.Cut(string(data), "\n")
	boot, _, _ := strings.Cut(rest, "\n")
	if whole {
		j.name, j.sameBoot = name, boot == bootID()
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "node"
	}
	j.name = host + "-" + strconv.FormatInt(store.NewID(), 36)
	return nil
}

// sign writes down, safely, whose journal it is and under which boot.
func (j *journal) sign() error {
	if _, err := j.lock.WriteAt([]byte(j.name+"\n"+bootID()+"\n"), 0); err != nil {
		return err
	}
	return j.lock.Sync()
}

// read returns what the segments say of the latest lease of each delivery.
func (j *journal) read() (map[int64]entry, error) {
	entries := map[int64]entry{}
	numbers, err := j.numbers()
	if err != nil {
		return nil, err
	}
	for _, number := range numbers {
		data, err := os.ReadFile(j.path(number))
		if err != nil {
			return nil, fmt.Errorf("deliver: journal: %w", err)
		}
		for line := range bytes.Lines(data) {
			read(entries, line)
		}
		j.number = max(j.number, number)
	}
	return entries, nil
}

func (j *journal) numbers() ([]int, error) {
	files, err := filepath.Glob(filepath.Join(j.dir, "*"+segmentSuffix))
	if err != nil {
		return nil, fmt.Errorf("deliver: journal: %w", err)
	}
	var numbers []int
	for _, file := range files {
		if n, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(file), segmentSuffix)); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func (j *journal) path(number int) string {
	return filepath.Join(j.dir, fmt.Sprintf("%08d%s", number, segmentSuffix))
}

const segmentSuffix = ".journal"

// begin deletes the segments that read returned, now that the ledger knows what
// they said, and begins a new one.
func (j *journal) begin() error {
	numbers, err := j.numbers()
	if err != nil {
		return err
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.sign(); err != nil {
		return fmt.Errorf("deliver: journal: %w", err)
	}
	if err := j.rotate(); err != nil {
		return err
	}
	for _, number := range numbers {
		if err := os.Remove(j.path(number)); err != nil {
			return fmt.Errorf("deliver: journal: %w", err)
		}
	}
	return nil
}

// rotate begins the next segment. When it cannot, the one before stays in use:
// what was intended is still to be concluded.
func (j *journal) rotate() error {
	file, err := os.OpenFile(j.path(j.number+1), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("deliver: journal: %w", err)
	}
	before := j.file
	j.file, j.size = file, 0
	j.mu.Lock()
	defer j.mu.Unlock()
	j.number++
	j.open[j.number] = map[int64]bool{}
	if before == nil {
		return nil
	}
	j.drop(j.number - 1)
	if err := before.Close(); err != nil {
		return fmt.Errorf("deliver: journal: %w", err)
	}
	return nil
}

// append writes records. What was written in part, on a full disk, is taken back,
// since the next would continue its line; where that fails, too, nothing more is
// written.
func (j *journal) append(records []byte) error {
	if j.broken != nil {
		return j.broken
	}
	_, err := j.file.Write(records)
	if err == nil {
		j.size += len(records)
		return nil
	}
	err = fmt.Errorf("deliver: journal: %w", err)
	if undo := j.file.Truncate(int64(j.size)); undo != nil {
		j.broken = err
	}
	return err
}

// isBroken reports whether nothing can be written any more.
func (j *journal) isBroken() bool {
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.broken != nil
}

// intend notes that the final dot of a delivery is about to be sent, and in the same
// write what came of the one that its worker sent before (nil: that is on record).
func (j *journal) intend(id, epoch, tries int64, before *store.Outcome) error {
	j.mu.Lock()
	b, first := j.batch()
	if before != nil && j.isOpen(triedOf(before)) {
		b.addOutcome(before)
	}
	b.addIntent(id, epoch, tries)
	j.mu.Unlock()
	j.await(b, first)
	return errors.Join(b.full, b.err)
}

// conclude notes what came of it.
func (j *journal) conclude(o *store.Outcome) error {
	j.mu.Lock()
	if !j.isOpen(triedOf(o)) {
		j.mu.Unlock()
		return nil
	}
	b, first := j.batch()
	b.addOutcome(o)
	j.mu.Unlock()
	j.await(b, first)
	return b.err
}

// isOpen reports whether the ledger may not know yet what came of a try. What is settled
// needs no record; and the delivery may be in another worker's hands by then, whose
// intent must not be taken for told.
func (j *journal) isOpen(t tried) bool {
	h, open := j.held[t.id]
	return open && h.epoch == t.epoch && h.tries == t.tries
}

// hold keeps the current segment for a try. An older one that held its intent is not
// needed any more: an outcome says that there was one.
func (j *journal) hold(t tried) {
	before, wasHeld := j.held[t.id]
	j.held[t.id] = held{j.number, t.epoch, t.tries}
	j.open[j.number][t.id] = true
	if wasHeld && before.segment != j.number {
		delete(j.open[before.segment], t.id)
		j.drop(before.segment)
	}
}

// settled forgets deliveries whose outcome the ledger has.
func (j *journal) settled(outcomes []store.Outcome) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range outcomes {
		h, ok := j.held[o.DeliveryID]
		if !ok {
			continue
		}
		delete(j.held, o.DeliveryID)
		delete(j.open[h.segment], o.DeliveryID)
		if h.segment != j.number {
			j.drop(h.segment)
		}
	}
}

// drop deletes a segment that nothing depends on. One that cannot be deleted is
// read again at the next start, which the ledger takes with calm.
func (j *journal) drop(segment int) {
	if len(j.open[segment]) == 0 {
		delete(j.open, segment)
		os.Remove(j.path(segment))
	}
}

// close ends the journal; with nothing left open, nothing stays behind.
func (j *journal) close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return j.lock.Close()
	}
	err := j.file.Close()
	j.file = nil
	j.drop(j.number)
	return errors.Join(err, j.lock.Close())
}

// bootID names this run of the machine's kernel; where that is not to be had
// (it is Linux's), every start counts as after a power failure.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return strconv.FormatInt(store.NewID(), 36)
	}
	return strings.TrimSpace(string(id))
}
