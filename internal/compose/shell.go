package compose

import (
	"strings"

	"vestnik/internal/compose/liquid"
)

// shellHead opens the document that Markdown is sent in: a card on a quiet
// page, one column, 600 pixels wide at most, with a dark twin for programs that
// ask for it. Nothing in it is loaded from anywhere.
const shellHead = `<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<style>
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.page{background:#15171a!important}
.card{background:#1f2226!important;color:#e4e7eb!important}
.card a{color:#7fb2ff!important}
.foot,.foot a{color:#98a2ad!important}
}
@media (max-width:640px){
.card{padding:24px 18px!important;border-radius:0!important}
.edge{padding:0!important}
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f2f4f6">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f2f4f6">
<tr><td class="edge" align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px">
<tr><td class="card" style="padding:32px 36px;background:#ffffff;color:#1f2933;border-radius:10px;font:16px/1.55 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;text-align:left;word-break:break-word">
`

const (
	shellFoot = `</td></tr>
<tr><td class="foot" align="center" style="padding:18px 12px;color:#66717c;font:13px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
`
	shellTail = `</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`
)

// documentHead opens the document around a fragment of HTML.
const documentHead = `<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
</head>
<body>
`

// inShell puts rendered Markdown into its document.
func inShell(content []liquid.Token, footer bool, lang string) []liquid.Token {
	whole := []liquid.Token{literal(opening(lang) + shellHead)}
	whole = append(whole, content...)
	if footer {
		whole = append(whole, literal(shellFoot))
		whole = append(whole, linkFooter(lang)...)
	}
	return append(whole, literal(shellTail))
}

// inDocument makes a document of HTML when it is a fragment, and adds the
// footer at the end of its body.
func inDocument(content []liquid.Token, footer bool, lang string) []liquid.Token {
	fragment := !hasTag(content, "<html") && !hasTag(content, "<body") && !hasTag(content, "<!doctype")
	var added []liquid.Token
	if footer {
		added = append(added, literal("\n"+`<p style="margin:24px 0;text-align:center;font:13px/1.5 sans-serif;color:#66717c">`))
		added = append(added, linkFooter(lang)...)
		added = append(added, literal("</p>\n"))
	}
	if fragment {
		whole := append([]liquid.Token{literal(opening(lang) + documentHead)}, content...)
		whole = append(whole, added...)
		return append(whole, literal("\n</body>\n</html>\n"))
	}
	return beforeBodyEnd(content, added)
}

// beforeBodyEnd inserts tokens before the last </body>, or at the end.
func beforeBodyEnd(content, added []liquid.Token) []liquid.Token {
	for i := len(content) - 1; i >= 0; i-- {
		if content[i].Kind != liquid.Text {
			continue
		}
		at := lastIndexFold(content[i].Text, "</body")
		if at < 0 {
			continue
		}
		whole := append([]liquid.Token{}, content[:i]...)
		whole = append(whole, literal(content[i].Text[:at]))
		whole = append(whole, added...)
		whole = append(whole, literal(content[i].Text[at:]))
		return append(whole, content[i+1:]...)
	}
	return append(append([]liquid.Token{}, content...), added...)
}

func hasTag(tokens []liquid.Token, tag string) bool {
	for _, t := range tokens {
		if t.Kind == liquid.Text && lastIndexFold(t.Text, tag) >= 0 {
			return true
		}
	}
	return false
}

// lastIndexFold finds an ASCII text without regard to case.
func lastIndexFold(s, sub string) int {
	for i := len(s) - len(sub); i >= 0; i-- {
		if s[i] == sub[0] && strings.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}

func literal(s string) liquid.Token { return liquid.Token{Kind: liquid.Text, Text: s} }

func unsubscribeURL() liquid.Token {
	return liquid.Token{Kind: liquid.Output, Text: "unsubscribe_url"}
}

func opening(lang string) string {
	if lang == "ru" {
		return "<!doctype html>\n<html lang=\"ru\">\n"
	}
	return "<!doctype html>\n<html lang=\"en\">\n"
}

// footerWords are the reason for the message and the word to leave with.
func footerWords(lang string) (reason, leave string) {
	if lang == "ru" {
		return "Вы получили это письмо, потому что подписаны на рассылку.", "Отписаться"
	}
	return "You received this message because you are subscribed to the mailing.", "Unsubscribe"
}

func linkFooter(lang string) []liquid.Token {
	reason, leave := footerWords(lang)
	return []liquid.Token{
		literal(reason + `<br><a href="`), unsubscribeURL(),
		literal(`" style="color:#66717c">` + leave + "</a>\n"),
	}
}

func textFooter(lang string) []liquid.Token {
	reason, leave := footerWords(lang)
	return []liquid.Token{literal("\n\n—\n" + reason + "\n" + leave + ": "), unsubscribeURL(), literal("\n")}
}
