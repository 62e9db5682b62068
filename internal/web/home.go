package web

import (
	"net/http"
	"net/url"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// homeLines is how many lines each list of the home page has; chosen.
const homeLines = 5

func (w *Web) homeRoutes() []Route {
	return []Route{{Pattern: "GET /{$}", Access: Everybody, Serve: showHome}}
}

func showHome(r *request) error {
	if r.actor.ID == 0 {
		return r.render(http.StatusOK, welcomePage(r.page(r.T("home.welcome")), r.App.OpensSignUp(), r.blogPosts()))
	}
	v, err := r.home()
	if err != nil {
		return err
	}
	return r.render(http.StatusOK, homePage(r.page(r.T("nav.home")), v))
}

// homeView is what the home page shows a person.
type homeView struct {
	everyone, mayEveryone bool

	numbers app.Numbers
	steps   []setUpStep // nil when all is set up
	next    []app.MailingRow
	runs    []app.RunRow
	halted  []app.RunRow     // of the latest runs
	stopped []app.MailingRow // paused and disabled ones
	posts   []app.PostRow    // of the blog, picked at random
}

// setUpStep is one thing that has to be there before mailings go out.
type setUpStep struct {
	title, path string
	done        bool
}

func (r *request) home() (v homeView, err error) {
	ctx := r.in.Context()
	v.mayEveryone = r.actor.Role.May(mailing.ViewAnyMailing)
	v.everyone = r.everyone() && v.mayEveryone
	if v.numbers, err = r.App.Numbers(ctx, r.actor, v.everyone); err != nil {
		return v, err
	}
	coming := app.MailingFilter{Everyone: v.everyone, Coming: true}
	if v.next, _, err = r.App.Mailings(ctx, r.actor, coming, app.Page{Sort: "next", Limit: homeLines}); err != nil {
		return v, err
	}
	if v.runs, err = r.App.LatestRuns(ctx, r.actor, v.everyone, homeLines); err != nil {
		return v, err
	}
	for _, run := range v.runs {
		if run.Halt != "" && run.State.Open() {
			v.halted = append(v.halted, run)
		}
	}
	for _, status := range []mailing.Status{mailing.StatusPaused, mailing.StatusDisabled} {
		rows, _, err := r.App.Mailings(ctx, r.actor, app.MailingFilter{Everyone: v.everyone, Status: status},
			app.Page{Desc: true, Limit: homeLines})
		if err != nil {
			return v, err
		}
		v.stopped = append(v.stopped, rows...)
	}
	v.posts = r.blogPosts()
	if !v.everyone {
		v.steps, err = r.setUpSteps(v)
	}
	return v, err
}

// setUpSteps are the way from nothing to the first mailing that was sent; none
// once it is gone.
func (r *request) setUpSteps(v homeView) ([]setUpStep, error) {
	_, messages, err := r.App.Messages(r.in.Context(), r.actor, false, app.Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	steps := []setUpStep{
		{r.T("home.step_client"), "/clients/new", v.numbers.Clients > 0},
		{r.T("home.step_message"), "/messages/new", messages > 0},
		{r.T("home.step_mailing"), "/mailings/new", v.numbers.Mailings > 0},
		{r.T("home.step_sent"), "/mailings", len(v.runs) > 0},
	}
	if r.actor.Role.May(mailing.ManageRelays) {
		ready, there, err := r.App.DomainsReady(r.in.Context(), r.actor)
		if err != nil {
			return nil, err
		}
		steps = append(steps, setUpStep{r.T("home.step_relay"), "/relays", !r.Demo()})
		if there || r.Demo() { // that of SMTP_URL is the operator's
			steps = append(steps, setUpStep{r.T("home.step_domain"), "/domains", ready})
		}
	}
	for _, step := range steps {
		if !step.done {
			return steps, nil
		}
	}
	return nil, nil
}

// stepsDone is how many of the steps are done.
func (v homeView) stepsDone() int {
	done := 0
	for _, step := range v.steps {
		if step.done {
			done++
		}
	}
	return done
}

// isNext reports whether the step is the first that is not done.
func (v homeView) isNext(n int) bool {
	for i, step := range v.steps {
		if !step.done {
			return i == n
		}
	}
	return false
}

// stats are the three numbers.
func (v homeView) stats(p ui.Page) []ui.Stat {
	return []ui.Stat{
		{Label: p.T("home.mailings"), Value: p.Number(v.numbers.Mailings), Icon: "send", Path: scoped("/mailings", v.everyone)},
		{Label: p.T("home.active"), Value: p.Number(v.numbers.Active), Icon: "player-play", Path: v.activePath()},
		{Label: p.T("home.clients"), Value: p.Number(v.numbers.Clients), Icon: "users", Path: scoped("/clients", v.everyone)},
	}
}

// activePath lists mailings by their next date, so that active ones come first.
func (v homeView) activePath() string {
	order := url.Values{ui.SortParam: {"-next"}}
	if v.everyone {
		order.Set(scopeParam, scopeAll)
	}
	return "/mailings?" + order.Encode()
}
