package app

import (
	"context"
	"slices"

	"vestnik/internal/mailing"
)

// Profile is what a person may change of themselves.
type Profile struct{ FirstName, LastName, Phone, Lang, Zone, Theme string }

// UpdateProfile stores the actor's profile.
func (a *App) UpdateProfile(ctx context.Context, actor mailing.Account, p Profile) error {
	actor.FirstName, actor.LastName = mailing.CleanLine(p.FirstName), mailing.CleanLine(p.LastName)
	actor.Phone, actor.Lang, actor.Zone, actor.Theme = mailing.CleanLine(p.Phone), p.Lang, p.Zone, p.Theme
	var problems mailing.Problems
	checkNames(&problems, actor)
	if len([]rune(actor.Phone)) > 32 || !phoneShape(actor.Phone) {
		problems.Add("phone", "phone_malformed")
	}
	checkSpeech(&problems, actor)
	if err := problems.Err(); err != nil {
		return err
	}
	defer a.accountsChanged(ctx)
	return wrap(a.storeProfile(ctx, actor), "update profile")
}

// storeProfile stores what has changed, if anything has.
func (a *App) storeProfile(ctx context.Context, actor mailing.Account) error {
	was, err := a.store.Account(ctx, actor.ID)
	if err != nil {
		return err
	}
	before, after := changes(accountFacts(was), accountFacts(actor))
	if len(after) == 0 {
		return nil
	}
	return a.store.UpdateProfile(a.doing(ctx, actor, mailing.Deed{
		Action: "account.update_profile", Thing: accountThing(actor), Owner: actor.ID,
		Before: ofPerson(before), After: ofPerson(after),
	}), actor)
}

// themes are the ways that pages can look, "" being as before there was a choice.
var themes = []string{"", "auto", "light", "dark"}

// SetTheme keeps how a signed-in person wants the pages to look, on whatever device
// they come with.
func (a *App) SetTheme(ctx context.Context, actor mailing.Account, theme string) error {
	if theme == "" || !slices.Contains(themes, theme) {
		return mailing.FieldFault(mailing.Invalid, "theme", "choice_unknown")
	}
	if theme == actor.Theme {
		return nil
	}
	ctx = a.doing(ctx, actor, mailing.Deed{
		Action: "account.update_profile", Thing: accountThing(actor), Owner: actor.ID,
		Before: mailing.Facts{"theme": actor.Theme}, After: mailing.Facts{"theme": theme},
	})
	actor.Theme = theme
	return wrap(a.store.SetTheme(ctx, actor), "set theme")
}

// SetLang keeps the language a signed-in person switched to.
func (a *App) SetLang(ctx context.Context, actor mailing.Account, lang string) error {
	if lang != "ru" && lang != "en" {
		return mailing.FieldFault(mailing.Invalid, "lang", "choice_unknown")
	}
	actor.Lang = lang
	defer a.accountsChanged(ctx)
	return wrap(a.storeProfile(ctx, actor), "set language")
}

// phoneShape reports whether s looks like a phone number in any country's manner
// of writing, or is empty (ITU-T E.164 has up to 15 digits).
func phoneShape(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r != '+' && r != '-' && r != ' ' && r != '(' && r != ')' && r != '.':
			return false
		}
	}
	return s == "" || digits >= 3 && digits <= 15
}
