package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestMessageList(t *testing.T) {
	h := newHarness(t)
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	c.get("/messages").expect(http.StatusOK).shows(".nothing-title", "Писем пока нет").shows(".nothing a[href=/messages/new]", "Написать письмо")
	c.lang("en").get("/messages").shows("h1", "Messages").shows(".nothing-title", "No messages yet")
	c.lang("ru")
	storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Весна <пришла>"})
	storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Абрикосы", Format: mailing.FormatMarkdown})
	storetest.Message(t, h.store, mailing.Message{OwnerID: boris.ID, Subject: "Чужое"})
	t.Run("own ones stand in it, with their format", func(t *testing.T) {
		p := c.get("/messages?view=list").shows(".rows tbody", "Весна <пришла>").shows(".rows tbody", "Markdown").shows(".pager", "из 2")
		if strings.Contains(p.text(".rows"), "Чужое") {
			t.Error("another's message is shown")
		}
	})
	t.Run("it is searched and sorted", func(t *testing.T) {
		c.get("/messages?q=абрикос").shows(".pager", "из 1")
		if rows := c.get("/messages?view=list&sort=subject").text(".rows tbody tr"); !strings.HasPrefix(rows, "Абрикосы") {
			t.Errorf("it begins with %.40q", rows)
		}
	})
	t.Run("everyone's are for an admin", func(t *testing.T) {
		c.get("/messages").lacks(".tabs")
		c.get("/messages?scope=all").expect(http.StatusForbidden)
		h.signIn(h.account("manager@example.org", mailing.RoleManager)).get("/messages?scope=all").expect(http.StatusForbidden)
		h.signIn(h.account("admin@example.org", mailing.RoleAdmin)).get("/messages?view=list&scope=all").shows(".rows tbody", "Чужое")
	})
}

func TestMessageEditor(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	typed := url.Values{"subject": {"Привет, {{ first_name }}"}, "format": {"markdown"}, "body": {"# Новости\n\nЗдравствуйте, {{ nick }}!"}}
	var path string
	t.Run("a message is written", func(t *testing.T) {
		answer := c.submit(c.get("/messages/new").expect(http.StatusOK), "#editor", typed)
		path = answer.location()
		p := c.follow(answer).expect(http.StatusOK).shows("h1", "Привет, ‹Имя›").shows(".code", "# Новости")
		if src := p.attr("iframe[name=preview]", "src"); src != path+"/preview" {
			t.Errorf("the preview is %q", src)
		}
		if href := p.attr("a:has-text(рассылку)", "href"); href != "/mailings/new?message="+strings.TrimPrefix(path, "/messages/") {
			t.Errorf("to send it leads to %q", href)
		}
	})
	t.Run("it is written, and the next is to whom and when", func(t *testing.T) {
		next := c.submit(c.get("/messages/new"), "#editor", url.Values{"subject": {"Чай {{ nick }}"}, "format": {"text"}, "body": {"Привет"}, "do": {"next"}})
		if !strings.HasPrefix(next.location(), "/mailings/new?message=") {
			t.Errorf("it leads to %s", next.location())
		}
		p := c.follow(next).expect(http.StatusOK).shows(".flash", "В теме: Строка 1")
		p.one("[data-kept-stored]")
		c.get(next.location()).lacks("[data-kept-stored]")
	})
	t.Run("what is wrong stands beside the field, and what was typed stays", func(t *testing.T) {
		p := c.post("/messages/new", url.Values{"subject": {"{% if x %}"}, "format": {"text"}, "body": {"{{ name"}}).expect(http.StatusUnprocessableEntity)
		p.shows("#field-subject-error", "не закрыто").shows(".note a[href=#field-subject]", "не закрыто").shows("#field-body-error", "Строка 1").shows("#field-body", "{{ name")
		c.post("/messages/new", url.Values{"format": {"text"}, "body": {"{{ name"}}).shows("#field-subject-error", "Напишите тему").shows("#field-body-error", "Строка 1")
		c.post("/messages/new", url.Values{"format": {"text"}}).shows("#field-subject-error", "Напишите тему").shows("#field-body-error", "Напишите текст")
		p.one("input[name=format][value=text][checked]")
		c.lang("en").post("/messages/new", url.Values{"format": {"pdf"}}).expect(http.StatusUnprocessableEntity).shows("h1", "New message")
		c.lang("ru")
	})
	t.Run("it is edited", func(t *testing.T) {
		form := c.get(path+"/edit").expect(http.StatusOK).shows("#field-body", "# Новости")
		c.follow(c.submit(form, "#editor", url.Values{"subject": {"Другая тема"}})).shows("h1", "Другая тема")
		c.post(path+"/edit", url.Values{"format": {"text"}}).expect(http.StatusUnprocessableEntity).shows("h1", "Редактирование письма")
	})
	t.Run("nobody else finds it", func(t *testing.T) {
		other := h.signIn(h.account("boris@example.org", mailing.RoleUser))
		for _, page := range []string{path, path + "/edit", path + "/preview"} {
			other.get(page).expect(http.StatusNotFound)
		}
		for _, page := range []string{path + "/delete", path + "/test"} {
			other.post(page, url.Values{"to": {"x@example.com"}}).expect(http.StatusNotFound)
		}
		other.post(path+"/edit", typed).expect(http.StatusNotFound)
	})
	t.Run("a manager sees it and cannot change it", func(t *testing.T) {
		m := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		m.get(path).expect(http.StatusOK).lacks(".page-actions a").lacks("form[action=" + path + "/delete]")
		m.get(path + "/edit").expect(http.StatusForbidden)
		m.post(path+"/edit", typed).expect(http.StatusForbidden)
		m.post(path+"/delete", nil).expect(http.StatusForbidden)
	})
	t.Run("while a mailing uses it it cannot be deleted", func(t *testing.T) {
		m := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID})
		storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: m.ID})
		c.follow(c.post(pathOf("/messages/", m.ID)+"/delete", nil)).expect(http.StatusOK).shows(".flash.tone-danger", "используется в рассылке")
	})
	t.Run("it is deleted", func(t *testing.T) {
		c.follow(c.post(path+"/delete", nil)).shows(".flash", "Письмо удалено: Другая тема.")
		c.get(path).expect(http.StatusNotFound)
	})
}

