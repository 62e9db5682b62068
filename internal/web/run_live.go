package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

const (
	// liveEvery is how often a run's progress is sent: what an eye can follow.
	liveEvery = time.Second
	// liveRest is how many times as long as it took to make one progress the next
	// has to wait: each viewer of a large run, whose deliveries take long to
	// count, costs no more than a twentieth of a core.
	liveRest = 20
	// liveMost is how old what is shown gets all the same.
	liveMost = 30 * time.Second
	// liveRights is how often a visitor who waits for progress is looked after: who is
	// blocked is out within a second, however long the next progress takes.
	liveRights = 500 * time.Millisecond
	// liveWrite is how long a browser may take to accept one progress. One that
	// sleeps is given up; it asks anew when it wakes.
	liveWrite = 10 * time.Second
)

// fragmentPage is what the parts of a page need that are sent by themselves. It
// takes no messages from the session: those are for whole pages.
func (r *request) fragmentPage() ui.Page { return ui.Page{Printer: r.Printer, Now: r.now} }

// runProgress is the part of a run's page that is renewed while it is open.
type runProgress struct {
	app.Progress
	Pace pace
}

// pace is how fast a run goes, by its latest moments. The first is that of the latest
// attempts that the ledger has, of all nodes, or of the run's opening, so that there is a
// pace at once.
type pace []moment

type moment struct {
	at    time.Time
	final int64 // deliveries that needed nothing more
}

// paceMoments is how many moments count: a quarter of a minute evens out the
// batches in which deliveries are settled.
const paceMoments = 15

func paceOf(run app.RunView, now time.Time) pace {
	first := moment{at: run.Began()}
	switch {
	case !run.FinishedAt.IsZero():
		now = run.FinishedAt
	case !run.Lately.Since.IsZero():
		first = moment{at: run.Lately.Since, final: run.Counts.Final() - run.Lately.Final}
	}
	return pace{first}.with(now, run.Counts.Final())
}

func (p pace) with(at time.Time, final int64) pace {
	p = append(p, moment{at, final})
	return p[max(len(p)-paceMoments, 0):]
}

// perMinute is the number of deliveries settled in a minute; 0 as long as it
// cannot be told.
func (p pace) perMinute() float64 {
	if len(p) < 2 {
		return 0
	}
	first, last := p[0], p[len(p)-1]
	if span := last.at.Sub(first.at); span > 0 && last.final > first.final {
		return float64(last.final-first.final) / span.Minutes()
	}
	return 0
}

// left is how long what is due now will take at this pace; false when that
// cannot be told.
func (v runProgress) left() (time.Duration, bool) {
	perMinute := v.Pace.perMinute()
	if !v.State.Open() || v.Held || v.Halt != "" || v.Waiting == 0 || perMinute == 0 {
		return 0, false
	}
	return time.Duration(float64(v.Waiting) / perMinute * float64(time.Minute)), true
}

// paceWords says how fast it goes: by the second where that is a number to
// imagine, and nothing while it stands.
func (v runProgress) paceWords(p ui.Page) string {
	perMinute := v.Pace.perMinute()
	switch {
	case perMinute >= 120:
		return p.N("runs.per_second", int64(perMinute/60))
	case perMinute >= 0.5:
		return p.N("runs.per_minute", int64(perMinute+0.5))
	}
	return ""
}

// runEvents sends a run's progress as server-sent events (HTML standard, section
// 9.2) until it is done, the visitor leaves, or the service stops. The event "acts" says
// that the visitor may do something else with the run than the page shows. The rights
// are asked for each time: who loses them sees no more. The event "done" makes
// the browser load the page once more.
func (w *Web) runEvents(r *request) error {
	id, err := r.id("id")
	if err != nil {
		return err
	}
	shown, err := w.App.Progress(r.in.Context(), r.actor, id)
	if err != nil {
		return err
	}
	r.out.Header().Set("Content-Type", "text/event-stream")
	r.out.Header().Set("Cache-Control", "no-store")
	r.out.Header().Set("X-Accel-Buffering", "no") // nginx would hold it back
	err = w.followRun(r, shown)
	if r.in.Context().Err() == nil && err != nil {
		r.Log.Warn("live progress broke off", "request", visitOf(r.in.Context()).id, "run", id, "error", err)
	}
	return nil // the answer has begun, so no other can be given
}

