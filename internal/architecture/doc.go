// Package architecture holds no code: its test says which room of the house
// may enter which, and fails with a sentence that names the forbidden edge, or
// the package that does not say what it is for. The table is the drawing of
// ARCHITECTURE.md in a form that cannot go stale.
package architecture
