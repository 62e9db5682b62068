package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

func (w *Web) logRoutes() []Route {
	return []Route{
		{Pattern: "GET /logs", Access: SignedIn, Serve: viewLog},
		{Pattern: "GET /logs.csv", Access: SignedIn, Fresh: true, Serve: exportLog},
	}
}

// logInHand is the status of what is being tried now: it has no attempt yet.
const logInHand = "in_progress"

// The names of the log's filters in its address, besides the search, which is
// for the recipient's address.
const (
	logMailing = "mailing"
	logRun     = "run"
	logStatus  = "status"
	logFrom    = "from" // a date, in the actor's zone
	logTo      = "to"   // the last date
	logBefore  = "before"
)

// logMailings is how many mailings the filter offers, the latest; chosen.
const logMailings = 200

// logView is what the log shows: attempts, or what is being tried now.
type logView struct {
	list     ui.List
	actor    mailing.Account
	everyone bool
	mailings []ui.Option
	attempts []mailing.Attempt
	inHand   []mailing.Delivery
	busy     int64            // how many are being tried now
	more     bool             // there are older attempts
	subjects map[int64]string // by run
	owners   map[int64]string // by id, when everybody's are shown
	problems map[string]string
}

func (v logView) tryingNow() bool { return v.list.Query.Get(logStatus) == logInHand }

func (v logView) filtered() bool {
	return filtered(v.list, logMailing, logRun, logStatus, logFrom, logTo, logBefore)
}

// older is the address of the attempts before those that are shown.
func (v logView) older() string {
	return v.list.FilterURL(logBefore, strconv.FormatInt(v.attempts[len(v.attempts)-1].ID, 10))
}

func (v logView) newest() string { return v.list.FilterURL(logBefore, "") }

// csv is the address of what is shown, and all that is older, as a file.
func (v logView) csv() string {
	query := url.Values{}
	for name, values := range v.list.Query {
		if name != logBefore {
			query[name] = values
		}
	}
	if len(query) == 0 {
		return "/logs.csv"
	}
	return "/logs.csv?" + query.Encode()
}

