package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestScanSources(t *testing.T) {
	web := t.TempDir()
	write(t, filepath.Join(web, "a.templ"), `<i class="btn-primary" data-menu>@Icon("mail")</i> @iconOr("x", "close")`)
	write(t, filepath.Join(web, "b", "b.go"), `b := Button{Icon: "plus"}; icon = "filled/star"; f("tone-busy", "--v-line") // a remark`)
	write(t, filepath.Join(web, "a_templ.go"), `"generated"`)
	write(t, filepath.Join(web, "a_test.go"), `Icon("bug")`)
	write(t, filepath.Join(web, "dist", "app.js"), `"bundled"`)
	used, err := scanSources(web)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("icons are found however they are written", func(t *testing.T) {
		if want := []string{"filled/star", "mail", "plus", "x"}; !slices.Equal(used.icons, want) {
			t.Errorf("got %v, want %v", used.icons, want)
		}
	})
	t.Run("words of templates and Go files are used, those of generated files and tests are not", func(t *testing.T) {
		for word, want := range map[string]bool{
			"btn-primary": true, "data-menu": true, "tone-busy": true, "--v-line": true, "generated": false, "remark": false, "bug": false, "bundled": false,
		} {
			if used.words[word] != want {
				t.Errorf("%q: %v", word, used.words[word])
			}
		}
	})
}

func TestBundleIcons(t *testing.T) {
	icons := t.TempDir()
	write(t, filepath.Join(icons, "outline", "x.svg"), "<!-- tags -->\n<svg\n width=\"24\">\n  <path stroke=\"none\" d=\"M0 0h24v24H0z\" fill=\"none\" />\n  <path d=\"M1 1\" />\n</svg>\n")
	t.Run("an icon becomes a symbol without its empty frame", func(t *testing.T) {
		sprite, err := bundleIcons(icons, []string{"x"})
		if err != nil {
			t.Fatal(err)
		}
		want := `<symbol id="x" viewBox="0 0 24 24"><path d="M1 1" /></symbol>`
		if !strings.Contains(string(sprite), want) {
			t.Errorf("got %s", sprite)
		}
	})
	t.Run("an icon that is not there is named in the error", func(t *testing.T) {
		_, err := bundleIcons(icons, []string{"mial"})
		if err == nil || !strings.Contains(err.Error(), `"mial"`) {
			t.Errorf("got %v", err)
		}
	})
}
