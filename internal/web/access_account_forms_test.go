package web_test

import (
	"bytes"
	"context"
	"database/sql"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/auth/authtest"
	"vestnik/internal/mailing"
	"vestnik/internal/web"
)

func init() {
	maps.Copy(accessFixtures, selfFixtures)
	maps.Copy(accessFixtures, doorFixtures)
	maps.Copy(accessFixtures, adminFixtures)
}

// selfFixtures are for what people change about themselves.
var selfFixtures = map[string]func(*visit){
	"POST /profile/avatar": func(v *visit) { v.files = map[string][]byte{"avatar": drawing(v.h.t, 8, 8)} },
	"POST /profile/avatar/delete": func(v *visit) {
		if v.who.ID != 0 {
			v.does(v.h.app.SetAvatar(ctx, v.who, bytes.NewReader(drawing(v.h.t, 9, 9))))
		}
	},
	"POST /profile/security/password": func(v *visit) {
		v.form = url.Values{"old": {password}, "password": {password + "2"}, "again": {password + "2"}}
		v.after = v.oldPassword
	},
	"POST /profile/security/totp": func(v *visit) {
		begun := v.h.app.BeginTOTP(v.who)
		v.form = url.Values{"draft": {begun.Draft}, "code": {codeOf(v.h.t, begun.Secret, 0)}}
		v.after = v.noFactors
	},
	"POST /profile/security/totp/disable": (*visit).appCodes,
	"POST /profile/security/codes":        (*visit).appCodes,
	"POST /profile/security/passkeys/ask": nothing,
	"POST /profile/security/passkeys": func(v *visit) {
		if asked := v.client.post("/profile/security/passkeys/ask", nil); asked.status == http.StatusOK {
			v.form = url.Values{"name": {"key"}, "answer": {newDevice(v.h).Make(v.h.t, asked.body)}}
		}
		v.after = v.noFactors
	},
	"POST /profile/security/passkeys/rename": func(v *visit) {
		v.form = url.Values{"id": {v.ownPasskey()}, "name": {v.fresh()}}
		v.after = v.noFactors
	},
	"POST /profile/security/passkeys/remove": func(v *visit) {
		v.form = url.Values{"id": {v.ownPasskey()}}
		v.after = v.noFactors
	},
	"POST /profile/security/sessions/end":        func(v *visit) { v.form = url.Values{"id": {v.h.session(v.who)}} },
	"POST /profile/security/sessions/end_others": nothing,
	"POST /profile/confirm": func(v *visit) {
		v.form = url.Values{"proof": {"password"}, "proof_answer": {password}, "next": {"/profile"}}
	},
	"POST /profile/confirm/passkey": func(v *visit) {
		v.ownPasskey()
		v.after = v.noFactors
	},
	"POST /profile/email":        func(v *visit) { v.form = url.Values{"email": {v.fresh() + "@example.net"}, "password": {password}} },
	"POST /profile/email/cancel": func(v *visit) { v.emailLink(v.who) },
	"POST /profile/data/export":  nothing,
	"POST /profile/data/erase": func(v *visit) {
		v.form = url.Values{"password": {password}}
		v.after = v.stay
	},
	"POST /profile/data/keep": func(v *visit) {
		if v.who.ID != 0 {
			v.does(v.h.store.PlanErasure(ctx, v.who.ID, time.Now(), time.Now().Add(time.Hour)))
		}
	},
}

