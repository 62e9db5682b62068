package app

import (
	"bufio"
	"io"
	"strings"
)

// sheet writes CSV (RFC 4180) for a spreadsheet: with a byte order mark, without
// which Excel misreads Cyrillic, and for who reads Russian with semicolons, which
// Excel expects there.
//
// No cell of it is a formula (see noFormula), and none falls apart into cells where a
// spreadsheet parts them at another sign than ours, which would make a formula of
// the middle of a text: such texts are quoted.
type sheet struct {
	out   *bufio.Writer
	comma byte
}

// newSheet begins a sheet for a reader of the language.
func newSheet(w io.Writer, lang string) *sheet {
	s := &sheet{bufio.NewWriter(w), ','}
	if lang == "ru" {
		s.comma = ';'
	}
	s.out.WriteString("\uFEFF") // errors stay until flush
	return s
}

// line writes a line of texts; errors stay until flush.
func (s *sheet) line(cells ...string) {
	for i, cell := range cells {
		if i > 0 {
			s.out.WriteByte(s.comma)
		}
		cell = noFormula(cell)
		if strings.ContainsAny(cell, ",;\t|\"\r\n") || strings.HasPrefix(cell, " ") {
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		s.out.WriteString(cell)
	}
	s.out.WriteString("\n")
}

// flush hands over what was written and returns the first error of the writer.
func (s *sheet) flush() error { return s.out.Flush() }

// noFormula keeps a spreadsheet from taking a cell for a formula, which could send the
// sheet elsewhere when it is opened (OWASP, "CSV Injection"): it puts an apostrophe
// before it, as people do. One that a text has already gets another, so that
// asTyped gives back what was there.
func noFormula(cell string) string {
	if isFormula(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// asTyped is the cell of a file without the apostrophe that keeps spreadsheets from
// taking it for a formula.
func asTyped(cell string) string {
	if bare := strings.TrimLeft(cell, "'"); bare != cell && isFormula(bare) {
		return cell[1:]
	}
	return cell
}

// isFormula reports whether spreadsheets may take a text for a formula. Some also do so
// where the signs have the width of East Asian letters.
func isFormula(text string) bool {
	for _, sign := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(text, sign) {
			return true
		}
	}
	return false
}
