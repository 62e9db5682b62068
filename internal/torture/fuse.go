package torture

import (
	"errors"
	"slices"
	"sync"
)

// Effect is what a fuse does to the call at which it has burnt down.
type Effect string

// The effects.
const (
	// Fails has the call fail without being made.
	Fails Effect = "fails"
	// Lost has the call made and its answer lost, with the connection.
	Lost Effect = "answer lost"
	// Dies has everything end there, as kill -9 does: neither this call nor any
	// after it is made or returns, until Release.
	Dies Effect = "dies"
)

// Kind is a kind of call.
type Kind string

// The kinds of calls. Of the database: Connect to Commit. Of the network: Dial,
// Read and Write.
const (
	Connect Kind = "connect"
	Begin   Kind = "begin"
	Prepare Kind = "prepare"
	Exec    Kind = "exec"
	Query   Kind = "query"
	Next    Kind = "next"
	Commit  Kind = "commit"

	Dial  Kind = "dial"
	Read  Kind = "read"
	Write Kind = "write"
)

// ErrBroken is what a call returns that a fuse has burnt down at.
var ErrBroken = errors.New("torture: broken on purpose")

// Fuse burns from the moment it is lit, call by call, and breaks the n-th. It may
// be used by many at once.
type Fuse struct {
	effect  Effect
	release chan struct{}
	once    sync.Once

	mu    sync.Mutex
	kinds []Kind // that are counted; nil: all
	lit   bool
	left  int
	at    Kind
}

// NewFuse makes a fuse that breaks the n-th call (from 1) after it is lit.
func NewFuse(n int, effect Effect) *Fuse {
	return &Fuse{effect: effect, left: n, release: make(chan struct{})}
}

// Count has it count calls of these kinds only.
func (f *Fuse) Count(kinds ...Kind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kinds = kinds
}

// Light lights it.
func (f *Fuse) Light() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lit = true
}

// Snuff puts it out: what was not reached will not be.
func (f *Fuse) Snuff() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lit = false
}

// Burnt returns at which kind of call it has burnt down; "": it has not yet.
func (f *Fuse) Burnt() Kind {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// Release lets go of the calls that Dies has kept; they fail. Others fail at once.
func (f *Fuse) Release() { f.once.Do(func() { close(f.release) }) }

// call makes a call unless it is the one. cut cuts the connection it is made on.
func (f *Fuse) call(kind Kind, do func() error, cut func()) error {
	hit, dead := f.burn(kind)
	switch {
	case dead:
		cut()
		<-f.release
		return ErrBroken
	case hit && f.effect == Lost:
		// It was made, whatever came of it.
		_ = do()
		cut()
		return ErrBroken
	case hit:
		return ErrBroken
	}
	return do()
}

// burn counts a call, and reports whether it is the one, and whether all is over.
func (f *Fuse) burn(kind Kind) (hit, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lit && f.at == "" && (f.kinds == nil || slices.Contains(f.kinds, kind)) {
		f.left--
		if hit = f.left == 0; hit {
			f.at = kind
		}
	}
	return hit, f.at != "" && f.effect == Dies
}
