package compose

import (
	"os"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Run("a message of ours", func(t *testing.T) {
		data, err := os.ReadFile("testdata/html.eml")
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(data)
		if err != nil || p.Subject != "Новости: <b>" || !strings.HasPrefix(p.Text, "Привет, Анна\n") || !strings.HasPrefix(p.HTML, "<html>") ||
			p.To != "Анна Щербакова <anna@xn--80a1acny.xn--p1ai>" || p.Headers[0].Name != "From" {
			t.Errorf("Parse = %+v, %v", p, err)
		}
	})
	t.Run("an old charset is decoded", func(t *testing.T) {
		p, err := Parse([]byte("Subject: =?koi8-r?B?8NLJ18XU?=\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n"))
		if err != nil || p.Subject != "Привет" || p.Text != "Привет\n" {
			t.Errorf("Parse = %+v, %v", p, err)
		}
	})
	t.Run("an unknown charset and a broken end are no obstacle", func(t *testing.T) {
		p, err := Parse([]byte("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=martian\r\n\r\n<p>hi\xff"))
		if err != nil || p.Subject != "x" || p.HTML != "<p>hi\ufffd" {
			t.Errorf("Parse = %+v, %v", p, err)
		}
	})
	t.Run("attachments are not shown", func(t *testing.T) {
		p, err := Parse([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nno\r\n--b\r\n\r\nyes\r\n--b--\r\n"))
		if err != nil || p.Text != "yes" {
			t.Errorf("Parse = %+v, %v", p, err)
		}
	})
	t.Run("a header that makes no sense is an error", func(t *testing.T) {
		if p, err := Parse([]byte("\x00\x01 nonsense")); err == nil {
			t.Errorf("Parse = %+v", p)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"text", "markdown", "html"} {
		data, err := os.ReadFile("testdata/" + name + ".eml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err == nil && len(p.Text) > maxPart*3 {
			t.Errorf("text of %d bytes", len(p.Text))
		}
	})
}
