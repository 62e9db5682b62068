package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

// sessionHash is how scs names a session in the store.
func sessionHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// accessFixtures say, by route, what is to be sent and how things must stand, so that
// who may is let. Every route that changes something has one; one that only shows
// needs none, unless its path names something else than a thing.
var accessFixtures = map[string]func(*visit){
	// Accounts. Who visits does not matter; whose address it is does.
	"POST /register": func(v *visit) {
		v.form = url.Values{"first_name": {"Eve"}, "email": {v.fresh() + "@example.net"}, "password": {password}, "again": {password}}
	},
	"GET /confirm_code/{email}":     func(v *visit) { v.fill("email", "anna@example.net") },
	"GET /confirm_code/{email}/{$}": func(v *visit) { v.fill("email", "anna@example.net") },
	"POST /confirm_code/{email}/{$}": func(v *visit) {
		v.fill("email", v.newcomer())
		v.form = url.Values{"code": {"135246"}}
	},
	"POST /confirm_code/{email}/resend": func(v *visit) { v.fill("email", v.newcomer()) },
	"POST /login": func(v *visit) {
		v.form = url.Values{"email": {"other@example.org"}, "password": {password}}
	},
	"POST /logout":       nothing,
	"POST /reset":        func(v *visit) { v.form = url.Values{"email": {v.known()}} },
	"GET /reset/{token}": func(v *visit) { v.fill("token", v.resetLink()) },
	"POST /reset/{token}": func(v *visit) {
		v.fill("token", v.resetLink())
		v.form = url.Values{"password": {password + "2"}, "again": {password + "2"}}
	},
	"POST /profile": func(v *visit) {
		v.form = url.Values{"first_name": {v.fresh()}, "lang": {"ru"}, "zone": {"Europe/Moscow"}}
	},
	"POST /preferences": func(v *visit) {
		v.h.exec("update accounts set lang = 'ru' where id = $1", v.who.ID)
		v.form = url.Values{"lang": {"en"}, "back": {"/"}}
	},

	// Clients.
	"POST /clients/new":           func(v *visit) { v.form = url.Values{"email": {v.fresh() + "@example.net"}} },
	"POST /clients/{id}/edit":     func(v *visit) { v.form = url.Values{"email": {v.fresh() + "@example.net"}} },
	"POST /clients/{id}/delete":   nothing,
	"POST /clients/{id}/suppress": nothing,
	"POST /clients/{id}/unsuppress": func(v *visit) {
		if v.real() {
			_, err := v.h.app.SuppressContact(ctx, v.owned(), v.of.contact)
			v.does(err)
		}
	},
	"POST /clients/delete": func(v *visit) {
		if v.who.ID != 0 {
			v.form = url.Values{"id": {strconv.FormatInt(v.accessWorld.of(v.who).contact, 10)}}
			delete(v.sets, v.who.ID)
		}
	},
	"POST /clients/import": func(v *visit) { v.file = "email\n" + v.fresh() + "@example.net\n" },

	// Messages.
	"POST /messages/new":         func(v *visit) { v.form = v.message() },
	"POST /messages/{id}/edit":   func(v *visit) { v.form = v.message() },
	"POST /messages/{id}/delete": nothing,
	"POST /messages/delete": func(v *visit) {
		if v.who.ID != 0 {
			v.form = url.Values{"id": {strconv.FormatInt(v.accessWorld.of(v.who).free, 10)}}
			delete(v.sets, v.who.ID)
		}
	},
	"GET /messages/starters/{name}/thumbnail": func(v *visit) { v.fill("name", "newsletter") },
	"POST /messages/{id}/test":                func(v *visit) { v.form = url.Values{"to": {"me@example.net"}} },
	"POST /messages/preview":                  func(v *visit) { v.form = v.message() },
	"POST /messages/test": func(v *visit) {
		v.form = v.message()
		v.form.Set("to", "me@example.net")
	},

	// Mailings. A form names a message of the mailing's owner.
	"POST /mailings/new": func(v *visit) {
		if v.who.ID != 0 {
			v.form = mailingForm(v.accessWorld.of(v.who).message)
		}
	},
	"POST /mailings/{id}/edit": func(v *visit) {
		v.form = mailingForm(v.of.message)
		v.form.Set("from_name", v.fresh())
	},
	"POST /mailings/bulk": func(v *visit) {
		if v.who.ID != 0 {
			v.form = url.Values{"do": {"pause"}, "id": {strconv.FormatInt(v.accessWorld.of(v.who).mailing, 10)}}
			delete(v.sets, v.who.ID)
		}
	},
	"POST /admin/mailings/bulk": func(v *visit) {
		if v.who.ID != 0 {
			id := v.accessWorld.of(v.who).mailing
			v.form = url.Values{"do": {"disable"}, "why": {"order"}, "id": {strconv.FormatInt(id, 10)}}
			delete(v.sets, v.who.ID)
		}
	},
	"POST /mailings/{id}/discard": nothing,
	"POST /mailings/preview": func(v *visit) {
		if v.who.ID != 0 {
			v.form = mailingForm(v.accessWorld.of(v.who).message)
		}
	},
	"POST /mailings/{id}/send":    func(v *visit) { v.spent = true },
	"POST /mailings/{id}/disable": func(v *visit) { v.form = url.Values{"why": {"because"}} },
	"POST /mailings/{id}/enable":  func(v *visit) { v.put(mailing.StatusDisabled) },
	"POST /mailings/{id}/pause":   nothing,
	"POST /mailings/{id}/resume":  func(v *visit) { v.put(mailing.StatusPaused) },
	"POST /mailings/{id}/delete":  func(v *visit) { v.form = url.Values{"sure": {"on"}} }, // a run of it goes on
	"GET /mailings/{id}/edit":     nothing,
	"GET /runs/{id}/events":       func(v *visit) { v.over() }, // that of a run which goes on does not end
	"POST /runs/{id}/cancel":      nothing,
	"POST /runs/{id}/continue":    func(v *visit) { v.halt() },
	"POST /undo/{id}":             func(v *visit) { v.fill("id", v.deleted()) },
	"POST /runs/{id}/undo":        func(v *visit) { v.waits() },
	"POST /runs/{id}/again":       func(v *visit) { v.sentTo(mailing.Failed, "/again") },
	"POST /runs/{id}/doubt": func(v *visit) {
		v.sentTo(mailing.InDoubt, "/doubt")
		v.form = url.Values{"word": {"sent"}, "all": {"on"}}
	},
	"POST /runs/{id}/deliveries/{delivery}": func(v *visit) {
		v.sentTo(mailing.InDoubt, "/deliveries/{delivery}")
		v.form = url.Values{"word": {"sent"}}
	},

	// What admins manage.
	"POST /relays/new":         func(v *visit) { v.form = relayFields(v.fresh()) },
	"POST /relays/preset":      func(v *visit) { v.form = relayFields(v.fresh()) },
	"POST /relays/test":        func(v *visit) { v.form = relayFields(v.fresh()) },
	"POST /relays/{id}":        func(v *visit) { v.form = relayFields(v.fresh()) },
	"POST /relays/{id}/delete": nothing,
	"POST /relays/{id}/resume": nothing,
	"POST /domains":            func(v *visit) { v.form = url.Values{"domain": {v.fresh() + ".example.net"}, "algorithm": {"ed25519"}} },
	"POST /domains/use":        func(v *visit) { v.form = v.signingKey() },
	"POST /domains/delete":     func(v *visit) { v.form = v.signingKey() },
	"POST /domains/check":      func(v *visit) { v.form = url.Values{"domain": {"example.net"}} },
	"POST /hold":               func(v *visit) { v.hold() },

	// Examples are those of whoever asks.
	"POST /examples": func(v *visit) {
		if v.who.ID != 0 {
			v.does(v.h.app.RemoveExamples(ctx, v.who))
		}
	},
	"POST /examples/remove": func(v *visit) {
		if there, err := v.h.app.HasExamples(ctx, v.who); v.who.ID != 0 && !there {
			v.does(err)
			v.does(v.h.app.AddExamples(ctx, v.who, true))
		}
	},

	// What a mail holds.
	"GET /unsubscribe/{token}":  func(v *visit) { v.fill("token", v.unsubscribeLink()) },
	"POST /unsubscribe/{token}": func(v *visit) { v.fill("token", v.unsubscribeLink()) },
	"GET /demo/{id}":            func(v *visit) { v.fill("id", "1") },
	"GET /demo/{id}/html":       func(v *visit) { v.fill("id", "1") },
	"GET /demo/{id}/source":     func(v *visit) { v.fill("id", "1") },
}

