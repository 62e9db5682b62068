package web_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A selector is a part of CSS: compounds of a tag, #id, .class, [name],
// [name=value] (in quotes or not), [name^=beginning] and :has-text(words), put
// inside of each other by spaces, with alternatives after commas:
//
//	form[action="/login"] input[name=email], a.btn:has-text(Войти)
//
// A comma, a space or a bracket in a value is not understood, save for spaces in
// quotes.

var (
	simple = regexp.MustCompile(`^(?:([a-z][a-z0-9-]*)|#([\w-]+)|\.([\w-]+)|\[([\w-]+)(?:(\^?=)"?([^"\]]*)"?)?\]|:has-text\(([^)]*)\))`)
	parts  = regexp.MustCompile(`(?:\[[^\]]*\]|\([^)]*\)|[^\s\[(])+`)
)

// selectAll returns the elements below root that the selector matches, in
// document order, and fails for a selector that it does not understand.
func selectAll(t *testing.T, root *html.Node, selector string) []*html.Node {
	t.Helper()
	var alternatives [][]func(*html.Node) bool
	for _, alternative := range strings.Split(selector, ",") {
		var path []func(*html.Node) bool
		for _, compound := range parts.FindAllString(alternative, -1) {
			path = append(path, compile(t, compound))
		}
		if len(path) == 0 {
			t.Fatalf("the selector %q has an empty alternative", selector)
		}
		alternatives = append(alternatives, path)
	}
	var found []*html.Node
	for n := range root.Descendants() {
		for _, path := range alternatives {
			if n.Type == html.ElementNode && matches(n, path) {
				found = append(found, n)
				break
			}
		}
	}
	return found
}

// matches reports whether n is what the path ends with, inside of the rest.
func matches(n *html.Node, path []func(*html.Node) bool) bool {
	last := len(path) - 1
	if !path[last](n) {
		return false
	}
	for outer := n.Parent; last > 0 && outer != nil; outer = outer.Parent {
		if outer.Type == html.ElementNode && path[last-1](outer) {
			last--
		}
	}
	return last == 0
}

func compile(t *testing.T, compound string) func(*html.Node) bool {
	t.Helper()
	var tests []func(*html.Node) bool
	for rest := compound; rest != ""; {
		m := simple.FindStringSubmatch(rest)
		if m == nil {
			t.Fatalf("the selector %q is not understood at %q", compound, rest)
		}
		rest = rest[len(m[0]):]
		tests = append(tests, func(n *html.Node) bool { return holds(n, m) })
	}
	return func(n *html.Node) bool {
		for _, test := range tests {
			if !test(n) {
				return false
			}
		}
		return true
	}
}

// holds reports whether what simple has found is true of n.
func holds(n *html.Node, m []string) bool {
	tag, id, class, name, operator, value, words := m[1], m[2], m[3], m[4], m[5], m[6], m[7]
	switch {
	case tag != "":
		return n.Data == tag
	case id != "":
		return attribute(n, "id") == id
	case class != "":
		return strings.Contains(" "+strings.Join(strings.Fields(attribute(n, "class")), " ")+" ", " "+class+" ")
	case name != "" && operator == "^=":
		return strings.HasPrefix(attribute(n, name), value)
	case name != "" && operator == "=":
		return has(n, name) && attribute(n, name) == value
	case name != "":
		return has(n, name)
	}
	return strings.Contains(textOf(n), words)
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// attribute returns an attribute; empty when there is none.
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf returns the text of an element, with runs of spaces as one.
func textOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
			out.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// fieldsOf returns what a form would send as it stands, without its buttons.
// Fields that stand elsewhere and name the form are left out.
func fieldsOf(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		name := attribute(n, "name")
		if n.Type != html.ElementNode || name == "" || has(n, "disabled") {
			continue
		}
		switch n.Data {
		case "input":
			kind := attribute(n, "type")
			if (kind == "checkbox" || kind == "radio") && !has(n, "checked") || kind == "submit" || kind == "file" {
				continue
			}
			value := attribute(n, "value")
			if kind == "checkbox" && !has(n, "value") {
				value = "on"
			}
			values.Add(name, value)
		case "textarea":
			if n.FirstChild != nil {
				values.Add(name, n.FirstChild.Data)
			} else {
				values.Add(name, "")
			}
		case "select":
			values.Add(name, chosen(n))
		}
	}
	return values
}

// chosen is the value of a select: that of the selected option, or of the first.
func chosen(list *html.Node) string {
	value, seen := "", false
	for n := range list.Descendants() {
		if n.Type != html.ElementNode || n.Data != "option" {
			continue
		}
		if !seen || has(n, "selected") {
			value, seen = attribute(n, "value"), true
		}
		if has(n, "selected") {
			break
		}
	}
	return value
}

func TestSelector(t *testing.T) {
	doc, err := html.Parse(strings.NewReader(`<form id="f" class="a b"><p class="b">one <a href="/x/1">Войти</a></p>
<input type="checkbox" name="agree" checked><select name="day"><option value="1">Mon<option value="2" selected>Tue</select></form>
<p class="b">two</p>`))
	if err != nil {
		t.Fatal(err)
	}
	for selector, want := range map[string]int{
		"p": 2, ".b": 3, "form .b": 1, "#f.a": 1, "#f a[href^=/x/]": 1, `[name="agree"]`: 1, "[name=other]": 0,
		"p:has-text(two)": 1, "a, select": 2, "form form": 0, "form p a": 1, "body form p": 1,
	} {
		t.Run(selector+" finds what CSS says", func(t *testing.T) {
			if got := len(selectAll(t, doc, selector)); got != want {
				t.Errorf("it finds %d elements, want %d", got, want)
			}
		})
	}
	t.Run("a form sends what is checked and chosen", func(t *testing.T) {
		got := fieldsOf(selectAll(t, doc, "form")[0])
		if got.Encode() != "agree=on&day=2" {
			t.Errorf("it sends %s", got.Encode())
		}
	})
}
