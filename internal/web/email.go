package web

import (
	"net/http"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

const emailPath = "/profile/email"

func (w *Web) emailRoutes() []Route {
	return []Route{
		{Pattern: "GET " + emailPath, Access: SignedIn, Serve: showEmail},
		{Pattern: "POST " + emailPath, Access: SignedIn, Serve: askEmail},
		{Pattern: "POST " + emailPath + "/cancel", Access: SignedIn, Serve: cancelEmail},
		{Pattern: "GET /email/{token}", Access: Everybody, Serve: showEmailQuestion},
		{Pattern: "POST /email/{token}", Access: Everybody, Serve: answerEmailQuestion},
	}
}

// emailView is what the page of a person's address shows.
type emailView struct {
	now     string               // the address in use
	waits   *mailing.EmailChange // what is under way; nil: nothing
	demo    string               // where its mails can be read in the demo mailbox; empty: not there
	typed   string
	problem map[string]string
}

func (r *request) emailView() (emailView, error) {
	view := emailView{now: r.actor.Email}
	change, err := r.App.EmailChange(r.in.Context(), r.actor)
	if mailing.KindOf(err) == mailing.NotFound {
		return view, nil
	}
	if view.waits = &change; r.readsDemo() {
		view.demo = "/demo"
	}
	return view, err
}

func showEmail(r *request) error {
	view, err := r.emailView()
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, emailPage(r.page(r.T("email.title")), view))
}

func askEmail(r *request) error {
	typed := r.field("email")
	err := r.App.AskEmailChange(r.in.Context(), r.actor, typed, r.field("password"))
	if err == nil {
		return r.done(emailPath, r.T("email.asked"))
	}
	return r.mend(err, func(problems map[string]string) templ.Component {
		return emailPage(r.page(r.T("email.title")), emailView{now: r.actor.Email, typed: typed, problem: problems})
	})
}

func cancelEmail(r *request) error {
	if err := r.App.CancelEmailChange(r.in.Context(), r.actor); err != nil {
		return err
	}
	return r.done(emailPath, r.T("email.cancelled"))
}

// showEmailQuestion only asks: programs that look at links in mails must decide nothing.
func showEmailQuestion(r *request) error {
	q, err := r.App.EmailQuestion(r.in.Context(), r.in.PathValue("token"))
	if err != nil {
		return r.brokenLink(err, "/login")
	}
	return r.render(http.StatusOK, emailQuestionPage(r.page(r.T("email.title")), r.in.URL.Path, q))
}

func answerEmailQuestion(r *request) error {
	token := r.in.PathValue("token")
	if r.field("answer") == "no" {
		q, err := r.App.RefuseEmailChange(r.in.Context(), token)
		if err != nil {
			return r.brokenLink(err, "/login")
		}
		return r.render(http.StatusOK, emailRefusedPage(r.page(r.T("email.refused")), q))
	}
	q, moved, err := r.App.AgreeEmailChange(r.in.Context(), token)
	switch {
	case mailing.KindOf(err) == mailing.Conflict:
		return err
	case err != nil:
		return r.brokenLink(err, "/login")
	case moved:
		return r.moved(q)
	}
	return r.render(http.StatusOK, emailAgreedPage(r.page(r.T("email.agreed")), q))
}

// moved goes on after an address was changed. Everybody was signed out; who did it in their own
// browser goes on there.
func (r *request) moved(q app.EmailQuestion) error {
	if r.actor.ID != q.AccountID {
		return r.done("/login?"+query("email", q.NewEmail), r.T("email.moved", "email", mailing.DisplayEmail(q.NewEmail)))
	}
	if err := r.signIn(q.Account); err != nil {
		return err
	}
	return r.done("/profile", r.T("email.moved", "email", mailing.DisplayEmail(q.NewEmail)))
}
