package main

import (
	"strings"
	"testing"
)

// cleaned runs a style sheet through what bundleStyle does between reading and
// printing, with words as all that our sources name.
func cleaned(t *testing.T, css string, words ...string) string {
	t.Helper()
	rules, err := parseStyle(css)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, w := range words {
		used[w] = true
	}
	return strings.ReplaceAll(printStyle(dropIdle(dropUnused(rules, used), used)), "\n", "")
}

func TestDropUnused(t *testing.T) {
	cases := []struct {
		name, css, want string
		words           []string
	}{
		{"a class that is used stays", ".btn{color:red}", ".btn{color:red}", []string{"btn"}},
		{"a class that is not used goes", ".btn{color:red}", "", nil},
		{"all classes of a selector must be used", ".card .btn{color:red}", "", []string{"btn"}},
		{"one selector of several goes alone", ".a,.b,p{color:red}", ".b,p{color:red}", []string{"b"}},
		{"what stands in :not() does not count", "p:not(.x:where(.y)){color:red}", "p:not(.x:where(.y)){color:red}", nil},
		{"a comma in brackets does not split", ":is(.a,.b) p{color:red}", ":is(.a,.b) p{color:red}", nil},
		{"a media query without rules goes", "@media print{.a{color:red}}", "", nil},
		{"a media query with a rule stays", "@media print{.a{color:red}.b{top:0}}", "@media print{.b{top:0}}", []string{"b"}},
		{"an escaped class is compared without its escapes", `.w-50\%{top:0}`, "", nil},
		{"an unused data attribute goes", "[data-theme=dark] p{top:0}", "", nil},
		{"braces and semicolons in a string end nothing", `p{content:"};{"}q{top:0}`, `p{content:"};{"}q{top:0}`, nil},
		{"a semicolon in url() ends nothing", "p{background:url(data:image/svg+xml;x)}", "p{background:url(data:image/svg+xml;x)}", nil},
		{"an at-rule without a block stays", `@charset "UTF-8";p{top:0}`, `@charset "UTF-8";p{top:0}`, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := cleaned(t, c.css, c.words...); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestDropIdle(t *testing.T) {
	cases := []struct{ name, css, want string }{
		{"a variable that nothing reads goes", ":root{--a:1;top:0}", ":root{top:0}"},
		{"a variable that is read stays", ":root{--a:1}p{top:var(--a)}", ":root{--a:1}p{top:var(--a)}"},
		{"a variable that only an idle one reads goes too", ":root{--a:1;--b:var(--a)}", ""},
		{"keyframes that are played stay", "@keyframes spin{to{top:0}}p{animation:spin 1s}", "@keyframes spin{to{top:0}}p{animation:spin 1s}"},
		{"keyframes that nothing plays go", "@keyframes spin{to{top:0}}", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := cleaned(t, c.css); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestParseStyle(t *testing.T) {
	for _, css := range []string{"p{top:0", "p", "@media print{p{top:0}"} {
		t.Run("a style sheet that breaks off is refused: "+css, func(t *testing.T) {
			if rules, err := parseStyle(css); err == nil {
				t.Errorf("got %v", rules)
			}
		})
	}
}
