// Package i18n speaks to people in their language: it renders translation keys,
// errors, numbers, dates, spans of time and the rule of a mailing in Russian and
// English.
//
// The texts lie in locales/<language>/*.json, as many files as there are
// subjects. A key is flat, "section.name"; a text may hold {{.name}} for a
// parameter; a text that depends on a count is an object with the plural forms
// of the language (CLDR): one, few, many, other in Russian, one and other in
// English.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed locales
var locales embed.FS

// The languages, by their ISO 639-1 code.
const (
	Russian = "ru"
	English = "en"
)

// Languages lists the languages that the interface is complete in.
func Languages() []string { return []string{Russian, English} }

// Catalog holds all texts. It never changes and is safe for concurrent use.
type Catalog struct {
	printers map[string]*Printer
}

// New reads the texts that are built into the program. An error is a mistake
// in a file, such as a key that two files define.
func New() (*Catalog, error) { return load(locales) }

func load(files fs.FS) (*Catalog, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	catalog := &Catalog{printers: map[string]*Printer{}}
	for _, lang := range Languages() {
		messages, err := loadLanguage(bundle, files, lang)
		if err != nil {
			return nil, err
		}
		catalog.printers[lang] = &Printer{
			lang:      lang,
			zone:      time.UTC,
			messages:  messages,
			localizer: i18n.NewLocalizer(bundle, lang),
		}
	}
	return catalog, nil
}

// loadLanguage merges the files of a language and refuses a key that is there
// twice: which of the two would win depends on the names of the files.
func loadLanguage(bundle *i18n.Bundle, files fs.FS, lang string) (map[string]*i18n.Message, error) {
	names, err := fs.Glob(files, path.Join("locales", lang, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("i18n: list texts of %s: %w", lang, err)
	}
	messages := map[string]*i18n.Message{}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("i18n: read %s: %w", name, err)
		}
		file, err := bundle.ParseMessageFileBytes(content, lang+".json")
		if err != nil {
			return nil, fmt.Errorf("i18n: read %s: %w", name, err)
		}
		for _, message := range file.Messages {
			if messages[message.ID] != nil {
				return nil, fmt.Errorf("i18n: %s defines %s, and so does another file of %s", name, message.ID, lang)
			}
			messages[message.ID] = message
		}
	}
	return messages, nil
}

// For returns the printer of a language, English for one that is unknown. It
// shows times in UTC until In says otherwise.
func (c *Catalog) For(lang string) *Printer {
	if p, known := c.printers[lang]; known {
		return p
	}
	return c.printers[English]
}

// Match picks a language for a visitor: the one they kept, else the first of
// the browser's Accept-Language header (RFC 9110, section 12.5.4) that we
// speak, else English.
func Match(acceptLanguage, kept string) string {
	if slices.Contains(Languages(), kept) {
		return kept
	}
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return English // a header that nobody can read asks for nothing
	}
	for _, tag := range wanted {
		base, _ := tag.Base()
		if slices.Contains(Languages(), strings.ToLower(base.String())) {
			return base.String()
		}
	}
	return English
}
