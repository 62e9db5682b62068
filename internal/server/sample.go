package server

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/auth"
	"vestnik/internal/mailing"
)

// The examples of a first start: who the clients are and what is written to
// them. Their addresses are of domains that nobody can own (RFC 2606).
//
//go:embed sample
var sampleFiles embed.FS

type sample struct {
	FirstName, LastName string
	Contacts            []struct{ Email, FirstName, LastName, Comment string }
	Messages            []app.MessageForm
	Posts               []samplePost
}

// samplePost is a post of the blog with a picture, published some days before the start.
type samplePost struct {
	Title, Body, Picture string
	DaysAgo              int
}

const sampleEmail = "demo@example.com"

// addSample fills an empty database with examples, one of which is due at once,
// and tells how to sign in.
func (b *Base) addSample(ctx context.Context) error {
	n, err := b.Store.CountAccounts(ctx)
	if err == nil && n > 0 {
		err = b.sayWhereSample(ctx)
	}
	if err != nil || n > 0 {
		return err
	}
	lang := "en"
	if strings.HasPrefix(os.Getenv("LANG"), "ru") {
		lang = "ru"
	}
	s, err := readSample(lang)
	if err != nil {
		return err
	}
	ctx = app.AsOperator(ctx) // nobody has signed in yet
	password := auth.NewToken()[:16]
	owner, err := b.App.CreateAccount(ctx, app.NewAccount{
		Email: sampleEmail, FirstName: s.FirstName, LastName: s.LastName, Password: password,
		Role: mailing.RoleAdmin, Lang: lang,
	})
	if err != nil {
		return err
	}
	if err := b.fillSample(ctx, owner, s); err != nil {
		return err
	}
	for _, post := range s.Posts {
		if err := b.addSamplePost(ctx, owner, post); err != nil {
			return err
		}
	}
	b.Log.Info("sample data is there; sign in", "address", b.Config.BaseURL+"/login", "email", sampleEmail, "password", password)
	return nil
}

// sayWhereSample tells who has missed or forgotten how to sign in to the sample account that
// was made at an earlier start where to set a new password: the link comes to the demo mailbox.
func (b *Base) sayWhereSample(ctx context.Context) error {
	_, err := b.App.AccountByEmail(ctx, sampleEmail)
	if mailing.KindOf(err) == mailing.NotFound || err == nil && !b.roads.demo() {
		return nil
	}
	if err == nil {
		b.Log.Info("the sample account is there; set a new password if you do not know it", "address", b.Config.BaseURL+"/reset", "email", sampleEmail, "mail", b.Config.BaseURL+"/demo")
	}
	return err
}

func readSample(lang string) (s sample, err error) {
	text, err := sampleFiles.ReadFile("sample/" + lang + ".json")
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("server: sample: %w", err)
	}
	return s, nil
}

// exampleSet are the clients of the sample whose mails arrive at once, and its first message:
// nothing of it is still on its way when a mail server takes the demo mailbox's place.
func exampleSet(lang string) (set app.ExampleSet, err error) {
	if lang != "ru" {
		lang = "en"
	}
	s, err := readSample(lang)
	if err != nil {
		return set, err
	}
	for _, c := range s.Contacts {
		if strings.Contains(c.Email, "+") { // by which the demo mailbox knows whom to refuse
			continue
		}
		set.Contacts = append(set.Contacts, mailing.Contact{
			Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, Comment: c.Comment,
		})
	}
	set.Message = s.Messages[0]
	return set, nil
}

// fillSample makes clients, messages and mailings, which their owner can remove in one as
// examples.
func (b *Base) fillSample(ctx context.Context, owner mailing.Account, s sample) error {
	var made []mailing.Thing
	for _, c := range s.Contacts {
		contact, err := b.App.CreateContact(ctx, owner, mailing.Contact{
			Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, Comment: c.Comment,
		})
		if err != nil {
			return err
		}
		made = append(made, mailing.Thing{Kind: mailing.ThingContact, ID: contact.ID})
	}
	now := time.Now().In(b.Config.Zone)
	today := mailing.DateOf(now)
	soon := mailing.Clock{Hour: now.Hour(), Minute: now.Minute()}
	rules := []mailing.Rule{
		{Frequency: mailing.Once, Start: today, At: soon},
		{Frequency: mailing.Weekly, Start: today, At: mailing.Clock{Hour: 10}, Weekdays: []time.Weekday{time.Tuesday}},
		{Frequency: mailing.Monthly, Start: today, At: mailing.Clock{Hour: 9}, MonthlyBy: mailing.ByDay, Day: 31},
	}
	for i, form := range s.Messages {
		message, err := b.App.CreateMessage(ctx, owner, form)
		if err != nil {
			return err
		}
		rule := rules[i%len(rules)]
		rule.Zone = b.Config.Zone.String()
		m, err := b.App.CreateMailing(ctx, owner, app.MailingForm{
			MessageID: message.ID, Audience: mailing.AudienceAll, Rule: rule, Doubt: mailing.NeverTwice,
		})
		if err != nil {
			return err
		}
		made = append(made, mailing.Thing{Kind: mailing.ThingMessage, ID: message.ID}, mailing.Thing{Kind: mailing.ThingMailing, ID: m.ID})
	}
	return b.App.NoteExamples(ctx, owner, made)
}

func (b *Base) addSamplePost(ctx context.Context, owner mailing.Account, post samplePost) error {
	picture, err := sampleFiles.Open("sample/" + post.Picture)
	if err != nil {
		return fmt.Errorf("server: sample: %w", err)
	}
	defer picture.Close()
	cover, err := b.App.AddPicture(ctx, owner, picture)
	if err != nil {
		return err
	}
	_, err = b.App.CreatePost(ctx, owner, app.PostForm{
		Title: post.Title, Body: post.Body, Cover: cover, Publish: true, At: time.Now().AddDate(0, 0, -post.DaysAgo),
	})
	return err
}
