package bench

import (
	"strings"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/compose"
	"vestnik/internal/mailing"
)

// letter is what is sent: HTML with a text twin, of about 4 KB as it leaves, with
// three merge fields and a way to unsubscribe.
var letter = app.MessageForm{
	Subject: "News for {{ first_name }}",
	Format:  mailing.FormatHTML,
	Body: `<h1>Hello, {{ first_name }} {{ last_name }}!</h1>
<p>You are on our list {{ comment }}, and here is what is new.</p>
` + strings.Repeat(`<p style="margin:0 0 12px">The <a href="https://bench.test/autumn">autumn catalogue</a> is there: `+
		`warm things, good tea, and books for long evenings.</p>
`, 10) + `<p>Yours, the team</p>`,
}

// sample is the letter as one recipient gets it.
func sample() ([]byte, error) {
	t, err := compose.Compile(compose.Source{
		Subject: letter.Subject, Body: letter.Body, Format: letter.Format, Lang: "en", Unsubscribe: true,
		From: compose.Address{Name: "News", Email: "news@bench.test"}, ListID: "mailing-1.bench.test",
	})
	if err != nil {
		return nil, err
	}
	return t.Render(nil, compose.Recipient{
		Email: recipient(1), FirstName: "Anna 1", LastName: "Ivanova", Comment: "since 2019",
		UnsubscribeURL: "https://vestnik.bench.test/unsubscribe/" + strings.Repeat("x", 60),
		MessageID:      strings.Repeat("x", 24) + "@bench.test", Date: time.Now(),
	})
}
