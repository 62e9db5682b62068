package app

import "vestnik/internal/mailing"

// SealForm seals a form that the actor has sent to an address, to be sent there again by
// the same person once they have proved who they are.
func (a *App) SealForm(actor mailing.Account, path string, form []byte) string {
	return a.keys.Seal("carried form", idText(actor.ID)+" "+path, form)
}

// OpenForm opens what SealForm sealed.
func (a *App) OpenForm(actor mailing.Account, path, sealed string) ([]byte, error) {
	form, err := a.keys.Open("carried form", idText(actor.ID)+" "+path, sealed)
	if err != nil {
		return nil, mailing.Fault(mailing.Invalid, "form_lost").Because(err)
	}
	return form, nil
}
