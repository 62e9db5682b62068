package mailing

import "testing"

func TestContactCheck(t *testing.T) {
	t.Run("fields are trimmed and the address normalised", func(t *testing.T) {
		c := Contact{Email: " Anna@Example.org ", FirstName: " Анна\t", LastName: "Пет\nрова", Comment: "\x00\n од\x00на\nдве\xff "}
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		if c.Email != "anna@example.org" || c.FirstName != "Анна" || c.LastName != "Пет рова" || c.Comment != "одна\nдве\uFFFD" {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("limits count characters, and all that is wrong is said at once", func(t *testing.T) {
		long := func(n int) string {
			text := make([]rune, n)
			for i := range text {
				text[i] = 'я'
			}
			return string(text)
		}
		c := Contact{Email: "a@x.ru", FirstName: long(MaxNameRunes), LastName: long(MaxNameRunes), Comment: long(MaxCommentRunes)}
		if err := c.Check(); err != nil {
			t.Errorf("at the limits: %v", err)
		}
		c = Contact{FirstName: long(MaxNameRunes + 1), LastName: long(MaxNameRunes + 1), Comment: long(MaxCommentRunes + 1)}
		err := c.Check()
		const want = "email: email_empty; first_name: text_too_long; last_name: text_too_long; comment: text_too_long"
		if err == nil || err.Error() != want {
			t.Errorf("beyond the limits: %v", err)
		}
	})
}
