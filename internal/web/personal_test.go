package web_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestPersonalData(t *testing.T) {
	h := newHarness(t)
	owner := h.account("owner@example.org", mailing.RoleUser)
	c := h.signIn(owner)
	contact := storetest.Contact(t, h.store, owner.ID, "client@example.org")
	path := "/clients/" + strconv.FormatInt(contact.ID, 10)
	isZip := func(p *page) {
		t.Helper()
		if p.expect(http.StatusOK); !strings.HasPrefix(p.body, "PK") || p.header.Get("Content-Type") != "application/zip" ||
			!strings.Contains(p.header.Get("Content-Disposition"), ".zip") || p.header.Get("Cache-Control") != "no-store" {
			t.Errorf("it is %q, %.10q", p.header, p.body)
		}
	}
	h.run("a client's data can be taken, and the client erased", func(t *testing.T) {
		p := c.get(path)
		isZip(c.submit(p, "form[action="+path+"/export]", nil))
		c.follow(c.submit(p, "form[action="+path+"/erase]", nil)).expect(http.StatusOK).shows(".flash", "стёрт")
		c.get(path).expect(http.StatusNotFound)
		c.post(path+"/export", nil).expect(http.StatusNotFound)
	})
	h.run("a manager sees the client, not these", func(t *testing.T) {
		seen := storetest.Contact(t, h.store, owner.ID, "seen@example.org")
		path := "/clients/" + strconv.FormatInt(seen.ID, 10)
		manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		manager.get(path).expect(http.StatusOK).lacks("form[action=" + path + "/export]").lacks("form[action=" + path + "/erase]")
		manager.post(path+"/export", nil).expect(http.StatusForbidden)
		manager.post(path+"/erase", nil).expect(http.StatusForbidden)
	})
	h.run("everything of one's own can be taken", func(t *testing.T) {
		isZip(c.submit(c.get("/profile/data"), "form[action=/profile/data/export]", nil))
		c.get("/profile").one("a[href=/profile/data]")
	})
	h.run("an account is planned to be erased on its password, and kept after all", func(t *testing.T) {
		erase := "form[action=/profile/data/erase]"
		p := c.submit(c.get("/profile/data"), erase, url.Values{"password": {"wrong"}})
		p.expect(http.StatusUnprocessableEntity).shows("#field-password-error", "не подходит")
		p = c.follow(c.submit(p, erase, url.Values{"password": {password}})).shows(".flash", "будет стёрта").lacks(erase)
		const banner = ".note a[href=/profile/data]"
		p.lacks(banner)
		for _, path := range []string{"/", "/clients", "/profile/security"} {
			c.get(path).shows(".note-title", "будет стёрта").one(banner)
		}
		c.follow(c.submit(p, "form[action=/profile/data/keep]", nil)).one(erase)
		c.get("/").lacks(banner)
	})
	h.run("an admin erases an account at once, with its address typed", func(t *testing.T) {
		admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
		path := "/admin/users/" + strconv.FormatInt(owner.ID, 10) + "/data"
		isZip(admin.post(path+"/export", nil))
		p := admin.submit(admin.get(path), "form[action="+path+"/erase]", url.Values{"email": {"other@example.org"}})
		p.expect(http.StatusUnprocessableEntity).shows("#field-email-error", "не адрес")
		admin.follow(admin.submit(p, "form[action="+path+"/erase]", url.Values{"email": {"Owner@example.org"}})).expect(http.StatusOK)
		admin.get(path).expect(http.StatusNotFound)
		c.get("/profile").expect(http.StatusSeeOther) // signed out at once
	})
}