func viewLog(r *request) error {
	list, page := r.list("/logs", perPage)
	v := logView{list: list, actor: r.actor, everyone: r.everyone()}
	if err := r.fillLog(&v, page); err != nil {
		return err
	}
	var err error
	if v.mailings, err = r.logMailings(v.everyone); err != nil {
		return err
	}
	if v.subjects, err = r.App.RunSubjects(r.in.Context(), r.actor, v.runs()); err != nil {
		return err
	}
	ids := make([]int64, len(v.attempts))
	for i, a := range v.attempts {
		ids[i] = a.OwnerID
	}
	if v.owners, err = r.owners(v.everyone, ids); err != nil {
		return err
	}
	status := http.StatusOK
	if len(v.problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	p := r.page(r.T("logs.title"))
	r.pickColumns(&v.list, "log", attemptColumns(p))
	return r.render(status, logPage(p, v))
}

// table is the table of attempts, with the columns that the visitor has picked. How many
// there are is not counted: there may be millions.
func (v logView) table(p ui.Page) ui.Table {
	return ui.Table{Caption: p.T("logs.title"), List: v.list, Columns: attemptColumns(p)}
}

// fillLog reads what the filters leave. A filter that makes no sense leaves
// nothing, and says so.
func (r *request) fillLog(v *logView, page app.Page) (err error) {
	if v.tryingNow() {
		v.inHand, v.busy, err = r.App.InHand(r.in.Context(), r.actor, v.everyone, page)
		v.list.Total = int(v.busy)
		return err
	}
	filter, err := r.logFilter()
	if problems, ok := r.problems(err); ok {
		v.problems = problems
		return nil
	}
	if err != nil {
		return err
	}
	filter.Limit = perPage + 1
	if v.attempts, err = r.App.Log(r.in.Context(), r.actor, filter); err != nil {
		return err
	}
	if v.more = len(v.attempts) > perPage; v.more {
		v.attempts = v.attempts[:perPage]
	}
	if !v.filtered() {
		_, v.busy, err = r.App.InHand(r.in.Context(), r.actor, v.everyone, app.Page{Limit: 1})
	}
	return err
}

func (v logView) runs() []int64 {
	var ids []int64
	for _, a := range v.attempts {
		ids = append(ids, a.RunID)
	}
	for _, d := range v.inHand {
		ids = append(ids, d.RunID)
	}
	return ids
}

// logMailings are the choices of the filter by mailing.
func (r *request) logMailings(everyone bool) ([]ui.Option, error) {
	mailings, err := r.App.LatestMailings(r.in.Context(), r.actor, everyone, logMailings)
	if err != nil {
		return nil, err
	}
	options := []ui.Option{{Value: "", Label: r.T("logs.any_mailing")}}
	for _, m := range mailings {
		options = append(options, ui.Option{
			Value: strconv.FormatInt(m.ID, 10),
			Label: shortened(r.SubjectName(m.Subject), 60) + " · " + r.ShortDateTime(m.CreatedAt),
		})
	}
	return options, nil
}

// logFilter reads the filters from the address. The error is mailing.Problems.
func (r *request) logFilter() (app.LogFilter, error) {
	f := app.LogFilter{Everyone: r.everyone()}
	f.MailingID = r.number(logMailing)
	f.RunID = r.number(logRun)
	f.Before = r.number(logBefore)
	f.Result = oneOf(r.in.URL.Query(), logStatus, attemptResults()...)
	f.Email = r.field(ui.SearchParam)
	var problems mailing.Problems
	if err := problems.AddError(logFrom, r.day(logFrom, 0, &f.From)); err != nil {
		return f, err
	}
	if err := problems.AddError(logTo, r.day(logTo, 1, &f.To)); err != nil {
		return f, err
	}
	return f, problems.Err()
}

func attemptResults() []mailing.AttemptResult {
	return []mailing.AttemptResult{
		mailing.AttemptAccepted, mailing.AttemptFailed, mailing.AttemptDeferred, mailing.AttemptInDoubt,
	}
}

// number is a number in the address; 0 for what is none.
func (r *request) number(name string) int64 {
	n, err := strconv.ParseInt(r.field(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// day reads a date and stores when it begins in the actor's zone, the given
// number of days later. No date is no error.
func (r *request) day(name string, later int, into *time.Time) error {
	text := r.field(name)
	if text == "" {
		return nil
	}
	date, err := mailing.ParseDate(text)
	if err != nil {
		return err
	}
	*into = time.Date(date.Year, date.Month, date.Day+later, 0, 0, 0, 0, r.zone())
	return nil
}

// zone is the actor's, or that of the installation.
func (r *request) zone() *time.Location {
	for _, name := range []string{r.actor.Zone, r.App.Zone} {
		if zone, err := mailing.LoadZone(name); err == nil {
			return zone
		}
	}
	return time.UTC
}

func exportLog(r *request) error {
	filter, err := r.logFilter()
	if err != nil {
		return err
	}
	zone := r.zone()
	out := &attachment{r: r, name: "log.csv"}
	err = r.App.ExportLog(r.in.Context(), r.actor, filter, out, app.LogWords{
		Columns: []string{
			r.T("logs.time") + " (" + r.Zone(zone.String()) + ")", r.T("logs.mailing"), r.T("logs.recipient"), r.T("field.status"),
			r.T("logs.code"), r.T("logs.enhanced"), r.T("logs.answer"), r.T("logs.host"), r.T("logs.tls"), r.T("logs.milliseconds"),
		},
		Time:   func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05") },
		Result: func(result mailing.AttemptResult) string { return r.T("attempt." + string(result)) },
	})
	if err != nil && out.begun {
		r.breakOff(out.name, err)
	}
	return err
}

// attachment is a file to be kept, announced with its first byte: before that an
// error can still be told.
type attachment struct {
	r     *request
	name  string
	kind  string // as in Content-Type; empty: a sheet
	begun bool
}

// Write implements io.Writer.
func (a *attachment) Write(data []byte) (int, error) {
	if !a.begun {
		a.begun = true
		a.r.attach(a.name)
		if a.kind != "" {
			a.r.out.Header().Set("Content-Type", a.kind)
		}
	}
	return a.r.out.Write(data)
}

// shownAnswer is how much of an answer stands in the table; the whole is under
// it. Chosen.
const shownAnswer = 90
