package web

import (
	"encoding/base64"
	"net/http"

	"github.com/a-h/templ"
	"github.com/piglig/go-qr"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/web/ui"
)

// securityPath is the page on which people guard their account.
const securityPath = "/profile/security"

func (w *Web) securityRoutes() []Route {
	return []Route{
		{Pattern: "GET " + securityPath, Access: SignedIn, Serve: showSecurity},
		{Pattern: "POST " + securityPath + "/password", Access: SignedIn, Serve: changePassword},
		{Pattern: "GET " + securityPath + "/totp", Access: SignedIn, Fresh: true, Serve: newTOTP},
		{Pattern: "POST " + securityPath + "/totp", Access: SignedIn, Fresh: true, Serve: enableTOTP},
		{Pattern: "POST " + securityPath + "/totp/disable", Access: SignedIn, Fresh: true, Serve: disableTOTP},
		{Pattern: "POST " + securityPath + "/codes", Access: SignedIn, Fresh: true, Serve: renewCodes},
		{Pattern: "GET " + securityPath + "/passkeys", Access: SignedIn, Fresh: true, Serve: newPasskey},
		{Pattern: "POST " + securityPath + "/passkeys/ask", Access: SignedIn, Serve: beginPasskey, Limit: noBody},
		{Pattern: "POST " + securityPath + "/passkeys", Access: SignedIn, Fresh: true, Serve: addPasskey},
		{Pattern: "POST " + securityPath + "/passkeys/rename", Access: SignedIn, Fresh: true, Serve: renamePasskey},
		{Pattern: "POST " + securityPath + "/passkeys/remove", Access: SignedIn, Fresh: true, Serve: removePasskey},
		{Pattern: "POST " + securityPath + "/sessions/end", Access: SignedIn, Serve: endSession},
		{Pattern: "POST " + securityPath + "/sessions/end_others", Access: SignedIn, Serve: endOtherSessions},
	}
}

// securityView is what the page shows.
type securityView struct {
	factors  app.Factors
	sessions []mailing.Session
	here     string // key of the session of this visit
}

func (v securityView) others() bool { return len(v.sessions) > 1 }

func showSecurity(r *request) error { return r.showSecurity(http.StatusOK, nil) }

func (r *request) showSecurity(status int, problems map[string]string) error {
	v := securityView{here: r.sessionKey()}
	var err error
	if v.factors, err = r.App.Factors(r.in.Context(), r.actor.ID); err != nil {
		return err
	}
	if v.sessions, err = r.App.Sessions(r.in.Context(), r.actor); err != nil {
		return err
	}
	return r.render(status, securityPage(r.page(r.T("security.title")), v, problems))
}

func changePassword(r *request) error {
	era, err := r.App.ChangePassword(r.in.Context(), r.from, r.actor, r.sessionKey(), app.PasswordChange{
		Old: r.field("old"), New: r.field("password"), Again: r.field("again"),
	})
	if err == nil {
		return r.goOn(era, r.T("security.password_changed"))
	}
	problems, aboutForm := r.problems(err)
	if !aboutForm {
		return err
	}
	return r.showSecurity(statuses[mailing.KindOf(err)], problems)
}

func newTOTP(r *request) error {
	return r.render(http.StatusOK, r.totpPage(r.App.BeginTOTP(r.actor), nil))
}

func (r *request) totpPage(t app.NewTOTP, problems map[string]string) templ.Component {
	return totpPage(r.page(r.T("security.totp_new")), t, problems)
}

func enableTOTP(r *request) error {
	draft := r.field("draft")
	codes, err := r.App.EnableTOTP(r.in.Context(), r.from, r.actor, draft, r.field("code"))
	if err == nil {
		return r.enabled(codes, r.T("security.totp_enabled"))
	}
	shown, lost := r.App.ResumeTOTP(r.actor, draft)
	if lost != nil {
		return lost
	}
	return r.mend(err, func(problems map[string]string) templ.Component { return r.totpPage(shown, problems) })
}

func disableTOTP(r *request) error {
	if err := r.App.DisableTOTP(r.in.Context(), r.actor); err != nil {
		return err
	}
	return r.done(securityPath, r.T("security.totp_disabled"))
}

// enabled says that a second factor is there, and shows the recovery codes that come
// with the first.
func (r *request) enabled(codes []string, sentence string) error {
	if len(codes) == 0 {
		return r.done(securityPath, sentence)
	}
	r.flash(ui.Success, sentence)
	return r.showCodes(codes)
}

func renewCodes(r *request) error {
	codes, err := r.App.RenewRecoveryCodes(r.in.Context(), r.actor)
	if err != nil {
		return err
	}
	return r.showCodes(codes)
}

// showCodes is the answer itself and not a page to go to: they are shown once.
func (r *request) showCodes(codes []string) error {
	return r.render(http.StatusOK, codesPage(r.page(r.T("security.codes")), codes))
}

func endSession(r *request) error {
	if err := r.App.EndSession(r.in.Context(), r.actor, number(r.field("id"))); err != nil {
		return err
	}
	return r.done(securityPath, r.T("security.session_ended"))
}

func endOtherSessions(r *request) error {
	era, err := r.App.EndOtherSessions(r.in.Context(), r.actor, r.sessionKey())
	if err != nil {
		return err
	}
	return r.goOn(era, r.T("security.others_ended"))
}

// goOn goes on in the session of this visit after all others were ended, under a new token:
// they may be by a copy of this one's.
func (r *request) goOn(era int64, sentence string) error {
	until := r.sessions.Deadline(r.in.Context())
	if err := r.sessions.RenewToken(r.in.Context()); err != nil {
		return err
	}
	r.sessions.SetDeadline(r.in.Context(), until) // else it could be put off for ever
	r.keepEra(era)
	return r.done(securityPath, sentence)
}

// What a QR code is drawn with: pixels a module, which a phone's camera reads from a
// screen, and the margin in modules that the standard asks for (ISO/IEC 18004).
const (
	qrScale  = 5
	qrMargin = 4
)

// qrImage is a QR code as an image that stands in the page; empty if the text is too
// long for one.
func qrImage(text string) string {
	code, err := go_qr.EncodeText(text, go_qr.Medium)
	if err != nil {
		return ""
	}
	image, err := code.ToPNGBytes(go_qr.NewQrCodeImgConfig(qrScale, qrMargin))
	if err != nil {
		return ""
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(image)
}

func sessionColumns(p ui.Page) []ui.Column {
	return []ui.Column{
		{Title: p.T("security.device")},
		{Title: p.T("security.address")},
		{Title: p.T("security.first_seen")},
		{Title: p.T("security.last_seen")},
		{Title: p.T("security.session_end"), Unseen: true},
	}
}

// deviceWords says what a session runs in.
func deviceWords(p ui.Page, s mailing.Session) string {
	if words := device(s.Agent); words != "" {
		return words
	}
	return p.T("security.device_unknown")
}

// fewCodes is from how many recovery codes on a person is warned; chosen.
const fewCodes = 3

func recoveryTone(left int64) ui.Tone {
	if left <= fewCodes {
		return ui.Warning
	}
	return ui.Success
}

// focusIf puts the cursor into a field with a problem: its form stands far down the page.
func focusIf(problem string) templ.Attributes { return templ.Attributes{"autofocus": problem != ""} }
