package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// usage is what our sources name.
type usage struct {
	words map[string]bool // may be class names, data attributes or custom properties
	icons []string        // names of Tabler's icons, sorted; "filled/…" for the filled ones
}

var (
	// A string ends on its line, save one in backquotes.
	anyString = regexp.MustCompile("\"[^\"\\n]*\"|`[^`]*`")
	anyWord   = regexp.MustCompile(`-{0,2}[A-Za-z_][\w-]*`)
	// Attributes stand outside of strings.
	anyAttribute = regexp.MustCompile(`\bdata-[\w-]+`)
	// anyIcon finds Icon("mail"), Icon: "mail", icon = "mail", withIcon("mail").
	anyIcon = regexp.MustCompile(`[iI]con\w*\s*(?:\(|:?=|:)\s*"((?:filled/)?[a-z0-9-]+)"`)
)

// scanSources reads all templates, Go files and scripts below web. Generated
// files repeat their templates and tests make no pages; both are left out.
func scanSources(web string) (usage, error) {
	used := usage{words: map[string]bool{}}
	icons := map[string]bool{}
	err := filepath.WalkDir(web, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "dist" {
			return fs.SkipDir
		}
		if entry.IsDir() || !isSource(entry.Name()) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, quoted := range anyString.FindAllString(string(text), -1) {
			for _, word := range anyWord.FindAllString(quoted, -1) {
				used.words[word] = true
			}
		}
		for _, name := range anyAttribute.FindAllString(string(text), -1) {
			used.words[name] = true
		}
		for _, m := range anyIcon.FindAllStringSubmatch(string(text), -1) {
			icons[m[1]] = true
		}
		return nil
	})
	used.icons = slices.Sorted(maps.Keys(icons))
	return used, err
}

func isSource(name string) bool {
	if strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
		return false
	}
	switch filepath.Ext(name) {
	case ".templ", ".go", ".js":
		return true
	}
	return false
}