func nothing(*visit) {}

// newcomer is the address of somebody who waits for the code 135246.
func (v *visit) newcomer() string {
	email := v.fresh() + "@example.net"
	_, err := v.h.app.CreateAccount(ctx, app.NewAccount{
		Email: email, FirstName: "New", Password: password, Role: mailing.RoleUser, Lang: "en", Code: "135246",
	})
	v.does(err)
	return email
}

// known is the address of somebody who is active.
func (v *visit) known() string { return v.h.account(v.fresh()+"@example.net", mailing.RoleUser).Email }

// resetLink is the end of a link to set a new password.
func (v *visit) resetLink() string {
	account := v.h.account(v.fresh()+"@example.net", mailing.RoleUser)
	token, expires := auth.NewToken(), time.Now().Add(time.Hour)
	v.does(v.h.store.PutCode(ctx, account.ID, "reset", auth.HashToken(token), 1, expires))
	return keys().Sign("reset", []byte(account.Email+" "+token), expires)
}

func (v *visit) unsubscribeLink() string {
	return strings.TrimPrefix(v.h.app.UnsubscribeURL(v.other.ID, 1, v.fresh()+"@example.net"), v.h.app.BaseURL+"/unsubscribe/")
}

func (v *visit) message() url.Values {
	return url.Values{"subject": {v.fresh()}, "format": {"text"}, "body": {"text"}}
}

