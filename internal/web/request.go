package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/i18n"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// request is one visit: who comes, in which language, and the way to answer.
type request struct {
	*Web
	*i18n.Printer
	in    *http.Request
	out   http.ResponseWriter
	actor mailing.Account // ID 0: nobody is signed in
	hold  mailing.Hold    // that the database is under; not looked up for strangers
	erase time.Time       // when the actor's account is to be erased; zero: it is not
	from  app.Visitor
	now   time.Time
}

func (w *Web) newRequest(out http.ResponseWriter, in *http.Request) (*request, error) {
	from := w.visitor(in)
	in = in.WithContext(app.WithOrigin(freshly(in), from.Address))
	r := &request{Web: w, in: in, out: out, from: from, now: time.Now()}
	r.Printer = r.speak(i18n.Match(in.Header.Get("Accept-Language"), w.cookie(in, langCookie)), w.App.Zone)
	if !w.sessions.Exists(in.Context(), sessionAccount) {
		return r, nil
	}
	account, err := r.named(sessionAccount)
	if mailing.KindOf(err) == mailing.NotFound { // blocked, gone, or signed out everywhere: at once
		return r, w.sessions.Destroy(in.Context())
	}
	if err != nil {
		return r, err
	}
	r.actor = account
	r.noteVisit()
	r.Printer = r.speak(account.Lang, account.Zone)
	if r.hold, err = w.App.Hold(in.Context()); err != nil {
		return r, err
	}
	r.erase, err = w.App.PlannedErasure(in.Context(), account)
	return r, err
}

// speak returns a printer for the language that shows times in the zone; in UTC
// when this machine does not know the zone.
func (w *Web) speak(lang, zone string) *i18n.Printer {
	p := w.Catalog.For(lang)
	if place, err := mailing.LoadZone(zone); err == nil {
		return p.In(place)
	}
	return p
}

// id is the number in the path. What is not a number names nothing.
func (r *request) id(name string) (int64, error) {
	id, err := strconv.ParseInt(r.in.PathValue(name), 10, 64)
	if err != nil || id <= 0 {
		return 0, mailing.Fault(mailing.NotFound, "not_found")
	}
	return id, nil
}

// field is what was typed into a form or stands in the address.
func (r *request) field(name string) string { return plain(r.in.FormValue(name)) }

// fields are all values of a name: of checkboxes.
func (r *request) fields(name string) []string {
	r.in.FormValue(name) // parses the form
	return plainAll(r.in.Form[name])
}

// plain is text as browsers send it: without U+0000, which no database of ours
// looks for, and with U+FFFD for what is no UTF-8.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

func plainAll(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = plain(text)
	}
	return all
}

// ids are all values of a name that are ids; others are left out.
func (r *request) ids(name string) []int64 {
	ids := []int64{}
	for _, text := range r.fields(name) {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil && id > 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// page is the frame for a page with the title.
func (r *request) page(title string) ui.Page {
	p := ui.Page{
		Printer: r.Printer, Title: title, Path: r.in.URL.RequestURI(), Now: r.now, Version: r.Version,
		Flashes: r.popFlashes(), Demo: r.readsDemo(),
	}
	if theme := r.cookie(r.in, ui.ThemeCookie); theme != "" {
		p.Theme = ui.ParseTheme(theme)
	}
	if r.actor.Theme != "" { // it follows the person to another device
		p.Theme = ui.ParseTheme(r.actor.Theme)
	}
	if r.actor.ID != 0 {
		p.Person = &ui.Person{
			Name: r.actor.Name(), Email: r.actor.Email, Role: r.actor.Role, Avatar: picturePath(r.actor.Avatar, true),
		}
		p.Alarms = r.alarms()
		p.Hold = r.hold
		p.Erasure = r.erase
		p.Sections = r.sections()
	}
	return p
}

// readsDemo reports whether mails stay in the demo mailbox now, and this visitor
// may read it.
func (r *request) readsDemo() bool { return r.Demo() && app.MayReadDemo(r.actor, r.from) }

// demoReader is where the visitor comes from for the demo mailbox. Once mails
// leave, who merely sits at this machine reads those kept before no more.
func (r *request) demoReader() app.Visitor {
	from := r.from
	from.Loopback = from.Loopback && r.Demo()
	return from
}

// render answers with a page.
func (r *request) render(status int, c templ.Component) error {
	r.out.Header().Set("Content-Type", "text/html; charset=utf-8")
	r.out.Header().Set("Cache-Control", "no-store") // pages are about one person
	r.out.WriteHeader(status)
	return c.Render(r.in.Context(), r.out)
}

// redirect answers a form with the page to show next (RFC 9110, section 15.4.4).
func (r *request) redirect(path string) {
	http.Redirect(r.out, r.in, path, http.StatusSeeOther)
}

// done tells what was done, on the page it then redirects to.
func (r *request) done(path, sentence string) error {
	r.flash(ui.Success, sentence)
	r.redirect(path)
	return nil
}

// lastPage is how far one can leaf; chosen, far beyond any list.
const lastPage = 1 << 20

// list reads search, sorting and page number from the address.
func (r *request) list(path string, perPage int) (ui.List, app.Page) {
	l := ui.List{Path: path, Query: url.Values{}, PerPage: perPage}
	for name, values := range r.in.URL.Query() {
		l.Query[name] = plainAll(values)
	}
	sort, desc := l.Sort()
	number, _ := strconv.Atoi(l.Query.Get(ui.PageParam)) // l.Page does not go beyond the Total, still unknown
	return l, app.Page{
		Search: l.Search(), Sort: sort, Desc: desc || sort == "",
		Offset: int64(min(max(number, 1), lastPage)-1) * int64(perPage), Limit: int64(perPage),
	}
}

// oneOf is the value of a filter in the address. One that the filter does not
// have is taken out of it.
func oneOf[T ~string](query url.Values, name string, known ...T) T {
	value := T(query.Get(name))
	if !slices.Contains(known, value) {
		query.Del(name)
		return ""
	}
	return value
}

func query(name, value string) string { return url.Values{name: {value}}.Encode() }

// problems are what is wrong with a form, by field, as sentences; false for an
// error that is not about the form.
func (r *request) problems(err error) (map[string]string, bool) {
	var several mailing.Problems
	var one *mailing.Error
	switch {
	case errors.As(err, &several):
	case errors.As(err, &one) && (one.Field != "" || one.Kind == mailing.Invalid || one.Kind == mailing.Limited):
		several = mailing.Problems{one}
	default:
		return nil, false
	}
	byField := make(map[string]string, len(several))
	for _, problem := range several {
		if byField[problem.Field] == "" {
			byField[problem.Field] = r.Error(problem)
		}
	}
	return byField, true
}

// mend answers a form with the form itself, filled in and with what is wrong
// beside the fields. An error that is not about the form is returned.
func (r *request) mend(err error, form func(problems map[string]string) templ.Component) error {
	problems, ok := r.problems(err)
	if !ok {
		return err
	}
	r.sayWhen(err)
	return r.render(statuses[mailing.KindOf(err)], form(problems))
}
