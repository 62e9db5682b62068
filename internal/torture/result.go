package torture

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// ResultSetting is the environment variable that names the file to which tests
// add what they have found, a line of JSON each; empty: they add it nowhere.
const ResultSetting = "VESTNIK_TORTURE_RESULT"

// Line is a row of the result: what one kind of fault, any number of times, has
// done to the recipients on one database.
type Line struct {
	Fault      string
	Database   string // "sqlite" or "postgres"
	Long       bool   // made by the long form
	Times      int    // how often the fault struck
	Recipients int
	Lost       int
	Twice      int // copies beyond the first
	InDoubt    int // listed for a person to decide
	// Recovery is the longest it took from a fault until it was overcome; 0: it
	// was not measured.
	Recovery time.Duration
}

// Add counts one strike of the fault and what came of it.
func (l *Line) Add(r Reckoning, recovery time.Duration) {
	l.Times++
	l.Count(r)
	l.Recovery = max(l.Recovery, recovery)
}

// Count counts what came of a run that the fault has struck any number of times.
func (l *Line) Count(r Reckoning) {
	l.Recipients += r.Recipients
	l.Lost += len(r.Lost) + len(r.Stuck)
	l.Twice += r.Again
	l.InDoubt += len(r.InDoubt)
}

// Database names the database that a URL is the address of, as in the result.
func Database(url string) string {
	if strings.HasPrefix(url, "sqlite:") {
		return "sqlite"
	}
	return "postgres"
}

// Record adds a line to the result, and to the log of the test.
func Record(t testing.TB, l Line) {
	t.Helper()
	l.Long = Long()
	t.Logf("%s on %s, %d times: %d recipients, %d lost, %d twice, %d in doubt, slowest recovery %s",
		l.Fault, l.Database, l.Times, l.Recipients, l.Lost, l.Twice, l.InDoubt, l.Recovery.Round(time.Millisecond))
	path := os.Getenv(ResultSetting)
	if path == "" {
		return
	}
	text, err := json.Marshal(l)
	if err == nil {
		err = appendLine(path, text)
	}
	if err != nil {
		t.Errorf("the result cannot be written: %v", err)
	}
}

// appendLine adds a line by one write, since several packages are tested at once.
func appendLine(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Close())
}

// ReadResult reads the lines of a result. Of a fault that was recorded more than
// once on a database, the last line counts.
func ReadResult(r io.Reader) ([]Line, error) {
	last := map[[2]string]Line{}
	for decoder := json.NewDecoder(r); ; {
		var l Line
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("torture: read result: %w", err)
		}
		last[[2]string{l.Fault, l.Database}] = l
	}
	lines := make([]Line, 0, len(last))
	for _, l := range last {
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Fault, b.Fault), -cmp.Compare(a.Database, b.Database))
	})
	return lines, nil
}

// Table is the result in Markdown.
func Table(lines []Line) string {
	var b strings.Builder
	b.WriteString("| fault | database | form | times | recipients | lost | twice | in doubt | slowest recovery |\n")
	b.WriteString("|---|---|---|---:|---:|---:|---:|---:|---:|\n")
	for _, l := range lines {
		form, recovery := "short", "–"
		if l.Long {
			form = "long"
		}
		if l.Recovery > 0 {
			recovery = fmt.Sprintf("%.1f s", l.Recovery.Seconds())
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %d | %d | %d | %d | %s |\n",
			l.Fault, l.Database, form, l.Times, l.Recipients, l.Lost, l.Twice, l.InDoubt, recovery)
	}
	return b.String()
}

// The markers between which a document holds the table.
const (
	tableBegins = "<!-- what make torture found, written by it -->\n"
	tableEnds   = "<!-- end of what make torture found -->\n"
)

// Replace returns the document with another table between its markers.
func Replace(document, table string) (string, error) {
	before, rest, begins := strings.Cut(document, tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return "", errors.New("torture: the document has no place for the table: the markers are missing")
	}
	return before + tableBegins + "\n" + table + "\n" + tableEnds + after, nil
}