func TestMessagePreview(t *testing.T) {
	h := newHarness(t)
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	ivan := storetest.Contact(t, h.store, anna.ID, "ivan@example.com")
	theirs := storetest.Contact(t, h.store, boris.ID, "theirs@example.com")
	html := mailing.Message{
		OwnerID: anna.ID, Subject: "{{ first_name }}!", Format: mailing.FormatHTML,
		Body: `<style>p{color:red}</style><p>Привет, {{ last_name }}</p><script>alert(1)</script>`,
	}
	m := storetest.Message(t, h.store, html)
	path := pathOf("/messages/", m.ID) + "/preview"
	t.Run("it is made for an example person", func(t *testing.T) {
		p := c.get(path).expect(http.StatusOK).shows(".preview-subject", "Анна!")
		if mail := p.attr("iframe.preview-mail", "srcdoc"); !strings.Contains(mail, "Привет, Иванова") {
			t.Errorf("the mail is %q", mail)
		}
		c.lang("en").get(path).shows(".preview-subject", "Anna!")
		c.lang("ru")
	})
	t.Run("it is made for one of the clients, but not for another's", func(t *testing.T) {
		c.get(path+"?contact="+pathOf("", ivan.ID)).shows(".preview-subject", "Иван!")
		c.get(path + "?contact=" + pathOf("", theirs.ID)).expect(http.StatusNotFound)
		c.get(pathOf("/messages/", m.ID)).shows("#preview-contact", "Иван Сидоров · ivan@example.com")
	})
	t.Run("no script of a mail runs, whoever frames it", func(t *testing.T) {
		p := c.get(path)
		if sandbox := p.attr("iframe.preview-mail", "sandbox"); sandbox != "" {
			t.Errorf("the frame may %q", sandbox)
		}
		policy := p.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("the policy %q lacks %q", policy, want)
			}
		}
		if strings.Contains(policy, "script-src") {
			t.Errorf("the policy %q lets scripts in", policy)
		}
		p.lacks("script")
	})
	t.Run("what is typed is shown without being saved", func(t *testing.T) {
		draft := url.Values{"subject": {"Проба"}, "format": {"text"}, "body": {"Здравствуйте, {{ nick }}!"}}
		p := c.post("/messages/preview", draft).expect(http.StatusOK).shows(".preview-subject", "Проба")
		p.shows(".note.tone-warning", "переменной «nick» нет").shows(".code", "Здравствуйте").lacks("iframe")
		if messages, _, err := h.store.Messages(ctx, anna.ID, store.Page{Limit: 9}); err != nil || len(messages) != 1 {
			t.Errorf("there are %d messages, %v", len(messages), err)
		}
	})
	t.Run("what cannot be put together says why", func(t *testing.T) {
		p := c.post("/messages/preview", url.Values{"subject": {"{{ x"}, "format": {"text"}, "body": {"{% if x %}"}}).expect(http.StatusUnprocessableEntity)
		p.shows(".note.tone-danger", "«{{» не закрыто").shows(".note.tone-danger", "не закрыто").lacks("iframe")
	})
	t.Run("the editor sends its form into the frame", func(t *testing.T) {
		p := c.get("/messages/new")
		if p.attr("button[formaction=/messages/preview]", "formtarget") != "preview" {
			t.Error("the button leads elsewhere")
		}
		p.one("#editor iframe[name=preview]")
	})
}

