package compose

import (
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

// TestPicturesAreFoundFromAnywhere looks at the addresses of pictures in what is sent and in
// what our own pages show.
func TestPicturesAreFoundFromAnywhere(t *testing.T) {
	const name = "/pictures/0123456789abcdef0123456789abcdef"
	const base = "https://mail.example.org:8443"
	for _, c := range []struct {
		format     mailing.Format
		body, want string
	}{
		{mailing.FormatMarkdown, "Чай\n\n![чай](" + name + ")", `<img src="` + base + name + `" alt="чай"`},
		{mailing.FormatMarkdown, "[Чай](" + name + ")", `href="` + base + name + `"`},
		{mailing.FormatHTML, `<IMG SRC='` + name + `'>`, `<IMG SRC='` + base + name + `'>`},
		{mailing.FormatHTML, `<td style="background:url(` + name + `)">{{ first_name }}</td>`, `url(` + base + name + `)`},
		{mailing.FormatHTML, `<img src=` + name + `>`, `<img src=` + base + name + `>`},
		{mailing.FormatHTML, `<img src="https://other.example` + name + `">`, `<img src="https://other.example` + name + `">`},
		{mailing.FormatHTML, `<img src="/pictures/other.png">`, `<img src="/pictures/other.png">`},
		{mailing.FormatHTML, `<p>/pictures/ ` + name + `</p>`, `<p>/pictures/ ` + name + `</p>`},
	} {
		for of, want := range map[string]string{base: c.want, "": strings.ReplaceAll(c.want, base, "")} {
			template, err := Compile(Source{Subject: "Чай", Body: c.body, Format: c.format, Lang: "ru", Base: of, From: Address{Email: "news@example.com"}})
			if err != nil {
				t.Fatal(err)
			}
			_, html, text, err := template.Preview(someRecipient())
			if err != nil || !strings.Contains(html, want) {
				t.Errorf("%s with %q becomes\n%s, %v; want %s", c.body, of, html, err, want)
			}
			if of != "" && strings.Contains(c.body, "[Чай]") && !strings.Contains(text, base+name) {
				t.Errorf("the text says %q", text)
			}
		}
	}
}
