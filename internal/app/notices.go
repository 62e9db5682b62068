package app

import (
	"context"
	"time"

	"vestnik/internal/mailing"
)

// The mails that tell people what was done to their account, whoever did it.
const (
	mailTOTPOn          = "totp_on"
	mailTOTPOff         = "totp_off"
	mailCodesRenewed    = "codes_renewed"
	mailCodeUsed        = "code_used"       // left
	mailPasskeyAdded    = "passkey_added"   // passkey
	mailPasskeyRemoved  = "passkey_removed" // passkey
	mailPasswordChanged = "password_changed"
	mailSessionsEnded   = "sessions_ended"
	mailFactorsReset    = "factors_reset"
	mailErasurePlanned  = "erasure_planned" // at
)

// tellingOf has a person be mailed what is done to their account next, and from where.
func (a *App) tellingOf(ctx context.Context, to mailing.Account, name string, vars map[string]any) (context.Context, error) {
	about := map[string]any{"link": a.BaseURL + "/profile/security", "from": ""}
	about["from"], _ = ctx.Value(originKey{}).(string)
	for key, value := range vars {
		about[key] = value
	}
	return a.telling(ctx, to, name, about)
}

// inMail is a moment as the person reads it: by their language and zone.
func inMail(to mailing.Account, at time.Time) string {
	if zone, err := mailing.LoadZone(to.Zone); err == nil {
		at = at.In(zone)
	}
	if to.Lang == "ru" {
		return at.Format("02.01.2006 15:04 (UTC-07:00)")
	}
	return at.Format("2 January 2006, 15:04 (UTC-07:00)")
}
