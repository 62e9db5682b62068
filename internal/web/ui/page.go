package ui

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/web/assets"
)

// ContentSecurityPolicy is what every page is sent with (Content Security
// Policy Level 3). Images and drawings come from us or stand in the page as
// data; nothing else is loaded from anywhere.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; " +
	"frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// PreferencesPath takes the forms of the language and the theme switch by POST:
// the field "lang" or "theme", and "back", the path to return to.
const PreferencesPath = "/preferences"

// ThemeCookie is the name of the cookie that keeps a Theme for a year. The
// theme switch sets it in the browser too, so it must be readable by scripts.
const ThemeCookie = "theme"

// AdminPath leads to the first of the admin pages that a person may see. Who may see
// any of them may see the list of users.
const AdminPath = "/admin"

// Theme is how a person wants the pages to look.
type Theme string

// The themes. The zero Theme is ThemeAuto.
const (
	ThemeAuto  Theme = "auto" // as the device does
	ThemeLight Theme = "light"
	ThemeDark  Theme = "dark"
)

// themes are the choices of the menu, each with its drawing.
var themes = []struct {
	Theme
	label string
	icon  string
}{
	{Theme: ThemeAuto, label: "ui.theme_auto", icon: "device-desktop"},
	{Theme: ThemeLight, label: "ui.theme_light", icon: "sun"},
	{Theme: ThemeDark, label: "ui.theme_dark", icon: "moon"},
}

// ParseTheme reads a theme from a cookie or a form; all else is ThemeAuto.
func ParseTheme(text string) Theme {
	switch t := Theme(text); t {
	case ThemeLight, ThemeDark:
		return t
	}
	return ThemeAuto
}

// Person is who is signed in, as far as the frame of a page shows it.
type Person struct {
	Name   string
	Email  string
	Role   mailing.Role
	Avatar string // path of the picture; empty: none
}

// face is the person's.
func (p Person) face() Face { return Face{Name: p.Name, Email: p.Email, Path: p.Avatar} }

// Tone says how good or bad something is. It picks a colour and an icon; the
// text beside it must say the same.
type Tone uint8

// The tones.
const (
	Neutral Tone = iota // not begun, switched off
	Busy                // going on now
	Success
	Warning
	Danger
)

// Flash is a message about what has just been done. It stays until somebody dismisses it or
// leaves the page.
type Flash struct {
	Tone Tone
	Text string
	Undo string // where to post to so that it is taken back; empty: it cannot be
	Back string // the page to come back to then
}

// Alarm is what a person has to look after, on whatever page they are.
type Alarm struct {
	Text string
	Link string // words of the link to where it is looked after
	Path string
}

// Page is what the frame of a page needs. It is made for every request.
type Page struct {
	*i18n.Printer         // language and zone of the person; its methods are the page's
	Title         string  // without the name of the product
	Person        *Person // nil when nobody is signed in
	Theme         Theme
	Path          string    // path and query of this page; marks its entry in the menu
	Now           time.Time // to which relative times are counted
	Flashes       []Flash
	Alarms        []Alarm
	Demo          bool            // mails are kept in the demo mailbox, which this person may read
	Version       string          // of this program, for the footer
	Scripts       []string        // further bundles, such as "editor.js" from src/pages
	Hold          mailing.Hold    // of the database; shown to who is signed in
	Erasure       time.Time       // when the person's account is to be erased; zero: it is not
	Sections      []Tab           // of the admin pages, on one of them
	Head          templ.Component // more for the <head>; may be nil
}

// NavItem is one entry of the menu.
type NavItem struct {
	Path  string
	Label string
	Icon  string
}

// navigation is the menu of a person. Entries for others' things are there only
// for those who may see them.
func (p Page) navigation() []NavItem {
	items := []NavItem{
		{Path: "/", Label: p.T("nav.home"), Icon: "home"},
		{Path: "/mailings", Label: p.T("nav.mailings"), Icon: "send"},
		{Path: "/messages", Label: p.T("nav.messages"), Icon: "mail"},
		{Path: "/clients", Label: p.T("nav.clients"), Icon: "address-book"},
		{Path: "/logs", Label: p.T("nav.logs"), Icon: "list-details"},
		{Path: "/blog", Label: p.T("nav.blog"), Icon: "news"},
	}
	items = append(items, NavItem{Path: "/docs", Label: p.T("nav.docs"), Icon: "help"})
	if p.Person.Role.May(mailing.ViewUsers) {
		items = append(items, NavItem{Path: AdminPath, Label: p.T("nav.admin"), Icon: "settings"})
	}
	if p.Demo {
		items = append(items, NavItem{Path: "/demo", Label: p.T("nav.demo"), Icon: "inbox"})
	}
	return items
}

// current reports whether the page is at path or, save for "/", below it. Some of the
// admin pages are elsewhere.
func (p Page) current(path string) bool {
	if path == AdminPath && len(p.Sections) > 0 {
		return true
	}
	here, _, _ := strings.Cut(p.Path, "?")
	return here == path || path != "/" && strings.HasPrefix(here, path+"/")
}

// colorMode is Bootstrap's attribute; "auto" matches none of its rules, and the
// browser then decides (color-scheme: light dark).
func (p Page) colorMode() string {
	if p.Theme == "" {
		return string(ThemeAuto)
	}
	return string(p.Theme)
}

// scripts are the paths of the bundles to load; none in a build without them.
func (p Page) scripts() []string {
	var paths []string
	for _, name := range append([]string{"app.js"}, p.Scripts...) {
		if path := assets.URL(name); path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}
