package ui

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"vestnik/internal/mailing"
)

// find returns the first element of a name with an attribute of a value.
func find(t *testing.T, c templ.Component, name, key, value string) *html.Node {
	t.Helper()
	all := elements(t, c)
	i := slices.IndexFunc(all, func(n *html.Node) bool { return n.Data == name && attr(n, key) == value })
	if i < 0 {
		t.Fatalf("there is no <%s %s=%q>", name, key, value)
	}
	return all[i]
}

func TestFields(t *testing.T) {
	broken := Field{Name: "email", Label: "E-mail", Value: `an"na@`, Hint: "hint", Error: "wrong", Required: true, MaxLength: 254}
	t.Run("a field keeps what was typed and says what is wrong with it", func(t *testing.T) {
		n := find(t, EmailField(broken), "input", "name", "email")
		for key, want := range map[string]string{
			"value": `an"na@`, "aria-invalid": "true", "maxlength": "254",
			"aria-describedby": "field-email-error field-email-hint",
		} {
			if got := attr(n, key); got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
	})
	t.Run("a field that is in order is not marked", func(t *testing.T) {
		n := find(t, TextField(Field{Name: "a", Label: "A"}), "input", "name", "a")
		for _, a := range n.Attr {
			if slices.Contains([]string{"required", "disabled", "readonly", "aria-invalid", "aria-describedby"}, a.Key) {
				t.Errorf("it has %s", a.Key)
			}
		}
	})
	t.Run("a password is never written into the page", func(t *testing.T) {
		n := find(t, PasswordField(pageIn(t, "en"), Field{Name: "p", Label: "P", Value: "secret"}), "input", "name", "p")
		if got := attr(n, "value"); got != "" {
			t.Errorf("value is %q", got)
		}
	})
	t.Run("text of several lines is kept and cannot break out", func(t *testing.T) {
		n := find(t, TextArea(Field{Name: "t", Label: "T", Value: "a\n</textarea><b>"}, 3), "textarea", "name", "t")
		if got := text(n); got != "a\n</textarea><b>" {
			t.Errorf("text is %q", got)
		}
	})
	t.Run("the chosen option is selected", func(t *testing.T) {
		all := elements(t, Select(Field{Name: "s", Label: "S", Value: "2"}, Option{Value: "1", Label: "one"}, Option{Value: "2", Label: "two"}))
		for _, o := range all {
			has := slices.ContainsFunc(o.Attr, func(a html.Attribute) bool { return a.Key == "selected" })
			if o.Data == "option" && has != (attr(o, "value") == "2") {
				t.Errorf("option %q selected: %v", attr(o, "value"), has)
			}
		}
	})
}

func TestLayout(t *testing.T) {
	t.Run("the entry of the page is the current one", func(t *testing.T) {
		all := elements(t, Layout(pageIn(t, "ru")))
		var current []string
		for _, n := range all {
			if attr(n, "aria-current") == "page" {
				current = append(current, attr(n, "href"))
			}
		}
		if !slices.Equal(current, []string{"/mailings"}) {
			t.Errorf("current: %v", current)
		}
	})
	for role, sees := range map[mailing.Role]bool{mailing.RoleUser: false, mailing.RoleManager: true, mailing.RoleAdmin: true} {
		t.Run("the admin pages are in the menu of those who may see any: "+string(role), func(t *testing.T) {
			p := pageIn(t, "ru")
			p.Person.Role = role
			has := slices.ContainsFunc(p.navigation(), func(i NavItem) bool { return i.Path == AdminPath })
			if has != sees {
				t.Errorf("it is there: %v", has)
			}
		})
	}
	t.Run("without a person there is no menu and no way to sign out", func(t *testing.T) {
		p := pageIn(t, "en")
		p.Person = nil
		for _, n := range elements(t, Layout(p)) {
			if attr(n, "action") == "/logout" || attr(n, "id") == "sidebar" {
				t.Errorf("there is <%s>", n.Data)
			}
		}
	})
	t.Run("an unknown theme is that of the device", func(t *testing.T) {
		if got := ParseTheme(`dark" onload="x`); got != ThemeAuto {
			t.Errorf("got %q", got)
		}
	})
}

func TestList(t *testing.T) {
	query := url.Values{"q": {"анна"}, "status": {"running"}, "sort": {"name"}, "page": {"3"}}
	list := List{Path: "/mailings", Query: query, PerPage: 50, Total: 10_000}
	params := func(t *testing.T, address string) url.Values {
		t.Helper()
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u.Query()
	}
	t.Run("paging keeps search, filter and order", func(t *testing.T) {
		got := params(t, list.PageURL(4))
		if got.Get("page") != "4" || got.Get("q") != "анна" || got.Get("status") != "running" || got.Get("sort") != "name" {
			t.Errorf("%v", got)
		}
	})
	t.Run("another order or filter starts at the first page", func(t *testing.T) {
		for _, address := range []string{list.SortURL("created"), list.FilterURL("status", "")} {
			if params(t, address).Has("page") {
				t.Error(address)
			}
		}
	})
	t.Run("a column sorts up, then down, then not at all", func(t *testing.T) {
		l := List{Path: "/x", Query: url.Values{}}
		for _, want := range []string{"name", "-name", ""} {
			l.Query = params(t, l.SortURL("name"))
			if got := l.Query.Get("sort"); got != want {
				t.Fatalf("sort is %q, want %q", got, want)
			}
		}
	})
	t.Run("the query that came in is not changed", func(t *testing.T) {
		if query.Get("page") != "3" || query.Get("sort") != "name" {
			t.Errorf("%v", query)
		}
	})
	for page, want := range map[string]int{"": 1, "0": 1, "-4": 1, "x": 1, "7": 7, "200": 200, "201": 200, "99999999999999999999": 1} {
		t.Run("page "+page+" is within the list", func(t *testing.T) {
			l := List{Query: url.Values{"page": {page}}, PerPage: 50, Total: 10_000}
			if got := l.Page(); got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		})
	}
	t.Run("the pager says what is shown", func(t *testing.T) {
		n := find(t, Pager(pageIn(t, "en"), list), "span", "class", "pager-range")
		if got := text(n); got != "101–150 of 10,000" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a sorted column says so", func(t *testing.T) {
		table := Table{List: list, Columns: []Column{{Title: "Name", Key: "name"}, {Title: "Other", Key: "other"}}}
		n := find(t, Rows(pageIn(t, "en"), table), "th", "aria-sort", "ascending")
		if !strings.Contains(text(n), "Name") {
			t.Errorf("it is %q", text(n))
		}
	})
}
