package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// browsers are the oldest that the bundle is made for: those with light-dark()
// and relative colours, on which Tabler 1.6 builds, and with the popover
// attribute, on which our menus build.
var browsers = []api.Engine{
	{Name: api.EngineChrome, Version: "123"},
	{Name: api.EngineFirefox, Version: "128"},
	{Name: api.EngineSafari, Version: "17.5"},
}

// file is one file of the bundle under its plain name.
type file struct {
	name    string
	content []byte
}

// bundleScript joins a module, or a style sheet, and all that it imports.
func bundleScript(place layout, entry string) ([]byte, error) {
	modules, err := filepath.Abs(place.modules)
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		EntryPoints:       []string{entry},
		NodePaths:         []string{modules},
		Bundle:            true,
		Format:            api.FormatESModule,
		Engines:           browsers,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsEndOfFile,
		LogLevel:          api.LogLevelSilent,
	})
	if err := firstError(entry, result.Errors); err != nil {
		return nil, err
	}
	return result.OutputFiles[0].Contents, nil
}

// bundleStyle joins Tabler, without what is not used, and our own style sheet.
func bundleStyle(place layout, used usage) ([]byte, error) {
	tabler, err := readStyle(filepath.Join(place.modules, "@tabler", "core", "dist", "css", "tabler.css"))
	if err != nil {
		return nil, err
	}
	own, err := readStyle(filepath.Join(place.src, "app.css"))
	if err != nil {
		return nil, err
	}
	sheet := append(dropUnused(tabler, used.words), own...)
	text := printStyle(dropIdle(sheet, used.words))
	result := api.Transform(text, api.TransformOptions{
		Loader:           api.LoaderCSS,
		Engines:          browsers,
		MinifyWhitespace: true,
		MinifySyntax:     true,
		Banner:           "/*! Tabler 1.6.1, MIT, (c) 2018-2026 The Tabler Authors, codecalm.net Pawel Kuna */",
	})
	return result.Code, firstError("app.css", result.Errors)
}

// readStyle reads a style sheet and takes it apart. It goes through esbuild
// first, which drops the comments and rejects what is not CSS.
func readStyle(path string) ([]rule, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w; run \"npm ci\" first", err)
	}
	if err != nil {
		return nil, err
	}
	result := api.Transform(string(text), api.TransformOptions{
		Loader:           api.LoaderCSS,
		Engines:          browsers,
		MinifyWhitespace: true,
		LegalComments:    api.LegalCommentsNone,
	})
	// A brace that is missing is but a warning.
	if err := firstError(path, append(result.Errors, result.Warnings...)); err != nil {
		return nil, err
	}
	return parseStyle(string(result.Code))
}

func firstError(what string, messages []api.Message) error {
	if len(messages) == 0 {
		return nil
	}
	m := messages[0]
	if m.Location == nil {
		return fmt.Errorf("%s: %s", what, m.Text)
	}
	return fmt.Errorf("%s:%d: %s", m.Location.File, m.Location.Line, m.Text)
}

// writeBundle empties dist and writes the files under hashed names, each with
// a compressed twin, and the manifest last.
func writeBundle(dist string, files []file) error {
	if err := emptyBundle(dist); err != nil {
		return err
	}
	manifest := map[string]string{}
	for _, f := range files {
		manifest[f.name] = hashedName(f)
		path := filepath.Join(dist, manifest[f.name])
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(path+".gz", gzipped(f.content), 0o644); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dist, "manifest.json"), append(text, '\n'), 0o644)
}

// emptyBundle removes all but the committed .gitignore.
func emptyBundle(dist string) error {
	entries, err := os.ReadDir(dist)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == ".gitignore" {
			continue
		}
		if err := os.Remove(filepath.Join(dist, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// hashedName puts ten hex digits of the content's SHA-256 before the suffix:
// forty bits, chosen to keep two versions of one file apart.
func hashedName(f file) string {
	sum := sha256.Sum256(f.content)
	ext := filepath.Ext(f.name)
	return strings.TrimSuffix(f.name, ext) + "-" + hex.EncodeToString(sum[:5]) + ext
}

// gzipped compresses as well as gzip can, without a time, so that the same
// content gives the same bytes.
func gzipped(content []byte) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // the level is valid
	_, _ = w.Write(content)                                 // a bytes.Buffer takes everything
	_ = w.Close()
	return buf.Bytes()
}
