// Package torture breaks things for tests, at whichever call they like: the
// database, the network, or the whole process. It reckons what became of the
// recipients and keeps a result, of which "make torture" makes the table in
// docs/reliability.md.
package torture

import (
	"os"
	"testing"
)

// Setting is the environment variable that lets tests torture for long.
const Setting = "VESTNIK_TORTURE"

// Long reports whether tests may take as long as it takes.
func Long() bool { return os.Getenv(Setting) == "1" }

// Times is how often something is done: short in every run of the tests, long in
// the long form.
func Times(short, long int) int {
	if Long() {
		return long
	}
	return short
}

// Only skips a test whose shortest form is too long for every run of the tests.
func Only(t testing.TB) {
	t.Helper()
	if !Long() {
		t.Skipf("set %s=1 to run this test, which takes minutes", Setting)
	}
}