func mailingForm(message int64) url.Values {
	return room{message: mailing.Message{ID: message}}.filled()
}

func relayFields(name string) url.Values {
	return url.Values{
		"kind": {"smtp"}, "name": {name}, "host": {"mail.example.net"}, "port": {"587"}, "tls": {"starttls"},
		"from_email": {"news@example.net"}, "weight": {"10"}, "enabled": {"on"},
	}
}

// signingKey names a key that is there.
func (v *visit) signingKey() url.Values {
	domain := v.fresh() + ".example.net"
	_, err := v.h.app.CreateSigningKeys(ctx, app.Operator, app.SigningForm{Domain: domain, Selector: "s", Algorithm: "ed25519"})
	v.does(err)
	return url.Values{"domain": {domain}, "selector": {"s"}}
}

// hold has the database be held, unless it is.
func (v *visit) hold() {
	v.form = url.Values{"end": {string(mailing.HoldGoOn)}}
	v.h.exec("update installation set held_at = 1, held_why = 'asked'")
	v.after = func() { v.h.exec("update installation set held_at = 0, held_why = ''") }
}

// over ends the run.
func (v *visit) over() {
	if v.real() {
		v.spent = true
		v.does(v.h.store.CancelRun(ctx, v.of.run, time.Now()))
	}
}

func (v *visit) halt() {
	if v.real() {
		v.does(v.h.store.HaltRun(ctx, v.of.run, "530 no"))
	}
}

// waits has the run be one that may be taken back.
func (v *visit) waits() {
	if v.real() {
		v.spent = true
		v.h.exec("update runs set goes_at = created_at where id = $1", v.of.run)
	}
}

// deleted is where something of the visitor's is kept that was deleted.
func (v *visit) deleted() string {
	if v.who.ID == 0 {
		return "1"
	}
	contact := storetest.Contact(v.h.t, v.h.store, v.who.ID, v.fresh()+"@example.net")
	undoable, id := v.h.app.Undoably(ctx)
	v.does(v.h.app.DeleteContact(undoable, v.who, contact.ID))
	return strconv.FormatInt(id, 10)
}

// sentTo has a run of its own be visited, whose delivery has come to the state.
func (v *visit) sentTo(state mailing.DeliveryState, more string) {
	if !v.real() {
		return
	}
	contact, err := v.h.store.Contact(ctx, v.of.contact)
	v.does(err)
	run := v.h.sent(v.owned(), "В сомнении", state, contact)
	deliveries, _, err := v.h.store.Deliveries(ctx, store.DeliveryFilter{RunID: run.ID}, store.Page{Limit: 1})
	v.does(err)
	v.of.run, v.of.delivery, v.spent = run.ID, deliveries[0].ID, true
	v.path, _ = thingPath("POST /runs/{id}"+more, v.of)
}
