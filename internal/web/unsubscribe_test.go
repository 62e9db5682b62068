package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

func TestUnsubscribe(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	link := func(email string) string {
		return strings.TrimPrefix(h.app.UnsubscribeURL(anna.ID, 1, email), baseURL)
	}
	isOut := func(email string) bool {
		out, err := h.store.Suppressed(context.Background(), anna.ID, email)
		if err != nil {
			h.t.Fatal(err)
		}
		return out
	}
	h.run("opening the link unsubscribes nobody", func(t *testing.T) {
		p := h.visitor().fromFar().get(link("a@example.com")).expect(http.StatusOK)
		p.shows("#address", "a@example.com").shows(".card", "Анна Петрова")
		if isOut("a@example.com") {
			t.Error("the address is suppressed")
		}
	})
	h.run("the button does", func(t *testing.T) {
		c := h.visitor().fromFar().lang("en")
		p := c.submit(c.get(link("b@example.com")), "main form", nil).expect(http.StatusOK)
		p.shows(".nothing-title", "You are unsubscribed").shows(".nothing-text", "b@example.com")
		if !isOut("b@example.com") || isOut("a@example.com") {
			t.Error("not exactly this address is suppressed")
		}
		c.get(link("b@example.com")).expect(http.StatusOK).shows(".nothing-title", "You are unsubscribed").lacks("main form")
	})
	h.run("a mail program does it in one click, wherever it runs", func(t *testing.T) {
		c := h.visitor().fromFar()
		c.header.Set("Origin", "https://mail.example.net")
		c.header.Set("Sec-Fetch-Site", "cross-site")
		p := c.post(link("c@example.com"), url.Values{"List-Unsubscribe": {"One-Click"}}).expect(http.StatusOK)
		if !isOut("c@example.com") || p.header.Get("Set-Cookie") != "" {
			t.Errorf("the address is suppressed: %v, cookie: %q", isOut("c@example.com"), p.header.Get("Set-Cookie"))
		}
	})
	h.run("a mail program may post it as multipart, too", func(t *testing.T) {
		c := h.visitor().fromFar()
		c.header.Set("Origin", "https://mail.example.net")
		c.header.Set("Sec-Fetch-Site", "cross-site")
		form := "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"
		c.do(http.MethodPost, link("e@example.com"), strings.NewReader(form), "multipart/form-data; boundary=x").expect(http.StatusOK)
		if !isOut("e@example.com") {
			t.Error("the address is not suppressed")
		}
	})
	h.run("a link that was cut short says so", func(t *testing.T) {
		path := link("d@example.com")
		path = path[:len(path)-4]
		h.visitor().get(path).expect(http.StatusUnprocessableEntity).shows(".nothing-title", "Ссылка не подходит")
		h.visitor().post(path, nil).expect(http.StatusUnprocessableEntity)
		if isOut("d@example.com") {
			t.Error("the address is suppressed")
		}
	})
	h.run("the link of a preview is explained", func(t *testing.T) {
		h.visitor().get("/unsubscribe/preview").expect(http.StatusOK).shows(".nothing-title", "смогут отписаться").lacks("main form")
	})
}
