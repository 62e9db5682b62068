package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	iconBody = regexp.MustCompile(`(?s)^.*?<svg[^>]*>(.*)</svg>\s*$`)
	emptyBox = regexp.MustCompile(`\s*<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>`)
	spaces   = regexp.MustCompile(`\s*\n\s*`)
)

// bundleIcons makes one SVG file with a symbol for each icon, drawn 24 by 24.
// Line and fill come from the style of the page (class "icon").
func bundleIcons(folder string, names []string) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, name := range names {
		body, err := readIcon(folder, name)
		if err != nil {
			return nil, err
		}
		id := strings.ReplaceAll(name, "/", "-")
		fmt.Fprintf(&out, `<symbol id="%s" viewBox="0 0 24 24">%s</symbol>`, id, body)
	}
	out.WriteString("</svg>\n")
	return out.Bytes(), nil
}

// readIcon returns what stands inside of the <svg> of one icon.
func readIcon(folder, name string) (string, error) {
	path := filepath.Join(folder, "outline", name+".svg")
	if filled, ok := strings.CutPrefix(name, "filled/"); ok {
		path = filepath.Join(folder, "filled", filled+".svg")
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("icon %q is used in internal/web but Tabler has none of that name", name)
	}
	if err != nil {
		return "", err
	}
	parts := iconBody.FindStringSubmatch(string(text))
	if parts == nil {
		return "", fmt.Errorf("icon %q: %s is not an SVG drawing", name, path)
	}
	body := emptyBox.ReplaceAllString(parts[1], "")
	return strings.TrimSpace(spaces.ReplaceAllString(body, " ")), nil
}
