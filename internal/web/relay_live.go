package web

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// relayStep is one line of the test.
type relayStep struct {
	name    string
	problem string // empty: it went well
	advice  string // what to do about it; may be empty
	field   string // in which it is mended; empty: in none
}

// testRelay tries the settings of the form, step by step. With scripts each step is shown as
// it happens; without, all of them in the end.
func testRelay(r *request) error {
	form, err := r.typedRelay(int64(max(wholeNumber(r.field("id")), 0)))
	if err != nil {
		return err
	}
	form.tested, form.running, form.mailTo = true, true, mailing.DisplayEmail(r.actor.Email)
	live := r.liveTest()
	err = r.App.TestRelayWithMail(r.in.Context(), r.actor, form.settings, func(name string, err error) {
		if name != app.TestBegins {
			form.steps = append(form.steps, r.relayStep(form.settings, name, err))
		}
		live.show(r, form)
	})
	if err != nil && !live.begun {
		return r.mend(err, func(problems map[string]string) templ.Component { return r.relayPage(form, problems) })
	}
	form.running = false
	if live.show(r, form) {
		live.end(r, err)
		return nil
	}
	return r.render(http.StatusOK, r.relayPage(form, nil))
}

func (r *request) relayStep(s app.RelaySettings, name string, err error) relayStep {
	step := relayStep{name: name}
	if err == nil {
		return step
	}
	step.problem = r.Error(err)
	if mailing.CodeOf(err) == "" {
		r.Log.Warn("relay test broke off", "step", name, "error", err)
	}
	return r.mended(s, step, err)
}

// liveTest is how a test is shown while it goes on.
type liveTest struct {
	wanted bool
	stream liveStream
	begun  bool
}

// liveTest asks whether the script of the page takes events (HTML standard, section 9.2) for
// an answer.
func (r *request) liveTest() *liveTest {
	return &liveTest{
		wanted: strings.Contains(r.in.Header.Get("Accept"), "text/event-stream"),
		stream: liveStream{out: r.out, control: http.NewResponseController(r.out)},
	}
}

// show sends how far the test has come, and reports whether it does so at all.
func (l *liveTest) show(r *request, form relayForm) bool {
	if !l.wanted {
		return false
	}
	if !l.begun {
		r.out.Header().Set("Content-Type", "text/event-stream")
		r.out.Header().Set("Cache-Control", "no-store")
		r.out.Header().Set("X-Accel-Buffering", "no") // nginx would hold it back
		l.begun = true
	}
	var fragment bytes.Buffer
	err := relayTestPart(r.fragmentPage(), form, nil).Render(r.in.Context(), &fragment)
	if err == nil {
		err = l.stream.send("", fragment.Bytes())
	}
	if err != nil && r.in.Context().Err() == nil {
		r.Log.Warn("the test of a relay cannot be shown", "error", err)
	}
	return true
}

// end lets the connection serve other requests, and tells of what went wrong on our side: the
// answer has begun, so that no other can be given.
func (l *liveTest) end(r *request, err error) {
	if err != nil {
		r.Log.Error("the test of a relay broke off", "request", visitOf(r.in.Context()).id, "error", err)
	}
	_ = l.stream.control.SetWriteDeadline(time.Time{}) // it fails where there is no connection
}

// failed reports whether the test found something wrong.
func (f relayForm) failed() bool {
	return len(f.steps) > 0 && f.steps[len(f.steps)-1].problem != ""
}

// ahead are the steps that the test has not come to: while it runs, the first is the one that
// is being taken.
func (f relayForm) ahead() []string {
	names := f.order()
	if !f.running && !f.failed() {
		return nil
	}
	if len(f.steps) == 0 {
		return names
	}
	last := slices.Index(names, f.steps[len(f.steps)-1].name)
	return names[last+1:]
}

// order lists the steps of a test with the settings.
func (f relayForm) order() []string {
	if f.settings.Kind == app.RelayMX {
		return []string{"helo", "reverse", "outside", app.StepDelivered}
	}
	names := []string{"resolve", "connect", "greeting", "tls", "auth", "sender", "recipient", app.StepDelivered}
	if f.settings.TLS == "implicit" {
		names[2], names[3] = names[3], names[2]
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return name == "tls" && f.settings.TLS == "none" || name == "auth" && f.settings.Username == ""
	})
}

// stepName says what a step is about.
func stepName(p ui.Page, form relayForm, name string) string {
	return p.T("relay.step."+name, "email", form.mailTo)
}