// doorFixtures are for how people come in. Who visits does not matter.
var doorFixtures = map[string]func(*visit){
	"POST /login/passkey/ask": nothing,
	"POST /login/passkey": func(v *visit) {
		device := v.h.passkey(v.h.account(v.fresh()+"@example.net", mailing.RoleUser))
		asked := v.client.post("/login/passkey/ask", nil).expect(http.StatusOK)
		v.form = url.Values{"answer": {device.Prove(v.h.t, asked.body)}}
	},
	"GET /login/factor": func(v *visit) { v.halfIn() },
	"POST /login/factor": func(v *visit) {
		v.form = url.Values{"code": {codeOf(v.h.t, v.halfIn(), 1)}}
	},
	"POST /login/factor/passkey": func(v *visit) {
		account := v.h.account(v.fresh()+"@example.net", mailing.RoleUser)
		v.h.passkey(account)
		v.client.post("/login", url.Values{"email": {account.Email}, "password": {password}}).expect(http.StatusSeeOther)
	},
	// The true link, when it is too late: there is an admin.
	"GET /first/{token}": func(v *visit) { v.fill("token", firstLink()) },
	"POST /first/{token}": func(v *visit) {
		v.fill("token", firstLink())
		v.form = v.person()
		v.form.Set("email", v.fresh()+"@example.net")
	},
	"GET /invitation/{token}": func(v *visit) { v.fill("token", v.invitation().token) },
	"POST /invitation/{token}": func(v *visit) {
		v.fill("token", v.invitation().token)
		v.form = v.person()
	},
	"GET /email/{token}": func(v *visit) {
		v.fill("token", v.emailLink(v.h.account(v.fresh()+"@example.net", mailing.RoleUser)))
	},
	"POST /email/{token}": func(v *visit) {
		v.fill("token", v.emailLink(v.h.account(v.fresh()+"@example.net", mailing.RoleUser)))
	},
}

// adminFixtures are for what admins do. A person is somebody's own who is that person.
var adminFixtures = map[string]func(*visit){
	"POST /admin/users/new": func(v *visit) {
		v.form = url.Values{"email": {v.fresh() + "@example.net"}, "first_name": {"Eve"}, "role": {"user"}, "lang": {"en"}}
	},
	"POST /admin/users/{id}/block": func(v *visit) {
		v.another("/block")
		v.form = url.Values{"why": {"because"}}
	},
	"POST /admin/users/{id}/unblock": func(v *visit) {
		if account := v.another("/unblock"); v.owner == v.other.ID {
			v.does(v.h.store.Block(ctx, account.ID, app.Operator.ID, "because", time.Now()))
		}
	},
	"POST /admin/users/{id}/role": func(v *visit) {
		v.form = url.Values{"role": {"manager"}}
		if v.another("/role"); v.peer.ID != 0 {
			v.form.Set("role", "user")
		}
	},
	"POST /admin/users/{id}/sign-out": func(v *visit) { v.another("/sign-out") },
	"POST /admin/users/{id}/limit": func(v *visit) {
		v.another("/limit")
		v.form = url.Values{"per_day": {"100"}}
	},
	"POST /admin/users/{id}/reset-factors": func(v *visit) {
		if account := v.another("/reset-factors"); v.owner == v.other.ID {
			v.h.withTOTP(account)
		}
	},
	"POST /admin/users/{id}/data/export": func(v *visit) { v.another("/data/export") },
	"POST /admin/users/{id}/data/erase": func(v *visit) {
		v.form = url.Values{"email": {v.another("/data/erase").Email}}
	},
	"POST /admin/settings": func(v *visit) {
		v.form = url.Values{"undo_seconds": {"10"}, "mask_clients": {"on"}}
		v.after = func() {
			v.does(v.h.app.ChangeSettings(ctx, app.Operator, map[string]string{"mask_clients": "false"}))
		}
	},
	"POST /admin/jobs/{id}/retry":  func(v *visit) { v.fill("id", "1") },
	"POST /admin/jobs/{id}/cancel": func(v *visit) { v.fill("id", "1") },
	"POST /clients/{id}/export":    nothing,
	"POST /clients/{id}/erase":     nothing,
	"POST /admin/invitations": func(v *visit) {
		v.form = url.Values{"emails": {v.fresh() + "@example.net"}, "role": {"user"}, "lang": {"en"}}
	},
	"POST /admin/invitations/{id}/renew":  func(v *visit) { v.fill("id", v.invitation().id) },
	"POST /admin/invitations/{id}/revoke": func(v *visit) { v.fill("id", v.invitation().id) },

	"GET /docs/{name}": func(v *visit) { v.fill("name", "reports") },
	"GET /blog/{slug}": func(v *visit) {
		v.fill("slug", v.h.post(app.Operator, app.PostForm{Title: v.fresh(), Body: "text"}).Slug)
	},
	"POST /admin/blog/new":      func(v *visit) { v.form = postFields(v.fresh()) },
	"POST /admin/blog/preview":  func(v *visit) { v.form = postFields(v.fresh()) },
	"POST /messages/pictures":   func(v *visit) { v.files = map[string][]byte{"picture": drawing(v.h.t, 20, 10)} },
	"POST /admin/blog/pictures": func(v *visit) { v.files = map[string][]byte{"picture": drawing(v.h.t, 20, 10)} },
	"GET /admin/blog/{id}":      func(v *visit) { v.post(false) },
	"POST /admin/blog/{id}": func(v *visit) {
		v.form = postFields(v.fresh())
		v.form.Set("read", strconv.FormatInt(v.post(false).UpdatedAt.UnixMilli(), 10))
	},
	"POST /admin/blog/{id}/publish":   func(v *visit) { v.post(false) },
	"POST /admin/blog/{id}/unpublish": func(v *visit) { v.post(true) },
	"POST /admin/blog/{id}/delete":    func(v *visit) { v.post(true) },
}

