package web

import (
	"net/http"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) searchRoutes() []Route {
	return []Route{{Pattern: "GET " + ui.PalettePath, Access: SignedIn, Serve: showSearch}}
}

// showSearch finds pages, what can be done, and things by their names; for the palette
// without the frame of a page.
func showSearch(r *request) error {
	list, _ := r.list(ui.PalettePath, perPage)
	groups, err := r.search(list.Search())
	if err != nil {
		return err
	}
	p := r.page(r.T("palette.title"))
	if list.Query.Get(ui.PalettePart) != "" {
		return r.render(http.StatusOK, ui.PaletteHits(p, groups))
	}
	return r.render(http.StatusOK, searchPage(p, list, groups, searchIn("/clients", list.Search(), r.actor.Role.May(mailing.ViewAnyClient))))
}

// How many places are offered for what was typed: with what app finds, twenty hits at
// most, which a screen holds. Chosen.
const (
	pagesFound = 3
	deedsFound = 2
)

// search is what is found for what was typed: the pages of the service first, since
// their names are known.
func (r *request) search(typed string) ([]ui.HitGroup, error) {
	found, err := r.App.Find(r.in.Context(), r.actor, typed)
	if err != nil {
		return nil, err
	}
	scope := r.actor.Role.May
	all := []ui.HitGroup{
		{Title: r.T("palette.go"), Hits: matching(r.pagePlaces(), typed, pagesFound)},
		{Title: r.T("palette.do"), Hits: matching(r.deedPlaces(), typed, deedsFound)},
		{Title: r.T("nav.mailings"), Hits: r.foundMailings(found.Mailings), More: searchIn("/mailings", typed, scope(mailing.ViewAnyMailing))},
		{Title: r.T("clients.title"), Hits: r.foundClients(found.Clients), More: searchIn("/clients", typed, scope(mailing.ViewAnyClient))},
		{Title: r.T("messages.title"), Hits: r.foundMessages(found.Messages), More: searchIn("/messages", typed, scope(mailing.ChangeAnything))},
	}
	var groups []ui.HitGroup
	for _, group := range all {
		if len(group.Hits) > 0 {
			groups = append(groups, group)
		}
	}
	return groups, nil
}

// searchIn is a list in which the same is searched for.
func searchIn(path, typed string, everyone bool) string {
	address := path + "?" + query(ui.SearchParam, typed)
	if everyone {
		address += "&" + query(scopeParam, scopeAll)
	}
	return address
}

func (r *request) foundMailings(list []app.MailingRow) []ui.Hit {
	var hits []ui.Hit
	for _, m := range list {
		hits = append(hits, ui.Hit{Label: r.SubjectName(m.Subject), Note: r.T("status." + string(m.Status)), Icon: "send", Path: mailingPath(m.ID, "")})
	}
	return hits
}

func (r *request) foundMessages(list []mailing.Message) []ui.Hit {
	var hits []ui.Hit
	for _, m := range list {
		hits = append(hits, ui.Hit{Label: r.SubjectName(m.Subject), Note: r.T("messages.format." + string(m.Format)), Icon: "mail", Path: messagePath(m.ID)})
	}
	return hits
}

func (r *request) foundClients(list []mailing.Contact) []ui.Hit {
	var hits []ui.Hit
	for _, c := range list {
		hit := ui.Hit{Label: contactTitle(c), Icon: "user", Path: contactPath(c.ID)}
		if email := mailing.DisplayEmail(c.Email); email != hit.Label {
			hit.Note = email
		}
		hits = append(hits, hit)
	}
	return hits
}

// place is a page with the words by which it is found besides its name.
type place struct {
	ui.Hit
	words string
}

// deedPlaces are where one begins to do something.
func (r *request) deedPlaces() []place {
	places := []place{
		{ui.Hit{Label: r.T("mailings.add"), Icon: "plus", Path: "/mailings/new"}, r.T("palette.words_new")},
		{ui.Hit{Label: r.T("messages.add"), Icon: "mail-plus", Path: "/messages/new"}, r.T("palette.words_new")},
		{ui.Hit{Label: r.T("clients.add"), Icon: "user-plus", Path: "/clients/new"}, r.T("palette.words_new")},
		{ui.Hit{Label: r.T("clients.import"), Icon: "file-import", Path: "/clients/import"}, r.T("palette.words_import")},
	}
	if r.actor.Role.May(mailing.ManageUsers) {
		places = append(places, place{ui.Hit{Label: r.T("users.add"), Icon: "user-plus", Path: usersPath + "/new"}, r.T("palette.words_new")})
	}
	return places
}

// pagePlaces are the pages that the visitor may open.
func (r *request) pagePlaces() []place {
	places := []place{
		{ui.Hit{Label: r.T("nav.home"), Icon: "home", Path: "/"}, ""},
		{ui.Hit{Label: r.T("nav.mailings"), Icon: "send", Path: "/mailings"}, ""},
		{ui.Hit{Label: r.T("messages.title"), Icon: "mail", Path: "/messages"}, ""},
		{ui.Hit{Label: r.T("clients.title"), Icon: "address-book", Path: "/clients"}, ""},
		{ui.Hit{Label: r.T("nav.logs"), Icon: "list-details", Path: "/logs"}, r.T("palette.words_log")},
		{ui.Hit{Label: r.T("nav.blog"), Icon: "news", Path: "/blog"}, ""},
		{ui.Hit{Label: r.T("nav.profile"), Icon: "user-circle", Path: "/profile"}, r.T("palette.words_profile")},
		{ui.Hit{Label: r.T("security.title"), Icon: "shield-lock", Path: "/profile/security"}, r.T("palette.words_security")},
		{ui.Hit{Label: r.T("audit.own_title"), Icon: "history", Path: activityPath}, ""},
		{ui.Hit{Label: r.T("trash.title"), Icon: "trash", Path: trashPath}, r.T("palette.words_trash")},
	}
	if r.readsDemo() {
		places = append(places, place{ui.Hit{Label: r.T("nav.demo"), Icon: "inbox", Path: "/demo"}, ""})
	}
	for _, section := range adminSections() {
		if r.actor.Role.May(section.may) {
			places = append(places, place{ui.Hit{Label: r.T(section.label), Note: r.T("nav.admin"), Icon: "settings", Path: section.path}, ""})
		}
	}
	return places
}

// matching are the first places that have all of the words that were typed; all places
// when none was.
func matching(places []place, typed string, most int) []ui.Hit {
	words := mailing.SearchText(typed)
	var hits []ui.Hit
	for _, p := range places {
		if (words == "" || len(hits) < most) && hasWords(mailing.SearchText(p.Label, p.Note, p.words), words) {
			hits = append(hits, p.Hit)
		}
	}
	return hits
}

func hasWords(text, words string) bool {
	for word := range strings.FieldsSeq(words) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
