package app

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"vestnik/internal/compose"
)

// TestOwnMails renders all mails that Vestnik itself writes.
func TestOwnMails(t *testing.T) {
	files, err := fs.Glob(mails, "mails/*/*.md")
	if err != nil || len(files) < 20 || len(files)%2 != 0 {
		t.Fatalf("there are %d mails, %v", len(files), err)
	}
	vars := map[string]any{}
	for _, name := range []string{"first_name", "email", "site", "link", "code", "relay", "why", "passkey", "from", "left", "inviter", "old", "new", "who", "subject", "at"} {
		vars[name] = "value-of-" + name
	}
	for _, file := range files {
		lang, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(file, "mails/"), ".md"), "/")
		t.Run(name+" in "+lang+" is whole", func(t *testing.T) {
			content, err := ownMail(lang, name)
			if err != nil {
				t.Fatal(err)
			}
			template, err := compose.Compile(compose.Source{
				Subject: content.Subject, Body: content.Body, Format: content.Format, From: compose.Address{Email: "preview@localhost"},
			})
			if err != nil {
				t.Fatal(err)
			}
			subject, _, text, err := template.Preview(compose.Recipient{Email: "anna@example.org", FirstName: "value-of-first_name", Vars: vars})
			strangers := []string{mailInvite, mailConfirm, mailRegisterAgain, mailEmailNew} // whoever has the mailbox has not said their name
			if err != nil || subject == "" || slices.Contains(strangers, name) == strings.Contains(text, "value-of-first_name") {
				t.Errorf("%v: %q\n%s", err, subject, text)
			}
			if strings.ContainsAny(subject+text, "{}") {
				t.Errorf("something is not filled in: %q\n%s", subject, text)
			}
		})
	}
}
