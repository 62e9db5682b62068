package app

import (
	"context"
	"sync/atomic"
)

// SealedColumns are the names of all columns that are sealed anew.
func SealedColumns() []string {
	var names []string
	for _, c := range sealedColumns {
		names = append(names, c.Table+"."+c.Column)
	}
	return names
}

// Work counts what guesses are for: calls of the hasher, and codes that are compared.
type Work struct {
	hasher
	Hashes, Verified, Nothing, Codes atomic.Int64
}

// CountWork puts a counter in front of the hasher and of the comparison of codes.
func (a *App) CountWork() *Work {
	w := &Work{hasher: a.hasher}
	compare := a.compareCode
	a.hasher = w
	a.compareCode = func(stored, purpose string, account int64, typed string) bool {
		w.Codes.Add(1)
		return compare(stored, purpose, account, typed)
	}
	return w
}

// Hash implements hasher.
func (w *Work) Hash(ctx context.Context, password string) (string, error) {
	w.Hashes.Add(1)
	return w.hasher.Hash(ctx, password)
}

// Verify implements hasher.
func (w *Work) Verify(ctx context.Context, password, stored string) (bool, error) {
	w.Verified.Add(1)
	return w.hasher.Verify(ctx, password, stored)
}

// VerifyNothing implements hasher.
func (w *Work) VerifyNothing(ctx context.Context, password string) error {
	w.Nothing.Add(1)
	return w.hasher.VerifyNothing(ctx, password)
}
