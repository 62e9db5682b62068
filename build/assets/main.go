// Command assets makes the front-end bundle of Vestnik: one style sheet (Tabler
// without what no page uses, then our own), one script (our modules and htmx),
// one SVG sprite of the icons that are used, and a manifest that says under
// which hashed name each of them is found.
//
// It reads node_modules (run "npm ci" first) and internal/web, and writes
// internal/web/assets/dist. Run it from the root of the repository:
//
//	go run ./build/assets
//
// What counts as used is what stands as a whole word in a string of a .templ,
// .go or .js file below internal/web. Write class names out; one that is glued
// together at run time ("badge-"+kind) is not seen and its style is dropped.
//
// A file src/pages/NAME.js or src/pages/NAME.css becomes a bundle of its own,
// for a page that needs more than the others.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", ".", "root of the repository")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "assets:", err)
		os.Exit(1)
	}
}

// run builds everything below root and reports the sizes on standard output.
func run(root string) error {
	place := layoutOf(root)
	used, err := scanSources(place.web)
	if err != nil {
		return err
	}
	files, err := bundle(place, used)
	if err != nil {
		return err
	}
	if err := writeBundle(place.dist, files); err != nil {
		return err
	}
	for _, f := range files {
		fmt.Printf("%-12s %7d bytes, %6d compressed\n", f.name, len(f.content), len(gzipped(f.content)))
	}
	return nil
}

// layout is where things are in the repository.
type layout struct {
	web     string // pages and templates, scanned for class names and icons
	src     string // our style sheets and modules
	dist    string // the bundle
	modules string // node_modules
}

func layoutOf(root string) layout {
	assets := filepath.Join(root, "internal", "web", "assets")
	return layout{
		web:     filepath.Join(root, "internal", "web"),
		src:     filepath.Join(assets, "src"),
		dist:    filepath.Join(assets, "dist"),
		modules: filepath.Join(root, "node_modules"),
	}
}

// bundle makes all files of the bundle, not yet hashed, in a fixed order.
func bundle(place layout, used usage) ([]file, error) {
	css, err := bundleStyle(place, used)
	if err != nil {
		return nil, err
	}
	js, err := bundleScript(place, filepath.Join(place.src, "app.js"))
	if err != nil {
		return nil, err
	}
	sprite, err := bundleIcons(filepath.Join(place.modules, "@tabler", "icons", "icons"), used.icons)
	if err != nil {
		return nil, err
	}
	favicon, err := os.ReadFile(filepath.Join(place.src, "favicon.svg"))
	if err != nil {
		return nil, err
	}
	files := []file{{"app.css", css}, {"app.js", js}, {"icons.svg", sprite}, {"favicon.svg", favicon}}
	extra, err := bundlePages(place)
	return append(files, extra...), err
}

// bundlePages makes the bundles of single pages. A style sheet of a page is
// taken as it is; nothing is dropped from it.
func bundlePages(place layout) ([]file, error) {
	entries, err := filepath.Glob(filepath.Join(place.src, "pages", "*.*s"))
	if err != nil {
		return nil, err
	}
	var files []file
	for _, entry := range entries {
		content, err := bundleScript(place, entry)
		if err != nil {
			return nil, err
		}
		files = append(files, file{filepath.Base(entry), content})
	}
	return files, nil
}
