package web

import (
	"strings"

	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// adminSection is one of the admin pages in their second row of links.
type adminSection struct {
	path  string
	label string // key of its text
	may   mailing.Permission
}

// adminSections are all of them, in the order of the row. A page below /admin/ has the
// row by itself.
func adminSections() []adminSection {
	return []adminSection{
		{"/admin/users", "nav.users", mailing.ViewUsers},
		{"/admin/invitations", "invitations.title", mailing.InviteUsers},
		{"/admin/mailings", "admin.mailings", mailing.ViewAnyMailing},
		{"/admin/blog", "nav.blog", mailing.WriteBlog},
		{"/relays", "nav.relay", mailing.ManageRelays},
		{"/domains", "nav.domains", mailing.ManageRelays},
		{"/admin/settings", "admin.settings", mailing.ManageService},
		{"/admin/health", "admin.health", mailing.ManageService},
		{"/admin/jobs", "admin.jobs", mailing.ManageService},
		{auditPath, "audit.title", mailing.ViewAudit},
	}
}

func (w *Web) adminRoutes() []Route {
	return []Route{{Pattern: "GET " + ui.AdminPath, Access: SignedIn, Serve: openAdmin}}
}

// openAdmin leads to the first page that the visitor may see.
func openAdmin(r *request) error {
	for _, section := range adminSections() {
		if r.actor.Role.May(section.may) {
			r.redirect(section.path)
			return nil
		}
	}
	return mailing.Fault(mailing.NotFound, "not_found")
}

// sections are the links of the second row, on the admin pages.
func (r *request) sections() []ui.Tab {
	var tabs []ui.Tab
	here := isBelow(r.in.URL.Path, ui.AdminPath)
	for _, section := range adminSections() {
		if !r.actor.Role.May(section.may) {
			continue
		}
		at := isBelow(r.in.URL.Path, section.path)
		here = here || at
		tabs = append(tabs, ui.Tab{Label: r.T(section.label), Path: section.path, Current: at})
	}
	if !here {
		return nil
	}
	return tabs
}

// isBelow reports whether a page is at the path or below it.
func isBelow(page, path string) bool { return page == path || strings.HasPrefix(page, path+"/") }
