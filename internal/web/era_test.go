package web_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web"
)

// slowSessions has something happen between a request and the storing of its session, as
// when another node is faster.
type slowSessions struct {
	sessionStore
	meanwhile func()
}

func (s *slowSessions) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	if meanwhile := s.meanwhile; meanwhile != nil {
		s.meanwhile = nil
		meanwhile()
	}
	return s.sessionStore.CommitCtx(ctx, token, data, expires)
}

func TestSessionsOfAnEarlierEra(t *testing.T) {
	slow := &slowSessions{}
	h := newHarness(t, func(_ *app.Config, o *web.Options) {
		slow.sessionStore = o.Sessions.(sessionStore)
		o.Sessions = slow
	})
	anna := h.account("anna@example.org", mailing.RoleUser)
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	hash, err := passwordHash()
	must(err)
	ends := map[string]func(){
		"a new password": func() { must(h.store.SetPassword(context.Background(), anna.ID, hash)) },
		"a changed password": func() {
			now, err := h.store.Account(context.Background(), anna.ID)
			must(err)
			_, err = h.store.ChangePassword(context.Background(), now, hash, "another session")
			must(err)
		},
		"an admin's word": func() { must(h.app.SignOutUser(context.Background(), app.Operator, anna.ID)) },
		"a block that is over": func() {
			must(h.store.Block(context.Background(), anna.ID, app.Operator.ID, "why", time.Now()))
			must(h.store.Unblock(context.Background(), anna.ID))
		},
	}
	login := url.Values{"email": {anna.Email}, "password": {password}}
	for what, end := range ends {
		h.run("who signs in while all sessions are ended by "+what+" is not in", func(t *testing.T) {
			c := h.visitor()
			slow.meanwhile = end
			c.post("/login", login).expect(http.StatusSeeOther)
			if got := c.get("/clients").location(); !strings.HasPrefix(got, "/login") {
				t.Errorf("the list of clients leads to %q", got)
			}
		})
	}
	h.run("nor half way in", func(t *testing.T) {
		secret, _ := h.withTOTP(anna)
		c := h.visitor()
		slow.meanwhile = ends["a new password"]
		c.follow(c.post("/login", login).expect(http.StatusSeeOther))
		p := c.post("/login/factor", url.Values{"code": {codeOf(t, secret, 1)}})
		if !strings.HasPrefix(p.location(), "/login") || p.location() == "/login/factor" {
			t.Errorf("it leads to %q", p.location())
		}
		must(h.app.ResetFactors(context.Background(), app.Operator, anna.ID))
	})
	c, other := h.signIn(anna), h.signIn(anna)
	deadlines := func() (all []time.Time) {
		list, err := h.store.AccountSessions(context.Background(), anna.ID, time.Now())
		must(err)
		for _, s := range list {
			data, _, err := h.store.Session(context.Background(), s.Key, time.Now())
			must(err)
			deadline, _, err := web.SessionCodec{}.Decode(data)
			must(err)
			all = append(all, deadline)
		}
		return all
	}
	for _, end := range []struct {
		path string
		form url.Values
	}{
		{"/profile/security/sessions/end_others", nil},
		{"/profile/security/password", url.Values{
			"old": {password}, "password": {"зелёный слон в лесу"}, "again": {"зелёный слон в лесу"},
		}},
	} {
		h.run("by "+end.path+" one stays in, and nobody else by the same cookie", func(t *testing.T) {
			thief := h.visitor()
			home := &url.URL{Scheme: "http", Host: c.host, Path: "/"}
			thief.jar.SetCookies(home, c.jar.Cookies(home))
			thief.get("/clients").expect(http.StatusOK)
			before := deadlines()
			c.post(end.path, end.form).expect(http.StatusSeeOther)
			c.get("/clients").expect(http.StatusOK)
			for _, out := range []*client{thief, other} {
				if got := out.get("/clients").location(); !strings.HasPrefix(got, "/login") {
					t.Errorf("the list of clients leads to %q", got)
				}
			}
			if after := deadlines(); len(after) != 1 || !slices.ContainsFunc(before, after[0].Equal) {
				t.Errorf("sessions lasted until %v, and now until %v", before, after)
			}
		})
	}
}
