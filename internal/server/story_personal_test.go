package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/chromedp/chromedp"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/server"
)

// TestStoryPersonalData is of a person who forgets a client and then wants to leave.
func TestStoryPersonalData(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	for _, lang := range []string{"ru", "en"} {
		t.Run(lang, func(t *testing.T) {
			if lang == "en" {
				needSystem(t) // a browser computes for long, and the other language tells the same
			}
			storyPersonalData(t, lang)
		})
	}
}

func storyPersonalData(t *testing.T, lang string) {
	c := storySettings(t)
	ctx := context.Background()
	b, err := server.Open(ctx, c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := b.App.CreateAccount(ctx, app.NewAccount{
		Email: "maria@example.org", FirstName: "Maria", Password: storyPassword, Role: mailing.RoleUser, Lang: lang,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := b.App.CreateContact(ctx, owner, mailing.Contact{Email: "anna@example.com", FirstName: "Anna", LastName: "Petrova"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	v := newStoryVisitor(t, storyService(t, c), lang)
	v.open("/login")
	v.fill("email", "maria@example.org")
	v.fill("password", storyPassword)
	v.press(v.T("action.sign_in"))
	v.open(fmt.Sprintf("/clients/%d", client.ID))
	v.sees(v.T("personal.client_text"), v.T("personal.export"))
	v.look("client-personal")
	v.click(`button[popovertarget="erase"]`)
	v.sees(v.T("personal.client_question_text"))
	v.look("client-erase")
	v.follow("erase", chromedp.Click(chromedp.CSS(`#erase button[type=submit]`)))
	v.sees(v.T("personal.client_erased"))

	v.open("/profile")
	v.press(v.T("personal.open"))
	v.look("data")
	v.fill("password", storyPassword)
	v.press(v.T("personal.erase_account"))
	v.sees(v.T("personal.planned_text"))
	v.look("data-planned")
	v.press(v.T("personal.keep"))
	v.sees(v.T("personal.kept"))
}
