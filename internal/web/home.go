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
	sent    []app.SentDay // today last
	steps   []setUpStep   // nil when all is set up
	next    []app.MailingRow
	runs    []app.RunRow
	amiss   app.Amiss
	posts   []app.PostRow // of the blog, picked at random
}

// setUpStep is one thing that has to be there before mailings go out, and where another
// way to it begins, if there is one.
type setUpStep struct {
	title, path string
	done        bool
	or, orPath  string
}

func (r *request) home() (v homeView, err error) {
	ctx := r.in.Context()
	v.mayEveryone = r.actor.Role.May(mailing.ViewAnyMailing)
	v.everyone = r.everyone() && v.mayEveryone
	if v.numbers, err = r.App.Numbers(ctx, r.actor, v.everyone); err != nil {
		return v, err
	}
	if v.sent, err = r.App.SentDays(ctx, r.actor, v.everyone, sentDays, r.zone()); err != nil {
		return v, err
	}
	coming := app.MailingFilter{Everyone: v.everyone, Coming: true}
	if v.next, _, err = r.App.Mailings(ctx, r.actor, coming, app.Page{Sort: "next", Limit: homeLines, Uncounted: true}); err != nil {
		return v, err
	}
	if v.runs, err = r.App.LatestRuns(ctx, r.actor, v.everyone, homeLines); err != nil {
		return v, err
	}
	if v.amiss, err = r.App.Amiss(ctx, r.actor, v.everyone, homeLines); err != nil {
		return v, err
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
	messages, _, err := r.App.Messages(r.in.Context(), r.actor, false, app.Page{Limit: 1, Uncounted: true})
	if err != nil {
		return nil, err
	}
	steps := []setUpStep{
		{
			title: r.T("home.step_client"), path: "/clients/new", done: v.numbers.Clients > 0,
			or: r.T("home.step_import"), orPath: "/clients/import",
		},
		{
			title: r.T("home.step_message"), path: "/messages/new", done: len(messages) > 0,
			or: r.T("home.step_starter"), orPath: "/messages/starters",
		},
		{title: r.T("home.step_mailing"), path: "/mailings/new", done: v.numbers.Mailings > 0},
		{title: r.T("home.step_sent"), path: "/mailings", done: len(v.runs) > 0},
	}
	if r.actor.Role.May(mailing.ManageRelays) {
		ready, there, err := r.App.DomainsReady(r.in.Context(), r.actor)
		if err != nil {
			return nil, err
		}
		steps = append(steps, setUpStep{title: r.T("home.step_relay"), path: "/relays", done: !r.Demo()})
		if there || r.Demo() { // that of SMTP_URL is the operator's
			steps = append(steps, setUpStep{title: r.T("home.step_domain"), path: "/domains", done: ready})
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

// sentDays is for how many days what was sent is told.
const sentDays = 30

// stats are the numbers.
func (v homeView) stats(p ui.Page) []ui.Stat {
	return []ui.Stat{
		{Label: p.T("home.mailings"), Value: p.Number(v.numbers.Mailings), Icon: "send", Path: scoped("/mailings", v.everyone)},
		{Label: p.T("home.active"), Value: p.Number(v.numbers.Active), Icon: "player-play", Path: v.activePath()},
		{Label: p.T("home.clients"), Value: p.Number(v.numbers.Clients), Icon: "users", Path: scoped("/clients", v.everyone)},
		v.sentStat(p),
	}
}

// sentStat is what was sent, with how it went from day to day.
func (v homeView) sentStat(p ui.Page) ui.Stat {
	stat := ui.Stat{Label: p.T("home.sent"), Icon: "mail-forward"}
	var all int64
	var best app.SentDay
	for _, day := range v.sent {
		stat.Trend = append(stat.Trend, day.Mails)
		if all += day.Mails; day.Mails > best.Mails {
			best = day
		}
	}
	stat.Value = p.Number(all)
	stat.TrendWords = p.T("home.sent_none")
	if all > 0 {
		stat.TrendWords = p.T("home.sent_best", "day", p.Day(best.Day), "count", p.Number(best.Mails))
	}
	if len(v.sent) > 0 {
		accepted := url.Values{logStatus: {string(mailing.AttemptAccepted)}, logFrom: {v.sent[0].Day.String()}}
		if v.everyone {
			accepted.Set(scopeParam, scopeAll)
		}
		stat.Path = "/logs?" + accepted.Encode()
	}
	return stat
}

// activePath lists the active mailings, those that come next first.
func (v homeView) activePath() string {
	active := url.Values{"status": {statusActive}, ui.SortParam: {"next"}}
	if v.everyone {
		active.Set(scopeParam, scopeAll)
	}
	return "/mailings?" + active.Encode()
}

// troubles are the runs that have to be looked after, each with what is wrong.
func (v homeView) troubles(p ui.Page) []trouble {
	var list []trouble
	for _, kind := range []struct {
		runs  []app.RunRow
		tone  ui.Tone
		what  string // in a word
		words func(app.RunRow) string
	}{
		{v.amiss.Halted, ui.Danger, p.T("home.halted_state"), func(app.RunRow) string { return p.T("home.halted") }},
		{v.amiss.Failed, ui.Danger, p.T("home.failed_state"), func(r app.RunRow) string { return p.N("home.failed", r.Counts.Failed) }},
		{v.amiss.Doubted, ui.Warning, p.T("delivery.in_doubt"), func(r app.RunRow) string { return p.N("home.doubted", r.Counts.InDoubt) }},
		{v.amiss.Waiting, ui.Warning, p.T("home.waiting_state"), func(r app.RunRow) string { return p.N("home.waiting", r.Counts.Waiting()) }},
	} {
		for _, run := range kind.runs {
			path := runPath(run.ID, "")
			if kind.tone == ui.Warning && run.Counts.InDoubt > 0 {
				path = tabPath(run.ID, "in_doubt")
			}
			list = append(list, trouble{run, kind.tone, kind.what, kind.words(run), path})
		}
	}
	return list
}

// trouble is a run with what is wrong.
type trouble struct {
	app.RunRow
	tone              ui.Tone
	what, words, path string
}