// withJobs has the service know one piece of background work. The queue itself is a
// whole program beside the pages; package jobs tests it.
func withJobs(c *app.Config, _ *web.Options) { c.JobQueue = oneJob{} }

// oneJob is a queue in which job 1 has failed and waits to be tried again.
type oneJob struct{}

func (oneJob) Jobs(ctx context.Context, _ app.JobFilter) ([]app.Job, error) {
	job, err := oneJob{}.Job(ctx, 1)
	return []app.Job{job}, err
}

func (oneJob) Job(_ context.Context, id int64) (app.Job, error) {
	if id != 1 {
		return app.Job{}, mailing.Fault(mailing.NotFound, "not_found")
	}
	return app.Job{ID: 1, Kind: "sweep", State: "retryable", Args: "{}"}, nil
}

func (oneJob) Retry(context.Context, *sql.Tx, int64) error { return nil }

func (oneJob) Cancel(context.Context, *sql.Tx, int64) error { return nil }

// another puts somebody who is not needed otherwise in the place of the foreign person,
// and returns whom the path names then.
func (v *visit) another(deed string) mailing.Account {
	if !v.real() {
		return mailing.Account{}
	}
	account := v.owned()
	switch {
	case v.peer.ID != 0:
		account = v.peer
	case v.owner == v.other.ID:
		account = v.h.account(v.fresh()+"@example.net", mailing.RoleUser)
	}
	v.of.account = account.ID
	v.path = userPage(account, deed)
	return account
}

func (v *visit) oldPassword() {
	if v.who.ID == 0 {
		return
	}
	hash, err := passwordHash()
	v.does(err)
	v.does(v.h.store.SetPassword(ctx, v.who.ID, hash))
}

// stay has whoever visits not be erased.
func (v *visit) stay() {
	planned, err := v.h.store.PlannedErasure(ctx, v.who.ID)
	if v.does(err); !planned.IsZero() {
		v.does(v.h.store.CancelErasure(ctx, v.who.ID))
	}
}

func (v *visit) noFactors() {
	factors, err := v.h.app.Factors(ctx, v.who.ID)
	v.does(err)
	if factors.Any() {
		v.does(v.h.app.ResetFactors(ctx, app.Operator, v.who.ID))
	}
}

// appCodes has whoever visits have an app for codes.
func (v *visit) appCodes() {
	if v.who.ID != 0 {
		v.h.withTOTP(v.who)
	}
	v.after = v.noFactors
}

func newDevice(h *harness) *authtest.Device { return authtest.NewDevice(h.app.BaseURL) }

