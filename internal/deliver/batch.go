package deliver

import (
	"runtime"

	"vestnik/internal/store"
)

// batch is what several workers have to write into the journal at one time: the
// call of write(2) takes longer than copying the hundred times more that it can carry.
type batch struct {
	outcomes, intents   []byte // records
	concluded, intended []tried

	written chan struct{} // closed once that was tried; then:
	full    error         // why the intents are not written
	err     error         // why the outcomes are not
}

// tried is a try of a delivery.
type tried struct{ id, epoch, tries int64 }

func triedOf(o *store.Outcome) tried { return tried{o.DeliveryID, o.Epoch, o.Tries} }

func (b *batch) addOutcome(o *store.Outcome) {
	b.outcomes = appendOutcome(b.outcomes, o)
	b.concluded = append(b.concluded, triedOf(o))
}

func (b *batch) addIntent(id, epoch, tries int64) {
	b.intents = appendIntent(b.intents, id, epoch, tries)
	b.intended = append(b.intended, tried{id, epoch, tries})
}

// batch returns what is written next, and whether nobody has it written yet. Mu is
// locked.
func (j *journal) batch() (b *batch, first bool) {
	if j.pending == nil {
		j.pending = &batch{written: make(chan struct{})}
		first = true
	}
	return j.pending, first
}

// await returns when the batch is written. The first of its workers does that, after
// those that can go on at once have added theirs: when nobody can, it does not wait.
func (j *journal) await(b *batch, first bool) {
	if !first {
		<-b.written
		return
	}
	runtime.Gosched()
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	j.pending = nil
	j.mu.Unlock()
	j.write(b)
	close(b.written)
}

// write appends the batch. A disk that is nearly full may still take in what came of mails
// without the intents.
func (j *journal) write(b *batch) {
	if len(b.intended) > 0 {
		if b.full = j.appendAll(b); b.full != nil {
			b.intended = nil
		}
	}
	if len(b.intended) == 0 && len(b.concluded) > 0 {
		if b.err = j.append(b.outcomes); b.err != nil {
			return
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, t := range b.concluded {
		if j.isOpen(t) { // or it was settled meanwhile
			j.hold(t)
		}
	}
	for _, t := range b.intended {
		j.hold(t)
	}
}

func (j *journal) appendAll(b *batch) error {
	if j.size > segmentBytes {
		if err := j.rotate(); err != nil {
			return err
		}
	}
	return j.append(append(b.outcomes, b.intents...))
}
