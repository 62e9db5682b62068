package web_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"vestnik/internal/mailing"
)

// bound are fields that a browser would complain of in its own language and its own bubble.
const bound = "[required], [type=email], [type=number], [type=date], [type=time], [type=url], [pattern], [min], [max], [minlength]"

func TestFormsSpeakForThemselves(t *testing.T) {
	h := newAccessHarness(t)
	w := newAccessWorld(h)
	forms, refused := 0, 0
	w.walk(t, h.web.Routes(), func(s stop) {
		p := s.client.get(s.path)
		for _, field := range p.find("form " + strings.ReplaceAll(bound, ", ", ", form ")) {
			form := formOf(field)
			forms++
			if attribute(form, "method") == "post" && !hasAttribute(form, "novalidate") {
				t.Errorf("%s: the browser speaks for the form to %s, field %s", s.name, attribute(form, "action"), attribute(field, "name"))
			}
		}
		if s.empty && sentEmpty(t, s, p) {
			refused++
		}
	})
	if forms < 50 || refused < 10 {
		t.Errorf("only %d fields were seen, and %d forms refused", forms, refused)
	}
}

// sentEmpty sends the form that the page is for with nothing in it, and looks for an error
// at every text that it requires, which the field names as its description.
func sentEmpty(t *testing.T, s stop, p *page) bool {
	t.Helper()
	action := strings.Split(s.path, "?")[0]
	complained := false
	for _, form := range p.find(`main form[action="` + action + `"]`) {
		values, names := fieldsOf(form), []string{}
		for _, field := range selectAll(t, form, "[required]") {
			if kind := attribute(field, "type"); field.Data != "select" && kind != "radio" && kind != "checkbox" {
				names = append(names, attribute(field, "name"))
				values.Set(attribute(field, "name"), "")
			}
		}
		if len(names) == 0 {
			continue
		}
		answer := s.client.post(action, values)
		if answer.status == http.StatusSeeOther && strings.Contains(answer.location(), "/mailings/") {
			continue // a draft is kept as it is, and its review says what it lacks; who disables their own needs no reason
		}
		if answer.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: an empty form is answered with %d", s.name, answer.status)
		}
		complained = true
		for _, way := range answer.find(".fault-list a") {
			if len(answer.find(attribute(way, "href"))) != 1 {
				t.Errorf("%s: a fault leads to %s, where nothing is", s.name, attribute(way, "href"))
			}
		}
		for _, name := range names {
			// What a password is typed for a second time is compared once there is one.
			if name != "again" && !complains(answer, name) {
				t.Errorf("%s: nothing is said of the empty field %s", s.name, name)
			}
		}
	}
	return complained
}

// complains reports whether the field is said to be wrong, and names the words that say so.
func complains(p *page, name string) bool {
	for _, field := range p.find("main [name=" + name + "][aria-invalid=true]") {
		id, _, _ := strings.Cut(attribute(field, "aria-describedby"), " ")
		if len(p.find("#"+id+".field-error")) == 1 {
			return true
		}
	}
	return false
}

func formOf(n *html.Node) *html.Node {
	for n.Data != "form" {
		n = n.Parent
	}
	return n
}

func hasAttribute(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func TestWhereAFormIsBegun(t *testing.T) {
	h := newHarness(t)
	h.account("anna@example.org", mailing.RoleUser)
	c := h.visitor()
	begun := func(p *page) string { return p.attr("[autofocus]", "name") }
	claim := func(p *page, want string) {
		t.Helper()
		if got := begun(p); got != want {
			t.Errorf("%s begins in %s, want %s", p.path, got, want)
		}
	}
	claim(c.get("/login"), "email")
	claim(c.get("/login?email=anna@example.org"), "password")
	claim(c.get("/register"), "first_name")
	claim(c.get("/reset"), "email")
	login := c.get("/login")
	claim(c.submit(login, "main form", map[string][]string{"email": {"anna@example.org"}, "password": {"not this one"}}), "password")
	claim(c.submit(login, "main form", map[string][]string{"email": {""}, "password": {"not this one"}}), "email")
	register := c.get("/register")
	claim(c.submit(register, "main form", map[string][]string{"first_name": {"Eve"}, "email": {"eve@example.org"}, "password": {"short"}, "again": {"short"}}), "password")
	claim(c.submit(register, "main form", map[string][]string{"first_name": {"Eve"}, "email": {"eve"}}), "email")
}