func TestMessageTest(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	m := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: "Осень"})
	path := pathOf("/messages/", m.ID)
	draft := url.Values{"subject": {"Черновик"}, "format": {"text"}, "body": {"Текст"}, "to": {"petr@example.com"}}
	t.Run("a message goes to one's own address unless another is typed", func(t *testing.T) {
		form := c.get(path)
		if to := form.attr("#field-to", "value"); to != anna.Email {
			t.Errorf("the form proposes %q", to)
		}
		c.follow(c.submit(form, "form[action="+path+"/test]", nil)).shows(".flash", "для anna@example.org отправляется в демо-ящик")
		if h.vars(anna.Email) == nil {
			t.Error("nothing was sent")
		}
	})
	t.Run("what is typed goes out without being saved, and stays in the editor", func(t *testing.T) {
		h.demo = false
		p := c.post("/messages/test", draft).expect(http.StatusOK).shows(".flash", "на petr@example.com").shows("#field-body", "Текст")
		if p.attr("#field-subject", "value") != "Черновик" || p.attr("#editor", "action") != "/messages/new" {
			t.Error("the editor is another one")
		}
		if h.vars("petr@example.com") == nil {
			t.Error("nothing was sent")
		}
		if messages, _, err := h.store.Messages(ctx, anna.ID, store.Page{Limit: 9}); err != nil || len(messages) != 1 {
			t.Errorf("there are %d messages, %v", len(messages), err)
		}
	})
	t.Run("the editor of a stored message stays that", func(t *testing.T) {
		draft["message"] = []string{pathOf("", m.ID)}
		if action := c.post("/messages/test", draft).attr("#editor", "action"); action != path+"/edit" {
			t.Errorf("it saves to %q", action)
		}
	})
	t.Run("an address that is none is told", func(t *testing.T) {
		draft["to"] = []string{"petr@"}
		p := c.post("/messages/test", draft).expect(http.StatusUnprocessableEntity).shows("#field-to-error", "«petr@»")
		if p.attr("#field-subject", "value") != "Черновик" {
			t.Error("what was typed is gone")
		}
		c.post(path+"/test", url.Values{"to": {""}}).expect(http.StatusUnprocessableEntity).shows("#field-to-error", "Укажите адрес")
	})
}

func TestAMisspeltFieldIsNotedWhenAMessageIsSaved(t *testing.T) {
	h := newHarness(t)
	anna := h.signIn(h.account("anna@example.org", mailing.RoleUser))
	saved := anna.post("/messages/new", url.Values{
		"subject": {"Новости"}, "format": {"text"}, "body": {"Здравствуйте, {{ first_nam }}!"},
	}).expect(http.StatusSeeOther)
	anna.follow(saved).expect(http.StatusOK).shows("#flashes", "first_nam")
}

func TestMessagePictures(t *testing.T) {
	h := newHarness(t)
	c := h.signIn(h.account("anna@example.org", mailing.RoleUser))
	c.get("/messages/new").one("textarea[data-pictures=/messages/pictures]")
	var answer struct{ Markdown, HTML, Problem string }
	read := func(p *page) {
		if err := json.Unmarshal([]byte(p.body), &answer); err != nil {
			t.Fatalf("got %s, %v", p.body, err)
		}
	}
	read(c.sendFiles("/messages/pictures", nil, map[string][]byte{"picture": drawing(t, 50, 20)}).expect(http.StatusOK))
	path := strings.TrimSuffix(strings.TrimPrefix(answer.Markdown, "![]("), ")")
	if !strings.Contains(answer.HTML, `src="`+path+`"`) {
		t.Errorf("it is %s in one format, %s in another", answer.Markdown, answer.HTML)
	}
	c.get(path).expect(http.StatusOK)
	p := c.post("/messages/preview", url.Values{"subject": {"Чай"}, "format": {"markdown"}, "body": {answer.Markdown}}).expect(http.StatusOK)
	if mail := p.attr("iframe", "srcdoc"); !strings.Contains(mail, `src="`+path+`"`) {
		t.Errorf("the preview shows %s", mail)
	}
	read(c.sendFiles("/messages/pictures", nil, map[string][]byte{"picture": []byte("no")}).expect(http.StatusUnprocessableEntity))
	if !strings.Contains(answer.Problem, "не картинка") {
		t.Errorf("the problem is %q", answer.Problem)
	}
}
