package deliver

import (
	"strings"
	"testing"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
	"vestnik/internal/smtpsink"
	"vestnik/internal/store/storetest"
)

func TestPicturesComeFromWhereWeAre(t *testing.T) {
	w := newWorld(t, storetest.New(t), 1, smtpsink.Options{Keep: true})
	const name = compose.PicturePath + "0123456789abcdef0123456789abcdef"
	message := storetest.Message(t, w.Store, mailing.Message{OwnerID: w.owner.ID, Format: mailing.FormatMarkdown, Body: "![](" + name + ")"})
	id := w.open(t, w.mailing(t, mailing.Mailing{MessageID: message.ID}))
	w.start(t, func(c *Config) { c.BaseURL = "https://vestnik.test" })
	w.complete(t, id)
	for _, m := range w.sink.Messages() {
		p, err := compose.Parse(m.Data)
		ok(t, err)
		if !strings.Contains(p.HTML, `src="https://vestnik.test`+name+`"`) {
			t.Errorf("the mail says %s", p.HTML)
		}
	}
	w.check(t, 1, id)
}
