package server_test

import (
	"log/slog"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/server"
)

func TestRefusedStory(t *testing.T) {
	t.Parallel()
	storyNeeds(t)
	t.Run("an admin sees that a site does not want our mail", func(t *testing.T) {
		t.Parallel()
		c := storySettings(t)
		a := adminStory{mailing: storySuperuser(t, c)}
		a.storyVisitor = newStoryVisitor(t, storyService(t, c), "ru")
		a.activate()
		why := storyRefusal(t, c)
		a.open("/clients")
		a.sees(a.N("relay.alarm_sites", 2, "name", "mail.example.org", "sites", "Google (Gmail, Workspace), blocking.test"))
		a.look("sites-alarm")
		a.press(a.T("relay.alarm_sites_look"))
		a.sees(a.T("relay.sites_title"), why)
		a.look("sites")
		a.press(a.T("action.save"))
		a.sees(a.T("relay.saved", "name", "mail.example.org"))
		a.holds("the alarm is over", `!document.querySelector(".alarm")`)
	})
}

// storyRefusal sets up sending directly, and has two sites refuse it as the engine
// does, one of them on two nodes. It returns what one says.
func storyRefusal(t *testing.T, c config.Config) (why string) {
	t.Helper()
	base, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	id, err := base.App.CreateRelay(t.Context(), app.Operator, app.RelaySettings{
		Kind: app.RelayMX, HeloName: "mail.example.org", FromEmail: "news@example.org", Weight: 10, Enabled: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	why = "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7"
	now := time.Now()
	for _, trouble := range []app.SiteTrouble{
		{Node: "vestnik-1-k3v9q2m7", Site: "blocking.test", Name: "blocking.test", Why: why, Since: now.Add(-3 * time.Hour), Until: now.Add(50 * time.Minute)},
		{Node: "vestnik-1-k3v9q2m7", Site: "google", Name: "Google (Gmail, Workspace)", Why: "421 4.7.0 unusual rate", Since: now.Add(-time.Minute), Until: now.Add(time.Minute)},
		{Node: "vestnik-2-w8x4c1p0", Site: "google", Name: "Google (Gmail, Workspace)", Why: "421 4.7.0 unusual rate", Since: now.Add(-time.Hour), Until: now.Add(20 * time.Minute)},
	} {
		trouble.RelayID = id
		if err := base.Store.PutSiteTrouble(t.Context(), trouble); err != nil {
			t.Fatal(err)
		}
	}
	return why
}
