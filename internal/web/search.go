package web

import (
	"net/http"
	"slices"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/manual"
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

// How many are offered of each kind for what was typed; all together fill a screen. Chosen.
const (
	pagesFound  = 3
	deedsFound  = 2
	thingsFound = 5
	guidesFound = 3
)

// search is what is found for what was typed, what fits it best first, since that is
// what Enter opens.
func (r *request) search(typed string) ([]ui.HitGroup, error) {
	found, err := r.App.Find(r.in.Context(), r.actor, typed)
	if err != nil {
		return nil, err
	}
	scope := r.actor.Role.May
	words := searched(typed)
	pages, deeds := pagesFound, deedsFound
	if len(words) == 0 { // a list of where one can go
		pages, deeds = len(r.pagePlaces()), len(r.deedPlaces())
	}
	return inOrder([]foundGroup{
		words.places(r.T("palette.go"), r.pagePlaces(), pages),
		words.places(r.T("palette.do"), r.deedPlaces(), deeds),
		words.things(r.T("nav.mailings"), r.foundMailings(found.Mailings), searchIn("/mailings", typed, scope(mailing.ViewAnyMailing))),
		words.things(r.T("clients.title"), r.foundClients(found.Clients), searchIn("/clients", typed, scope(mailing.ViewAnyClient))),
		words.things(r.T("messages.title"), r.foundMessages(found.Messages), searchIn("/messages", typed, scope(mailing.ChangeAnything))),
		words.guides(r.T("nav.docs"), r.guidePlaces(words)),
	}), nil
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

// guidePlaces are the documents of the help and their headings; none before a word is
// typed, they are many.
func (r *request) guidePlaces(words typedWords) (places []place) {
	if len(words) == 0 {
		return nil
	}
	for _, d := range slices.Concat(manual.Guides(r.Lang()), manual.Others(r.Lang())) {
		places = append(places, place{Hit: ui.Hit{Label: d.Title, Icon: "help", Path: documentPath(d)}})
		for _, part := range d.Parts {
			places = append(places, place{Hit: ui.Hit{Label: part.Title, Note: d.Title, Icon: "help", Path: documentPath(d) + "#" + part.Anchor}})
		}
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
		{ui.Hit{Label: r.T("nav.docs"), Icon: "help", Path: manual.Path}, r.T("palette.words_docs")},
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
