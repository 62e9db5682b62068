package web

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// demoPerPage is how many mails a page of the demo mailbox lists; chosen.
const demoPerPage = 50

// demoPolicy is what a kept mail is shown with: its own styles, the pictures within it and
// those that we keep, no script, no form, nothing from another host, only in our frame. A
// link that is clicked opens a tab of its own, as in any mailbox.
func demoPolicy(base string) string {
	return "default-src 'none'; style-src 'unsafe-inline'; img-src data: " + base + picturePrefix + "; font-src data:; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox " + demoSandbox
}

const demoSandbox = "allow-popups allow-popups-to-escape-sandbox"

// mailHead is where a mail says what holds for all of it.
var mailHead = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)

// linksInTabs has the links of a mail open tabs of their own.
func linksInTabs(html string) string {
	const target = `<base target="_blank">`
	if at := mailHead.FindStringIndex(html); at != nil {
		return html[:at[1]] + target + html[at[1]:]
	}
	return target + html
}

func (w *Web) demoRoutes() []Route {
	return []Route{
		{Pattern: "GET /demo", Access: Everybody, Serve: listDemoMails},
		{Pattern: "GET /demo/{id}", Access: Everybody, Serve: showDemoMail},
		{Pattern: "GET /demo/{id}/html", Access: Everybody, Serve: showDemoHTML},
		{Pattern: "GET /demo/{id}/source", Access: Everybody, Serve: downloadDemoSource},
	}
}

func listDemoMails(r *request) error {
	list, page := r.list("/demo", demoPerPage)
	mails, total, err := r.App.DemoMails(r.in.Context(), r.actor, r.demoReader(), page)
	if err != nil {
		return r.demoClosed(err)
	}
	if r.field(newestParam) != "" && len(mails) > 0 {
		r.redirect(fmt.Sprintf("/demo/%d", mails[0].ID))
		return nil
	}
	list.Total = int(total)
	examples, err := r.exampleState()
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, demoPage(r.page(r.T("demo.title")), list, mails, demoNotes{examples, r.App.DemoKeep, !r.Demo()}))
}

// newestParam opens the newest mail that is found, in place of the list.
const newestParam = "newest"

// demoMail is the way to a mail that a run has left in the demo mailbox; empty: there is none
// to be read.
func (v runPage) demoMail(p ui.Page) string {
	for _, a := range v.Answers {
		if p.Demo && a.Result == mailing.AttemptAccepted {
			return "/demo?" + query("q", a.Email) + "&" + query(newestParam, "yes")
		}
	}
	return ""
}

// demoClosed says in words why somebody finds nothing, who followed the address of the mailbox
// or of a mail in it that they may not read. A stranger is told no more than that mails leave.
func (r *request) demoClosed(err error) error {
	stranger := r.actor.ID == 0
	if mailing.KindOf(err) != mailing.NotFound || app.MayReadDemo(r.actor, r.demoReader()) || stranger && r.Demo() {
		return err
	}
	return r.render(http.StatusNotFound, demoClosedPage(r.page(r.T("demo.title")), r.closedWords()))
}

// closedWords say that the mailbox is closed, and what to look at instead.
func (r *request) closedWords() demoClosedWords {
	logs := ui.Button{Look: ui.Primary, Label: r.T("nav.logs"), Path: "/logs"}
	switch {
	case r.Demo():
		return demoClosedWords{ui.Empty{Title: r.T("demo.others"), Text: r.T("demo.others_text")}, logs}
	case r.actor.ID == 0:
		enter := ui.Button{Look: ui.Primary, Label: r.T("action.sign_in"), Path: "/login"}
		return demoClosedWords{ui.Empty{Title: r.T("demo.gone"), Text: r.T("demo.gone_stranger")}, enter}
	}
	return demoClosedWords{ui.Empty{Title: r.T("demo.gone"), Text: r.T("demo.gone_text")}, logs}
}

// demoClosedWords are what the page of a closed mailbox says.
type demoClosedWords struct {
	ui.Empty
	instead ui.Button
}

// demoNotes are what the page of the demo mailbox says besides.
type demoNotes struct {
	exampleState
	keep int  // how many mails it keeps
	left bool // mails leave now, and none is added
}

// lead is what the page says first.
func (n demoNotes) lead(p ui.Page) string {
	if n.left {
		return p.T("demo.lead_left")
	}
	return p.T("demo.lead")
}

// none is what stands in the place of mails that are not there.
func (n demoNotes) none(p ui.Page) ui.Empty {
	if n.left {
		return ui.Empty{Icon: "inbox", Title: p.T("demo.none_left"), Text: p.T("demo.none_left_text")}
	}
	return ui.Empty{Icon: "inbox", Title: p.T("demo.none"), Text: p.T("demo.none_text")}
}

