package i18n

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// vocabulary are the sections of words that are kept complete on purpose, so
// that the pages and the API choose from them: a page that needs "Cancel" finds
// it. A key of any other section must be used by name, or made by putting
// together a literal that ends with a dot and a value ("month." + n).
var vocabulary = []string{
	"action.", "answer.", "app.", "field.", "language.", "weekday.",
	"status.", "frequency.", "role.", "audience.", "doubt.", "run_kind.", "run_state.", "delivery.", "attempt.",
}

// generalErrors are codes for which no Error is made: they are shown for a kind
// of error, or by the web server itself.
var generalErrors = []string{
	"internal", "not_found", "forbidden", "sign_in_needed", "changed_meanwhile", "too_many_requests", "unavailable",
	"required", "code_wrong",
}

var (
	literal = regexp.MustCompile(`"([a-z0-9_.]+)"`)
	// A call of Printer.T or Printer.N with a whole key.
	rendered = regexp.MustCompile(`\.[TN]\(\s*"([^"]+)"\s*[,)]`)
	// The ways to make a mailing.Error with a code written out.
	faulted = regexp.MustCompile(`\bFault\([^,()]+,\s*"([a-z0-9_]+)"|\bFieldFault\([^,()]+,[^,()]+,\s*"([a-z0-9_]+)"|\b(?:p|problems)\.Add\([^,()]+,\s*"([a-z0-9_]+)"`)
)

// source is the text of the program: Go and templ files, without tests and
// without what templ generates.
func source(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	root := filepath.Join("..", "..")
	for _, folder := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, entry fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				return err
			}
			isSource := strings.HasSuffix(name, ".templ") || strings.HasSuffix(name, ".go") &&
				!strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, "_templ.go")
			if entry.IsDir() || !isSource {
				return nil
			}
			content, err := os.ReadFile(name)
			texts[name] = string(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

// found returns what the pattern's groups match, with one file for each.
func found(texts map[string]string, pattern *regexp.Regexp) map[string]string {
	all := map[string]string{}
	for file, text := range texts {
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			all[strings.Join(match[1:], "")] = file
		}
	}
	return all
}

func TestUsage(t *testing.T) {
	ru, _ := printers(t)
	texts := source(t)
	t.Run("the program is found", func(t *testing.T) {
		if len(found(texts, rendered)) < 10 || len(found(texts, faulted)) < 10 {
			t.Errorf("only %d texts and %d errors are", len(found(texts, rendered)), len(found(texts, faulted)))
		}
	})
	t.Run("every key in the code has a text", func(t *testing.T) {
		for key, file := range found(texts, rendered) {
			if !ru.Has(key) {
				t.Errorf("%s uses %q, which no file of locales/ru has", file, key)
			}
		}
	})
	t.Run("every error in the code has a sentence", func(t *testing.T) {
		for code, file := range found(texts, faulted) {
			if !ru.Has("error." + code) {
				t.Errorf("%s makes the error %q, and no file of locales/ru has \"error.%s\"", file, code, code)
			}
		}
	})
	t.Run("every text is used", func(t *testing.T) {
		literals := found(texts, literal)
		for key := range ru.messages {
			if !used(key, literals) {
				t.Errorf("nothing uses %q", key)
			}
		}
	})
}

// used reports whether key, a beginning of it that ends with a dot, or the code
// of an error stands in the code.
func used(key string, literals map[string]string) bool {
	if literals[key] != "" {
		return true
	}
	if code, isError := strings.CutPrefix(key, "error."); isError {
		return literals[code] != "" || slices.Contains(generalErrors, code)
	}
	for i, letter := range key {
		beginning := key[:i+1]
		if letter == '.' && (slices.Contains(vocabulary, beginning) || literals[beginning] != "") {
			return true
		}
	}
	return false
}