// passkey gives the account one.
func (h *harness) passkey(account mailing.Account) *authtest.Device {
	h.t.Helper()
	device := newDevice(h)
	asked, err := h.app.BeginPasskey(ctx, account)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.app.AddPasskey(ctx, account, asked.State, device.Make(h.t, asked.Options), "key"); err != nil {
		h.t.Fatal(err)
	}
	return device
}

// ownPasskey gives whoever visits a passkey, and returns its id.
func (v *visit) ownPasskey() string {
	if v.who.ID == 0 {
		return "1"
	}
	v.h.passkey(v.who)
	return v.h.passkeyID(v.who)
}

func (h *harness) passkeyID(account mailing.Account) string {
	h.t.Helper()
	keys, err := h.store.Passkeys(ctx, account.ID)
	if err != nil || len(keys) == 0 {
		h.t.Fatalf("%d passkeys, %v", len(keys), err)
	}
	return strconv.FormatInt(keys[0].ID, 10)
}

// session is the id of one more session of the account.
func (h *harness) session(account mailing.Account) string {
	h.t.Helper()
	if account.ID == 0 {
		return "1"
	}
	c := h.planted(account)
	home := &url.URL{Scheme: "http", Host: c.host, Path: "/"}
	key := sessionHash(c.jar.Cookies(home)[0].Value)
	list, err := h.store.AccountSessions(ctx, account.ID, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range list {
		if s.Key == key {
			return strconv.FormatInt(s.ID, 10)
		}
	}
	h.t.Fatalf("the new session is not among %d", len(list))
	return ""
}

// halfIn has the visitor be asked for a second factor, and returns the secret of its app.
func (v *visit) halfIn() (secret string) {
	account := v.h.account(v.fresh()+"@example.net", mailing.RoleUser)
	secret, _ = v.h.withTOTP(account)
	v.client.post("/login", url.Values{"email": {account.Email}, "password": {password}}).expect(http.StatusSeeOther)
	return secret
}

// firstLink is the end of the link to the first account; "one" is what install calls
// the installation.
func firstLink() string { return keys().Sign("first account", []byte("one"), time.Time{}) }

type invited struct{ id, token string }

func (v *visit) invitation() invited {
	made, err := v.h.app.Invite(ctx, app.Operator, app.Invite{Emails: v.fresh() + "@example.net", Role: mailing.RoleUser, Lang: "en"})
	v.does(err)
	return invited{strconv.FormatInt(made[0].ID, 10), strings.TrimPrefix(made[0].Link, v.h.app.BaseURL+"/invitation/")}
}

// person is what somebody says of themselves who comes in by a link.
func (v *visit) person() url.Values {
	return url.Values{
		"first_name": {"Eve"}, "password": {password}, "again": {password}, "lang": {"en"}, "zone": {"Europe/Moscow"},
	}
}

// emailLink has the account wait for another address, and returns the end of the link
// that is mailed to the new one.
func (v *visit) emailLink(account mailing.Account) string {
	if account.ID == 0 {
		return ""
	}
	token, now := auth.NewToken(), time.Now()
	change := mailing.EmailChange{
		AccountID: account.ID, NewEmail: v.fresh() + "@example.net", AskedAt: now, DueAt: now.Add(mailing.ObjectionTime),
	}
	v.does(v.h.store.PutEmailChange(ctx, change, auth.HashToken(token)))
	payload := "new " + strconv.FormatInt(account.ID, 10) + " " + token
	return keys().Sign("change of address", []byte(payload), change.DueAt)
}

func postFields(title string) url.Values {
	return url.Values{"title": {title}, "body": {"text"}, "read": {"0"}, "do": {"save"}}
}

// post fills in a post.
func (v *visit) post(published bool) mailing.Post {
	p, err := v.h.app.CreatePost(ctx, app.Operator, app.PostForm{Title: v.fresh(), Body: "text", Publish: published})
	v.does(err)
	v.fill("id", strconv.FormatInt(p.ID, 10))
	return p
}
