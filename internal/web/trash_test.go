package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"vestnik/internal/mailing"
)

func TestWhatWasDeletedIsFoundForAnHour(t *testing.T) {
	h := newHarness(t)
	r := newRoom(h, "anna@example.org", 3)
	r.get("/trash").expect(http.StatusOK).shows(".nothing-title", "Возвращать нечего")
	ids := r.get("/clients").values("#list input[name=id]")
	r.post("/clients/"+ids[0]+"/delete", nil).expect(http.StatusSeeOther)
	r.post("/clients/delete", url.Values{"id": ids[1:]}).expect(http.StatusSeeOther)
	m := r.mailing(every(mailing.Daily))
	r.post(at(m.ID, "/delete"), nil).expect(http.StatusSeeOther)
	p := r.get("/trash").expect(http.StatusOK)
	if n := len(p.find(".rows tbody tr")); n != 3 {
		t.Errorf("%d are listed", n)
	}
	p.shows(".rows tbody", "2 клиента").shows(".rows tbody", "@").shows(".rows tbody", "Рассылка")
	h.signIn(h.account("boris@example.org", mailing.RoleUser)).get("/trash").shows(".nothing-title", "Возвращать нечего")
	for left := 2; left >= 0; left-- {
		undo := attribute(r.get("/trash").find(".rows tbody form")[0], "action")
		r.follow(r.post(undo, url.Values{"back": {"/trash"}}).expect(http.StatusSeeOther)).shows(".flash", "ернул")
		if n := len(r.get("/trash").find(".rows tbody tr")); n != left {
			t.Errorf("%d are left, want %d", n, left)
		}
	}
	if n := len(r.get("/clients").values("#list input[name=id]")); n != 3 {
		t.Errorf("%d clients are there", n)
	}
	r.get(at(m.ID, "")).expect(http.StatusOK)
}
