package i18n

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	literal = regexp.MustCompile(`"([a-z0-9_.]+)"`)
	// A call of Printer.T or Printer.N with a whole key.
	rendered = regexp.MustCompile(`\.[TN]\(\s*"([^"]+)"\s*[,)]`)
	told     = regexp.MustCompile(`\.T\(\s*"([^"]+)"\s*[,)]`)
	counted  = regexp.MustCompile(`\.N\(\s*"([^"]+)"\s*[,)]`)
	// What words are made of, also in the names that Go writes together.
	word = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)
	// The ways to make a mailing.Error with a code written out.
	faulted = regexp.MustCompile(`\bFault\([^,()]+,\s*"([a-z0-9_]+)"|\bFieldFault\([^,()]+,[^,()]+,\s*"([a-z0-9_]+)"|\b(?:p|problems)\.Add\([^,()]+,\s*"([a-z0-9_]+)"`)
)

// source is the text of the program: Go and templ files, without tests and
// without what templ generates, and the time zones that one can choose.
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
			isSource := strings.HasSuffix(name, ".templ") || filepath.Base(name) == "zones.txt" || strings.HasSuffix(name, ".go") &&
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
	t.Run("what counts has plural forms, and nothing else", func(t *testing.T) {
		for key, file := range found(texts, told) {
			if ru.Has(key) && isPlural(ru.messages[key]) {
				t.Errorf("%s counts nothing with %q, which has plural forms", file, key)
			}
		}
		for key, file := range found(texts, counted) {
			if ru.Has(key) && !isPlural(ru.messages[key]) {
				t.Errorf("%s counts with %q, which has no plural forms", file, key)
			}
		}
	})
	t.Run("every text is used", func(t *testing.T) {
		literals, words := found(texts, literal), wordsOf(texts)
		for key := range ru.messages {
			if !used(key, literals, words) {
				t.Errorf("nothing uses %q", key)
			}
		}
	})
	t.Run("a text that nothing uses is noticed", func(t *testing.T) {
		literals, words := map[string]string{"status.": "file", "status.paused": "file"}, map[string]bool{"paused": true}
		for key, want := range map[string]bool{"status.paused": true, "status.gone": false, "relay.paused": false} {
			if used(key, literals, words) != want {
				t.Errorf("%q", key)
			}
		}
	})
}

// wordsOf are all words of the program, in lower case.
func wordsOf(texts map[string]string) map[string]bool {
	words := map[string]bool{}
	for _, text := range texts {
		for _, w := range word.FindAllString(text, -1) {
			words[strings.ToLower(w)] = true
		}
	}
	return words
}

// used reports whether a key, or the code of an error, stands in the code; or whether a
// beginning of it does that ends with a dot, and the words of the rest are there, which
// are put together with it ("month." + n).
func used(key string, literals map[string]string, words map[string]bool) bool {
	if literals[key] != "" {
		return true
	}
	if code, isError := strings.CutPrefix(key, "error."); isError {
		return literals[code] != ""
	}
	for i, letter := range key {
		if letter == '.' && literals[key[:i+1]] != "" && allIn(key[i+1:], words) {
			return true
		}
	}
	return false
}

func allIn(text string, words map[string]bool) bool {
	for _, w := range word.FindAllString(text, -1) {
		if !words[w] {
			return false
		}
	}
	return true
}
