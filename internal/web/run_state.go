package web

import (
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// runBadge says in a word where a run is in its life: of an open one that cannot go on, that
// it stands. status is that of its mailing; empty: it has none.
func runBadge(p ui.Page, run mailing.Run, status mailing.Status) (ui.Tone, string) {
	switch {
	case !run.State.Open():
	case run.Halt != "":
		return ui.Danger, p.T("home.halted_state")
	case stands(status):
		return ui.Warning, p.T("run_stands." + string(status))
	}
	return runTone(run.State), p.T("run_state." + string(run.State))
}

// stands reports whether nothing of a mailing in the status is sent, its open runs included.
func stands(status mailing.Status) bool { return status != "" && !status.Live() }

// badge is runBadge on the run's page, which knows also what may still be taken back.
func (v runProgress) badge(p ui.Page) (ui.Tone, string) {
	if v.awaits(p.Now) && !v.stands() {
		return runTone(v.State), p.T("undo.awaits")
	}
	return runBadge(p, v.Run, v.Mailing.Status)
}

// stands reports whether the run is open and cannot go on before a person does something.
func (v runProgress) stands() bool { return v.State.Open() && (v.Held || v.Halt != "") }

// offered is what the page offers of what the visitor may do. As long as the whole sending can
// be taken back, nothing that takes back less stands beside that.
func (v runProgress) offered(now time.Time) app.RunActions {
	may := v.May
	if may.Undo && v.awaits(now) {
		may.Pause, may.Cancel, may.Disable = false, false, false
	}
	return may
}

// triesWhen says what the next try of a delivery waits for, when its time has come or
// nothing says when it will; empty: it waits for its time.
func triesWhen(p ui.Page, run app.RunView, d mailing.Delivery) string {
	switch {
	case !run.State.Open() || d.DueAt.After(p.Now):
		return ""
	case run.Halt != "":
		return p.T("run_try.halted")
	case run.Held:
		return p.T("run_try." + string(run.Mailing.Status))
	}
	return p.T("run_try.due")
}
