package compose

import (
	"strings"
	"testing"
)

func TestALinkThatShowsItsAddressStandsOnceInTheText(t *testing.T) {
	template, err := Compile(Source{Subject: "x", Body: "Go: [{{ link }}]({{ link }}).", Format: "markdown", Lang: "en", From: Address{Email: "a@example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	mail, err := template.Render(nil, Recipient{Email: "b@example.org", MessageID: "x@example.org", Vars: map[string]any{"link": "http://127.0.0.1:8000/a?b=c"}})
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(mail), "text/html")
	if n := strings.Count(text, "http://127.0.0.1:8000/a"); n != 1 {
		t.Errorf("it stands there %d times:\n%s", n, text)
	}
}