// full reports whether the list, when it shows all there is, is of a mailbox that has dropped
// its oldest mails.
func (n demoNotes) full(list ui.List) bool {
	return n.keep > 0 && list.Search() == "" && list.Total >= n.keep
}

// lookAgain has the list renewed by itself while mails are expected.
func lookAgain(expected bool) templ.Attributes {
	if !expected {
		return nil
	}
	return templ.Attributes{"hx-get": "/demo", "hx-trigger": "every 2s", "hx-select": "#mails", "hx-swap": "outerHTML"}
}

// demoView is a kept mail as its page shows it.
type demoView struct {
	app.DemoMail
	view        string // "html", "text" or "source"
	links       []demoLink
	unsubscribe string // the link that mail programs make a button of; empty: none
}

// demoLink is a link in a mail. In its frame it could not be followed.
type demoLink struct{ text, path string }

func (r *request) demoMail() (app.DemoMail, error) {
	id, err := r.id("id")
	if err != nil {
		return app.DemoMail{}, err
	}
	return r.App.DemoMail(r.in.Context(), r.actor, r.demoReader(), id)
}

func showDemoMail(r *request) error {
	m, err := r.demoMail()
	if err != nil {
		return r.demoClosed(err)
	}
	v := demoView{DemoMail: m, view: r.field("view"), links: linksIn(m.Parsed.HTML)}
	if !slices.Contains([]string{"html", "text", "source"}, v.view) {
		v.view = "html"
	}
	if v.view == "html" && m.Parsed.HTML == "" {
		v.view = "text"
	}
	for _, h := range m.Parsed.Headers {
		if strings.EqualFold(h.Name, "List-Unsubscribe") {
			v.unsubscribe = webLinkIn(h.Value)
		}
	}
	title := m.Parsed.Subject
	if title == "" {
		title = r.T("demo.no_subject")
	}
	return r.render(http.StatusOK, demoMailPage(r.page(title), v))
}

// webLinkIn returns the first address for a browser of a List-Unsubscribe field,
// which lists addresses in angle brackets (RFC 2369, section 2).
func webLinkIn(field string) string {
	for _, part := range strings.Split(field, ",") {
		link := strings.Trim(strings.TrimSpace(part), "<>")
		if isWebLink(link) {
			return link
		}
	}
	return ""
}

func isWebLink(link string) bool {
	u, err := url.Parse(link)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// linksIn lists the links of a mail that lead to web pages, each address once.
func linksIn(source string) []demoLink {
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return nil // nothing of it can be read
	}
	var links []demoLink
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "a" {
			continue
		}
		for _, a := range n.Attr {
			known := slices.ContainsFunc(links, func(l demoLink) bool { return l.path == a.Val })
			if a.Key == "href" && isWebLink(a.Val) && !known {
				links = append(links, demoLink{text: wordsIn(n), path: a.Val})
			}
		}
	}
	return links
}

func wordsIn(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// showDemoHTML is what the frame on the page of a mail holds.
func showDemoHTML(r *request) error {
	m, err := r.demoMail()
	if err != nil {
		return err
	}
	h := r.out.Header()
	h.Set("Content-Security-Policy", demoPolicy(r.App.BaseURL))
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, err = io.WriteString(r.out, linksInTabs(m.Parsed.HTML))
	return err
}

// downloadDemoSource gives the mail as it would have left.
func downloadDemoSource(r *request) error {
	m, err := r.demoMail()
	if err != nil {
		return err
	}
	h := r.out.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", fmt.Sprintf("mail-%d.eml", m.ID)))
	h.Set("Cache-Control", "no-store")
	_, err = r.out.Write(m.Data)
	return err
}

// source is the mail for the page: what is not UTF-8 in it is marked.
func (v demoView) source() string {
	return strings.ToValidUTF8(strings.ReplaceAll(string(v.Data), "\r\n", "\n"), "\ufffd")
}

func (v demoView) path(suffix string) string { return fmt.Sprintf("/demo/%d%s", v.ID, suffix) }

// tabs are the views that the mail has.
func (v demoView) tabs(p ui.Page) []ui.Tab {
	var tabs []ui.Tab
	if v.Parsed.HTML != "" {
		tabs = append(tabs, ui.Tab{Label: p.T("demo.html"), Path: v.path(""), Current: v.view == "html"})
	}
	return append(tabs,
		ui.Tab{Label: p.T("demo.text"), Path: v.path("?view=text"), Current: v.view == "text"},
		ui.Tab{Label: p.T("demo.source"), Path: v.path("?view=source"), Current: v.view == "source"})
}
