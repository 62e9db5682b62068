package web

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// What a session says of the person in it. Times are Unix milliseconds.
const (
	sessionAccount = "account"
	sessionPending = "pending" // whose second factor is still to be shown; gives no right
	sessionEra     = "era"     // of the account named by either, when they signed in
	sessionFirst   = "first"   // when they signed in
	sessionSeen    = "seen"    // when they were here, to seenEvery
	sessionProof   = "proof"   // when they last proved who they are
	sessionAddress = "address"
	sessionAgent   = "agent"
)

const (
	// pendingLife is how long a password is good for until the second factor is shown.
	// Chosen; it takes a minute to find a phone.
	pendingLife = 10 * time.Minute
	// strangerLife is how long a session lasts in which nobody has signed in. It holds a
	// question about passkeys, good for five minutes, or a message for the next page. Chosen.
	strangerLife = 15 * time.Minute
	// seenEvery is how often it is written down that a person is here. Chosen: nobody
	// asks more precisely, and a page need not wait for the database to write.
	seenEvery = 5 * time.Minute
	// maxAgent is how much is kept of what a browser says of itself, in bytes.
	maxAgent = 400
)

// SessionOf tells what encoded session data, which end at the deadline, say for the
// store's lists, and when the session expires without a visit.
func SessionOf(key string, data []byte, deadline time.Time) (mailing.Session, time.Time) {
	of := mailing.Session{Key: key}
	born := deadline.Add(-sessionLife) // of the token: scs renews both at once
	_, values, err := SessionCodec{}.Decode(data)
	if err != nil {
		return of, born.Add(strangerLife)
	}
	read := func(name string) string {
		text, _ := values[name].(string)
		return text
	}
	if pending := number(read(sessionPending)); pending != 0 {
		of.AccountID = pending // so that it ends with the others of the account
		return of, born.Add(pendingLife)
	}
	if of.AccountID = number(read(sessionAccount)); of.AccountID == 0 {
		return of, born.Add(strangerLife)
	}
	of.Address, of.Agent = read(sessionAddress), read(sessionAgent)
	of.FirstSeen, of.LastSeen = instant(read(sessionFirst)), instant(read(sessionSeen))
	expires := of.LastSeen.Add(sessionIdle)
	if expires.After(deadline) {
		expires = deadline
	}
	return of, expires
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func instant(text string) time.Time {
	if ms := number(text); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

// keepTime writes a moment of this visit into the session.
func (r *request) keepTime(name string) {
	r.sessions.Put(r.in.Context(), name, strconv.FormatInt(r.now.UnixMilli(), 10))
}

func (r *request) keptTime(name string) time.Time {
	return instant(r.sessions.GetString(r.in.Context(), name))
}

// signIn binds the session to the account under a new token, so that one planted
// before is of no use (CWE-384).
func (r *request) signIn(account mailing.Account) error {
	if err := r.renew(); err != nil {
		return err
	}
	r.name(sessionAccount, account)
	r.keepTime(sessionProof)
	r.noteVisit()
	if account.Theme != "" { // for the pages after signing out
		r.keep(ui.ThemeCookie, account.Theme)
	}
	r.remember(account)
	return r.App.SignedIn(r.in.Context(), account)
}

// name writes into the session whose it is.
func (r *request) name(as string, account mailing.Account) {
	r.sessions.Put(r.in.Context(), as, strconv.FormatInt(account.ID, 10))
	r.keepEra(account.Era)
}

func (r *request) keepEra(era int64) {
	r.sessions.Put(r.in.Context(), sessionEra, strconv.FormatInt(era, 10))
}

// named is the account that the session names, if it may sign in and nobody has ended all
// its sessions since.
func (r *request) named(as string) (mailing.Account, error) {
	ctx := r.in.Context()
	account, err := r.App.Account(ctx, number(r.sessions.GetString(ctx, as)))
	if err == nil && account.Era != number(r.sessions.GetString(ctx, sessionEra)) {
		err = mailing.Fault(mailing.NotFound, "not_found")
	}
	return account, err
}

// renew takes a new token for a session that says of nobody any more.
func (r *request) renew() error {
	flashes := r.popFlashes()
	if err := r.sessions.Clear(r.in.Context()); err != nil {
		return err
	}
	for _, f := range flashes {
		r.flash(f.Tone, f.Text)
	}
	return r.sessions.RenewToken(r.in.Context())
}

// noteVisit writes down that the person in the session is here.
func (r *request) noteVisit() {
	if r.now.Sub(r.keptTime(sessionSeen)) < seenEvery {
		return
	}
	if r.keptTime(sessionFirst).IsZero() {
		r.keepTime(sessionFirst)
	}
	r.keepTime(sessionSeen)
	agent := plain(r.in.UserAgent())
	r.sessions.Put(r.in.Context(), sessionAgent, agent[:min(len(agent), maxAgent)])
	r.sessions.Put(r.in.Context(), sessionAddress, r.from.Address)
}

// sessionKey is by what the store knows the session of this visit.
func (r *request) sessionKey() string {
	sum := sha256.Sum256([]byte(r.sessions.Token(r.in.Context())))
	return base64.RawURLEncoding.EncodeToString(sum[:]) // as scs does it
}
