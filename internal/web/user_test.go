package web_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"vestnik/internal/mailing"
)

func TestUsers(t *testing.T) {
	h := newHarness(t)
	manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
	blocked := h.account("blocked@example.org", mailing.RoleUser)
	if err := h.store.SetBlocked(context.Background(), blocked.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	h.run("a manager sees everybody with their standing", func(t *testing.T) {
		p := manager.get("/users").expect(http.StatusOK)
		p.shows("tr:has-text(blocked@example.org)", "Заблокирован").shows("tr:has-text(manager@example.org)", "Менеджер")
		p.shows("tr:has-text(manager@example.org)", "Активен")
		manager.lang("en").get("/users?q=BLOCKED").shows("tbody tr", "Blocked").shows(".pager", "1–1 of 1")
		manager.get("/users?q=nobody").shows(".nothing-title", "Nobody")
	})
	h.run("a user sees nobody, and no entry in the menu", func(t *testing.T) {
		c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
		c.get("/users").expect(http.StatusNotFound).lacks(".sidebar a[href=/users]")
		manager.get("/").one(".sidebar a[href=/users]")
	})
	h.run("a long list has pages, and sorting starts at the first", func(t *testing.T) {
		for i := range 60 {
			h.account(fmt.Sprintf("user%02d@example.org", i), mailing.RoleUser)
		}
		first := manager.get("/users?sort=email").shows("tbody", "user00@").shows(".pager", "1–50 of 63")
		if got := len(first.find("tbody tr")); got != 50 {
			t.Errorf("the first page has %d lines", got)
		}
		second := manager.get("/users?page=2&sort=email").shows("tbody", "user59@").shows(".pager", "51–63 of 63")
		if got := len(second.find("tbody tr")); got != 13 {
			t.Errorf("the second page has %d lines", got)
		}
	})
}
