package mailing

import "time"

// Passkey is a key in a person's device, by which they sign in (WebAuthn).
type Passkey struct {
	ID        int64
	AccountID int64
	Name      string // what the person calls it
	CreatedAt time.Time
	UsedAt    time.Time // zero until it is used
}

// Session is where a person is signed in, in one browser.
type Session struct {
	ID        int64
	AccountID int64  // 0: nobody is signed in
	Key       string // by which the store finds it; not to be shown
	Address   string // network address it was last seen at
	Agent     string // what the browser says of itself (RFC 9110, section 10.1.5)
	FirstSeen time.Time
	LastSeen  time.Time // to a few minutes; zero: nobody is signed in
}
