package mailing

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCleanLine(t *testing.T) {
	cases := []struct{ name, typed, want string }{
		{"a clean line stays", "Анна Петрова", "Анна Петрова"},
		{"white space becomes one space", " Анна \t\r\n\u00a0Петрова\u2003", "Анна Петрова"},
		{"control characters part words", "Анна\x00\x1bПетрова\u0085", "Анна Петрова"},
		{"letters are composed", "и\u0306", "й"},
		{"damage is marked", "Ан\xffна", "Ан\uFFFDна"},
		{"nothing stays nothing", " \n ", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := CleanLine(c.typed); got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestSearchText(t *testing.T) {
	t.Run("case, ё and white space do not count", func(t *testing.T) {
		if got := SearchText("Пётр", " ЁЛКИН\n", "Smith"); got != "петр елкин smith" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("what is looked for folds like what is found", func(t *testing.T) {
		if SearchText("ПЁТР") != SearchText("петр") || SearchText("Е\u0308лка") != SearchText("елка") {
			t.Error("it does not")
		}
	})
}

func FuzzCleanLine(f *testing.F) {
	for _, seed := range []string{"Анна", " a\r\nb ", "\xff\x00", "и\u0306", "\u2028", "a\u0300\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		line := CleanLine(typed)
		if !utf8.ValidString(line) || line != strings.TrimSpace(line) || strings.Contains(line, "  ") {
			t.Fatalf("%q becomes %q", typed, line)
		}
		if strings.ContainsFunc(line, unicode.IsControl) || CleanLine(line) != line {
			t.Fatalf("%q becomes %q, and that %q", typed, line, CleanLine(line))
		}
	})
}
