package i18n

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// forms are the plural forms that a language has (CLDR), by the fields of a
// message.
func forms(lang string, m *i18n.Message) map[string]string {
	if lang == Russian {
		return map[string]string{"one": m.One, "few": m.Few, "many": m.Many, "other": m.Other}
	}
	return map[string]string{"one": m.One, "other": m.Other}
}

func isPlural(m *i18n.Message) bool { return m.One+m.Few+m.Many+m.Two+m.Zero != "" }

var placeholder = regexp.MustCompile(`\{\{\s*\.([a-z_]+)\s*\}\}`)

// placeholders returns the sorted names of the parameters that a text holds.
func placeholders(text string) []string {
	names := map[string]bool{}
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		names[found[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func TestLocales(t *testing.T) {
	ru, en := printers(t)
	t.Run("both languages have the same keys", func(t *testing.T) {
		for _, key := range missing(ru.messages, en.messages) {
			t.Errorf("locales/en has no %q", key)
		}
		for _, key := range missing(en.messages, ru.messages) {
			t.Errorf("locales/ru has no %q", key)
		}
	})
	t.Run("both languages agree about what is counted", func(t *testing.T) {
		for key, message := range ru.messages {
			if other := en.messages[key]; other != nil && isPlural(message) != isPlural(other) {
				t.Errorf("%q has plural forms in one language only", key)
			}
		}
	})
	t.Run("every key has a section and a name", func(t *testing.T) {
		shape := regexp.MustCompile(`^[a-z_]+(\.[a-z0-9_]+)+$`)
		for key := range ru.messages {
			if !shape.MatchString(key) {
				t.Errorf("%q is no key", key)
			}
		}
	})
	t.Run("the same parameters stand in both languages", func(t *testing.T) {
		for key, message := range ru.messages {
			if other := en.messages[key]; other != nil && !slices.Equal(placeholders(message.Other), placeholders(other.Other)) {
				t.Errorf("%q: %v in Russian, %v in English", key, placeholders(message.Other), placeholders(other.Other))
			}
		}
	})
	for _, p := range []*Printer{ru, en} {
		t.Run("every text of "+p.lang+" is whole and can be rendered", func(t *testing.T) {
			for key, message := range p.messages {
				checkMessage(t, p, key, message)
			}
		})
	}
}

func missing(from, in map[string]*i18n.Message) []string {
	var keys []string
	for key := range from {
		if in[key] == nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// checkMessage checks that no form is missing or malformed, and that nothing of
// a template is left when it is rendered.
func checkMessage(t *testing.T, p *Printer, key string, message *i18n.Message) {
	t.Helper()
	data := map[string]any{}
	for _, name := range placeholders(message.Other) {
		data[name] = "x"
	}
	if !isPlural(message) {
		if text := p.text(key, data); text == "" || text == key || strings.ContainsAny(text, "{}<") {
			t.Errorf("%q is rendered as %q", key, text)
		}
		return
	}
	for form, text := range forms(p.lang, message) {
		if text == "" || !slices.Equal(placeholders(text), placeholders(message.Other)) {
			t.Errorf("%q lacks the form %q, or its parameters differ", key, form)
		}
	}
	args := []any{}
	for name := range data {
		args = append(args, name, "x")
	}
	for _, count := range []int64{1, 2, 5, 21} {
		if text := p.N(key, count, args...); text == key || strings.ContainsAny(text, "{}<") {
			t.Errorf("%q counted by %d is rendered as %q", key, count, text)
		}
	}
}

func TestLocaleFiles(t *testing.T) {
	names := map[string][]string{}
	for _, lang := range Languages() {
		files, err := fs.Glob(locales, path.Join("locales", lang, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			names[lang] = append(names[lang], path.Base(file))
			t.Run("no key stands twice in "+file, func(t *testing.T) {
				content, err := fs.ReadFile(locales, file)
				if err != nil {
					t.Fatal(err)
				}
				checkTwice(t, content)
			})
		}
	}
	t.Run("both languages are split into the same files", func(t *testing.T) {
		if !slices.Equal(names[Russian], names[English]) {
			t.Errorf("Russian %v, English %v", names[Russian], names[English])
		}
	})
}

// checkTwice looks at the tokens, because decoding drops the first of two.
func checkTwice(t *testing.T, content []byte) {
	t.Helper()
	seen := map[string]bool{}
	decoder := json.NewDecoder(bytes.NewReader(content))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		if seen[key.(string)] {
			t.Errorf("%q does", key)
		}
		seen[key.(string)] = true
		var text json.RawMessage
		if err := decoder.Decode(&text); err != nil {
			t.Fatal(err)
		}
	}
}
