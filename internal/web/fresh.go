package web

import (
	"context"
	"net/http"

	"vestnik/internal/app"
)

// freshCookie marks a person who has just changed something. Where nodes share no Redis,
// another one may still have answers from before the change, which are good enough for
// everybody but this person. The mark is a cookie, since that is all that gets to every
// node with them, and the browser forgets it by its own clock.
const freshCookie = "fresh"

// noteChange marks the visitor when the request may change something.
func (r *request) noteChange() {
	if r.actor.ID == 0 || r.in.Method == http.MethodGet || r.in.Method == http.MethodHead {
		return
	}
	http.SetCookie(r.out, &http.Cookie{
		Name: freshCookie, Value: "1", Path: "/", MaxAge: int(app.FreshFor.Seconds()), HttpOnly: true, Secure: r.Secure,
		SameSite: http.SameSiteLaxMode,
	})
}

// freshly is the context of a request; of a visitor with the mark, one by which nothing
// is taken from the cache.
func freshly(in *http.Request) context.Context {
	if _, err := in.Cookie(freshCookie); err != nil {
		return in.Context()
	}
	return app.WithFresh(in.Context())
}
