package web

import (
	"cmp"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

// starterFiles are letters to begin with, by language. The first line is the subject; an
// empty line ends the head.
//
//go:embed starters
var starterFiles embed.FS

// starterNames are all starters, in the order in which they are offered. The last is text
// without any form.
func starterNames() []string {
	return []string{"newsletter", "announcement", "invitation", "thanks", letterStarter}
}

const letterStarter = "letter"

func (w *Web) starterRoutes() []Route {
	return []Route{
		{Pattern: "GET /messages/starters", Access: SignedIn, Serve: listStarters},
		{Pattern: "GET /messages/starters/{name}/thumbnail", Access: SignedIn, Serve: showStarter},
	}
}

func listStarters(r *request) error {
	return r.render(http.StatusOK, startersPage(r.page(r.T("messages.starters"))))
}

// showStarter shows a starter as a reader would see it.
func showStarter(r *request) error {
	form, ok := starter(r.Lang(), r.in.PathValue("name"))
	if !ok {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	return r.thumbnail(form)
}

// starter is the message of that name in the language.
func starter(lang, name string) (app.MessageForm, bool) {
	text, err := fs.ReadFile(starterFiles, path.Join("starters", lang, name+".txt"))
	if err != nil { // there is none
		return app.MessageForm{}, false
	}
	subject, body, _ := strings.Cut(string(text), "\n\n")
	if name == letterStarter {
		return app.MessageForm{Subject: subject, Format: mailing.FormatText, Body: body}, true
	}
	return app.MessageForm{Subject: subject, Format: mailing.FormatHTML, Body: starterMail(lang, name, body)}, true
}

// starterColors are what the heads of the starters are filled with; white on each can be
// read (WCAG 2.2, 1.4.3).
var starterColors = map[string]string{
	"newsletter": "#0b6b75", "announcement": "#3a4fb5", "invitation": "#7a3b86", "thanks": "#a8481f",
}

// starterBlocks are the parts of a mail by the word that their line begins with. Mail
// programs know no style sheets, so each part has its style with it; what stands between
// broken bars in the line comes in place of $1, $2 and $3.
var starterBlocks = map[string]string{
	"kicker": `<tr><td style="padding:36px 36px 0;background:$color;color:#ffffff;font:13px/1.4 $font;letter-spacing:.06em;text-transform:uppercase">$1</td></tr>`,
	"title":  `<tr><td style="padding:10px 36px 34px;background:$color;color:#ffffff;font:bold 30px/1.25 $font">$1</td></tr>`,
	"lead":   `<tr><td style="padding:32px 36px 0;color:#1d2730;font:18px/1.55 $font">$1</td></tr>`,
	"text":   `<tr><td style="padding:16px 36px 0;color:#36424d;font:16px/1.6 $font">$1</td></tr>`,
	"item":   `<tr><td style="padding:24px 36px 0;color:#36424d;font:16px/1.6 $font"><strong style="display:block;padding-bottom:4px;color:#1d2730;font:bold 18px/1.4 $font">$1</strong>$2<br><a href="https://example.org" style="color:$color">$3</a></td></tr>`,
	"fact":   `<tr><td style="padding:14px 36px 0;color:#1d2730;font:16px/1.5 $font"><span style="color:#5b6873">$1</span><br><strong>$2</strong></td></tr>`,
	"quote":  `<tr><td style="padding:24px 36px 0"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td style="padding:16px 20px;border-left:4px solid $color;background:#f4f6f8;color:#1d2730;font:italic 17px/1.55 $font">$1</td></tr></table></td></tr>`,
	"button": `<tr><td style="padding:28px 36px 0"><table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td style="border-radius:8px;background:$color"><a href="https://example.org" style="display:inline-block;padding:14px 26px;color:#ffffff;font:bold 16px/1.2 $font;text-decoration:none">$1</a></td></tr></table></td></tr>`,
	"sign":   `<tr><td style="padding:28px 36px 36px;color:#36424d;font:16px/1.6 $font">$1</td></tr>`,
	"foot":   `<tr><td style="padding:20px 36px;background:#f4f6f8;color:#5b6873;font:13px/1.6 $font">$1<br><a href="{{ unsubscribe_url }}" style="color:#5b6873">$2</a></td></tr>`,
}

const (
	starterHead = `<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
</head>
<body style="margin:0;padding:0;background:#e9eef1">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#e9eef1">
<tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;background:#ffffff">
`
	starterTail = `</table>
</td></tr>
</table>
</body>
</html>
`
	starterFont = "Helvetica,Arial,sans-serif"
)

// starterMail makes a mail of a starter's lines, each of which is a part: its word, a
// colon, and what it says.
func starterMail(lang, name, lines string) string {
	var mail strings.Builder
	mail.WriteString(starterHead)
	for line := range strings.Lines(lines) {
		word, says, _ := strings.Cut(strings.TrimSpace(line), ": ")
		block := starterBlocks[word]
		for i, part := range strings.Split(says, " ¦ ") {
			block = strings.ReplaceAll(block, "$"+string(rune('1'+i)), part)
		}
		mail.WriteString(block)
		mail.WriteString("\n")
	}
	mail.WriteString(starterTail)
	return strings.NewReplacer("$color", cmp.Or(starterColors[name], "#0b6b75"), "$font", starterFont, "$lang", lang).Replace(mail.String())
}
