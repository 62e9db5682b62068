package web_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"vestnik/internal/mailing"
)

// upload sends a file as the form does.
func (c *client) upload(path, field, filename, content string) *page {
	c.h.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, filename)
	if err != nil {
		c.h.t.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		c.h.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		c.h.t.Fatal(err)
	}
	return c.do(http.MethodPost, path, &body, form.FormDataContentType())
}

// quoted are words in quotation marks, as we set them.
var quoted = regexp.MustCompile(`[«“]([^»”]+)[»”]`)

func TestImport(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	t.Run("the page explains the columns", func(t *testing.T) {
		p := c.get("/clients/import").expect(http.StatusOK).shows(".code", "E-mail;Имя;Фамилия").lacks(".rows")
		if p.attr("main form", "enctype") != "multipart/form-data" || p.attr("input[type=file]", "name") != "file" {
			t.Error("the form sends no file")
		}
		c.lang("en").get("/clients/import").shows("h1", "Import from CSV").shows(".code", "E-mail,First name")
		c.lang("ru")
	})
	t.Run("each heading that the page names for a comment is one", func(t *testing.T) {
		eva := h.account("eva@example.org", mailing.RoleUser)
		for _, lang := range []string{"ru", "en"} {
			e := h.signIn(eva).lang(lang)
			headings := quoted.FindAllStringSubmatch(h.texts.For(lang).T("imports.column_comment"), -1)
			for i, heading := range headings {
				email := fmt.Sprintf("%s%d@example.com", lang, i)
				e.upload("/clients/import", "file", "a.csv", "E-mail;"+heading[1]+"\n"+email+";likes "+heading[1]+"\n").expect(http.StatusSeeOther)
				e.get("/clients?q="+url.QueryEscape(email)).shows("#list", "likes "+heading[1])
			}
			if len(headings) < 4 {
				t.Errorf("only %d headings are named in %s", len(headings), lang)
			}
		}
	})
	t.Run("without a file it asks for one", func(t *testing.T) {
		c.upload("/clients/import", "file", "", "").expect(http.StatusUnprocessableEntity).shows("#field-file-error", "Выберите файл.")
		c.upload("/clients/import", "other", "a.csv", "x").expect(http.StatusUnprocessableEntity).shows("#field-file-error", "Выберите файл.")
		c.post("/clients/import", url.Values{"file": {"a.csv"}}).expect(http.StatusUnprocessableEntity).shows("#field-file-error", "Выберите файл.")
	})
	t.Run("a file without addresses is refused with the reason", func(t *testing.T) {
		c.upload("/clients/import", "file", "a.csv", "Имя;Телефон\nИван;123\n").expect(http.StatusUnprocessableEntity).
			shows("#field-file-error", "Имя, Телефон")
		if len(h.contacts(anna)) != 0 {
			t.Error("somebody was added")
		}
	})
	var report string
	t.Run("the good lines are taken, and the others told", func(t *testing.T) {
		answer := c.upload("/clients/import", "file", "клиенты.csv", "E-mail;Имя;Телефон;Город\nivan@example.com;Иван\n=cmd;Пётр\nIVAN@example.com;Иван\n")
		report = answer.location()
		p := c.follow(answer).expect(http.StatusOK).shows(".page-lead", "клиенты.csv")
		p.shows(".stats", "Добавлено 1").shows(".stats", "Уже были 0").shows(".stats", "Не принято 2")
		p.shows(".rows tbody tr", "3 =cmd «=cmd» не похоже на адрес e-mail.")
		p.shows(".rows tbody", "4 IVAN@example.com Повтор в файле: этот адрес уже был в строке 2.")
		p.shows(".flash", "Не взяты столбцы: Телефон, Город.").shows(".page-actions .btn-primary", "Написать письмо")
		if list := h.contacts(anna); len(list) != 1 || list[0].Name() != "Иван" {
			t.Errorf("the clients are %+v", list)
		}
		c.get("/clients/import").shows(".rows tbody", "клиенты.csv").shows(".rows .state", "Не всё принято")
		c.lang("en").get(report).shows("h1", "Report of the import").shows(".rows tbody", "=cmd”")
		c.lang("ru")
	})
	t.Run("the refused lines can be kept as a file that a spreadsheet takes for no formula", func(t *testing.T) {
		csv := strings.TrimSuffix(report, "report") + "refusals.csv"
		c.get(report).one("a[href=" + csv + "]")
		file := c.get(csv).expect(http.StatusOK)
		if want := "\uFEFFСтрока;Что в ней;Почему не принята\n3;'=cmd;«=cmd» не похоже на адрес e-mail.\n" +
			"4;IVAN@example.com;Повтор в файле: этот адрес уже был в строке 2.\n"; file.body != want {
			t.Errorf("the file is %q", file.body)
		}
		if got := file.header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment;") {
			t.Errorf("it is sent as %q", got)
		}
	})
	t.Run("nobody else sees the report", func(t *testing.T) {
		m := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
		m.get(report).expect(http.StatusNotFound)
		m.get(strings.TrimSuffix(report, "report") + "refusals.csv").expect(http.StatusNotFound)
		m.get("/clients/import").lacks(".rows")
	})
	t.Run("many refused lines stand on several pages", func(t *testing.T) {
		var lines strings.Builder
		lines.WriteString("email\ngood@example.com\n")
		for i := range 60 {
			fmt.Fprintf(&lines, "bad%d@\n", i)
		}
		p := c.follow(c.upload("/clients/import", "file", "many.csv", lines.String())).lacks(".pager a:has-text(К началу)")
		if n := len(p.find(".rows tbody tr")); n != 50 {
			t.Errorf("the first page has %d", n)
		}
		next := c.get(p.attr(".pager a:has-text(Следующие)", "href")).shows(".rows tbody", "bad59@").lacks(".pager a:has-text(Следующие)")
		if n := len(next.find(".rows tbody tr")); n != 10 {
			t.Errorf("the second page has %d", n)
		}
		next.one(".pager a:has-text(началу)")
	})
	t.Run("a file without a mistake is told so", func(t *testing.T) {
		c.follow(c.upload("/clients/import", "file", "ok.csv", "email\nfine@example.com\n")).shows(".note.tone-success", "Всё принято").lacks(".rows")
	})
}
