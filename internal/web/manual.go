package web

import (
	"net/http"

	"vestnik/internal/mailing"
	"vestnik/internal/manual"
)

func (w *Web) manualRoutes() []Route {
	return []Route{
		{Pattern: "GET " + manual.Path, Access: Everybody, Serve: listDocuments},
		{Pattern: "GET " + manual.Path + "/{name}", Access: Everybody, Serve: readDocument},
	}
}

// listDocuments shows what there is to read, to anybody.
func listDocuments(r *request) error {
	return r.render(http.StatusOK, documentsPage(r.page(r.T("docs.title")), manual.Guides(r.Lang()), manual.Others(r.Lang())))
}

func readDocument(r *request) error {
	d, found := manual.Find(r.in.PathValue("name"), r.Lang())
	if !found {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return r.render(http.StatusOK, documentPage(r.page(d.Title), d, after(d, manual.Guides(r.Lang()))))
}

// after is the guide to read after this document; without a name when there is none.
func after(d manual.Document, guides []manual.Document) (next manual.Document) {
	for i := range guides[:len(guides)-1] {
		if guides[i].Name == d.Name {
			return guides[i+1]
		}
	}
	return next
}

func documentPath(d manual.Document) string { return manual.Path + "/" + d.Name }