func (w *Web) followRun(r *request, shown app.Progress) error {
	live := liveStream{out: r.out, control: http.NewResponseController(r.out)}
	acts := r.field("acts") // that the page shows
	current := paceOf(shown.RunView, r.now)
	started := time.Now()
	for {
		if err := sendProgress(r, &live, runProgress{Progress: shown, Pace: current}); err != nil {
			return err
		}
		if !shown.State.Open() {
			return live.send("done", nil)
		}
		if now := (runProgress{Progress: shown}).acts(r.now); acts != "" && now != acts {
			acts = now
			if err := live.send("acts", nil); err != nil {
				return err
			}
		}
		err := stay(r.in.Context(), liveWait(max(time.Since(started), shown.Took)), func(ctx context.Context) error {
			_, err := w.App.Account(ctx, r.actor.ID)
			return err
		})
		if r.in.Context().Err() != nil {
			return nil
		}
		r.now = time.Now()
		started = r.now
		if err == nil {
			shown, err = w.progressAgain(r.in.Context(), r, shown.ID)
		}
		if err != nil {
			return errors.Join(err, live.send("done", nil)) // the page will say what is wrong
		}
		current = current.with(r.now, shown.Counts.Final())
	}
}

// liveWait is how long to wait after a progress that took so long to make.
func liveWait(took time.Duration) time.Duration { return min(max(liveEvery, liveRest*took), liveMost) }

// stay waits as long as the visitor is let in, and returns why they are not any more.
func stay(ctx context.Context, wait time.Duration, letIn func(context.Context) error) error {
	for until := time.Now().Add(wait); ; {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(left, liveRights)):
		}
		if err := letIn(ctx); err != nil {
			return err
		}
	}
}

// progressAgain asks with the rights that the visitor has now.
func (w *Web) progressAgain(ctx context.Context, r *request, id int64) (app.Progress, error) {
	actor, err := w.App.Account(ctx, r.actor.ID)
	if err != nil {
		return app.Progress{}, err
	}
	r.actor = actor
	_, there, err := w.Sessions.FindCtx(ctx, r.sessionKey())
	if err == nil && !there {
		err = mailing.Fault(mailing.NotFound, "not_found") // the session was ended
	}
	if err != nil {
		return app.Progress{}, err
	}
	return w.App.Progress(ctx, actor, id)
}

func sendProgress(r *request, live *liveStream, shown runProgress) error {
	var fragment bytes.Buffer
	if err := runLive(r.fragmentPage(), shown).Render(r.in.Context(), &fragment); err != nil {
		return err
	}
	return live.send("", fragment.Bytes())
}

// liveStream writes server-sent events.
type liveStream struct {
	out     http.ResponseWriter
	control *http.ResponseController
	last    []byte
}

// send writes one event and pushes it out. Data that was sent before becomes a
// comment, by which a connection that is gone is found out all the same.
func (s *liveStream) send(event string, data []byte) error {
	err := s.control.SetWriteDeadline(time.Now().Add(liveWrite))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	var text bytes.Buffer
	switch {
	case event != "":
		text.WriteString("event: " + event + "\n")
		writeData(&text, data)
	case bytes.Equal(data, s.last):
		text.WriteString(": the same\n")
	default:
		s.last = data
		writeData(&text, data)
	}
	text.WriteByte('\n')
	if _, err := s.out.Write(text.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}

func writeData(text *bytes.Buffer, data []byte) {
	for line := range bytes.Lines(data) {
		text.WriteString("data: ")
		text.Write(bytes.TrimRight(line, "\r\n"))
		text.WriteByte('\n')
	}
	if len(data) == 0 {
		text.WriteString("data:\n")
	}
}
