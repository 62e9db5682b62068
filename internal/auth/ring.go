package auth

import (
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
)

// ring holds the secrets that are in force. Those of a file are read again when the
// file changes, so that a running service goes over to a new secret by itself.
type ring struct {
	roots atomic.Pointer[[]*root]

	file string // empty: the secrets do not change
	mu   sync.Mutex
	read fs.FileInfo // as it was when it was read
}

func (g *ring) use(secrets [][]byte) {
	roots := make([]*root, len(secrets))
	for i, secret := range secrets {
		roots[i] = newRoot(secret)
	}
	g.roots.Store(&roots)
}

// OpenKeys makes keys of the secrets in a file, as LoadSecrets reads them, and follows
// the file.
func OpenKeys(file string) (Keys, error) {
	secrets, err := LoadSecrets(file)
	if err != nil {
		return Keys{}, err
	}
	k := NewKeys(secrets[0], secrets[1:]...)
	k.ring.file = file
	k.ring.read, err = os.Stat(file)
	return k, err
}

// Renew goes over to the secrets that are in the file now.
func (k Keys) Renew() { k.ring.renew() }

// renew reports whether there are other secrets than before. To ask costs a look at the
// file, so little that strangers may cause it, with links that are none. A file that cannot be
// read now is left for the next time: what is known goes on to work.
func (g *ring) renew() bool {
	if g.file == "" {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now, err := os.Stat(g.file)
	if err != nil || os.SameFile(now, g.read) && now.ModTime().Equal(g.read.ModTime()) && now.Size() == g.read.Size() {
		return false
	}
	secrets, err := LoadSecrets(g.file)
	if err != nil {
		return false
	}
	g.use(secrets)
	g.read = now
	return true
}

// Secrets is how many there are.
func (k Keys) Secrets() int { return len(k.roots()) }
