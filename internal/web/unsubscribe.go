package web

import (
	"net/http"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

func (w *Web) unsubscribeRoutes() []Route {
	return []Route{
		{Pattern: "GET /unsubscribe/preview", Access: Everybody, Serve: showUnsubscribePreview},
		{Pattern: "GET /unsubscribe/{token}", Access: Everybody, Serve: showUnsubscribe},
		{Pattern: "POST /unsubscribe/{token}", Access: Everybody, Serve: unsubscribe},
	}
}

// showUnsubscribePreview explains the link in previews and test mails, which are
// about nobody's subscription.
func showUnsubscribePreview(r *request) error {
	return r.render(http.StatusOK, unsubscribePreviewPage(r.page(r.T("unsubscribe.preview_title"))))
}

// showUnsubscribe asks, and changes nothing: mail scanners open every link.
func showUnsubscribe(r *request) error {
	s, err := r.App.Subscription(r.in.Context(), r.in.PathValue("token"))
	return r.showSubscription(s, err)
}

// unsubscribe takes the button of that page, and the one-click requests of mail
// programs (RFC 8058), which show nobody the answer.
func unsubscribe(r *request) error {
	s, err := r.App.Unsubscribe(r.in.Context(), r.in.PathValue("token"))
	return r.showSubscription(s, err)
}

func (r *request) showSubscription(s app.Subscription, err error) error {
	r.out.Header().Set("Referrer-Policy", "no-referrer")
	r.out.Header().Set("X-Robots-Tag", "noindex")
	kind := mailing.KindOf(err)
	switch {
	case kind == mailing.Invalid || kind == mailing.NotFound:
		return r.render(statuses[kind], unsubscribeBrokenPage(r.page(r.T("unsubscribe.broken_title"))))
	case err != nil:
		return err
	case s.Over:
		return r.render(http.StatusOK, unsubscribedPage(r.page(r.T("unsubscribe.done_title")), s))
	}
	return r.render(http.StatusOK, unsubscribePage(r.page(r.T("unsubscribe.title")), s, r.in.URL.Path))
}
