package web_test

import (
	"net/http"
	"strings"
	"testing"

	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestLogList(t *testing.T) {
	h := newHarness(t)
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	t.Run("an empty one says the next step", func(t *testing.T) {
		c.get("/logs").expect(http.StatusOK).shows(".nothing-title", "Здесь пока пусто").shows(".nothing a[href=/mailings]", "К рассылкам").lacks(".rows")
		c.lang("en").get("/logs").shows("h1", "Logs").shows(".nothing-title", "Nothing here yet")
		c.lang("ru")
	})
	ivan := storetest.Contact(t, h.store, anna.ID, "ivan@example.com")
	petr := storetest.Contact(t, h.store, anna.ID, "petr@example.com")
	sent := h.sent(anna, "Принято", mailing.Sent, ivan)
	failed := h.sent(anna, "=Отказ", mailing.Failed, petr)
	h.sent(anna, "Отложено", mailing.Deferred, ivan)
	h.sent(boris, "Чужое", mailing.Sent, storetest.Contact(t, h.store, boris.ID, "theirs@example.com"))
	t.Run("every attempt stands in it, the newest first", func(t *testing.T) {
		p := c.get("/logs")
		rows := p.find(".rows tbody tr")
		if len(rows) != 3 || !strings.Contains(textOf(rows[0]), "Отложено") || !strings.Contains(textOf(rows[2]), "Принято") {
			t.Fatalf("the rows are %q", p.text(".rows tbody tr"))
		}
		p.shows(".rows tbody", "23.11.2026 12:00").shows(".state.tone-success", "Успешно").shows(".state.tone-danger", "Неуспешно")
		p.shows(".answer summary", "250 2.0.0 Ok: queued as 4X1").shows(".answer", "mx.example.com:25").shows(".answer", "TLS1.3").shows(".answer", "1 с")
		p.shows(".rows a[href="+pathOf("/runs/", sent.ID)+"]", "Принято")
		p.shows(".answer .code", "second line of <b>the</b> answer")
		if strings.Contains(p.text(".rows"), "Чужое") {
			t.Error("another's attempt is shown")
		}
	})
	for _, narrowed := range []struct{ query, want string }{
		{"status=accepted", "Принято"},
		{"status=failed", "=Отказ"},
		{"q=petr", "=Отказ"},
		{"run=" + pathOf("", failed.ID), "=Отказ"},
		{"mailing=" + pathOf("", failed.MailingID), "=Отказ"},
	} {
		t.Run("it is narrowed by "+narrowed.query, func(t *testing.T) {
			p := c.get("/logs?"+narrowed.query).shows(".rows tbody", narrowed.want)
			if n := len(p.find(".rows tbody tr")); n != 1 {
				t.Errorf("%d are left", n)
			}
		})
	}
	t.Run("it is narrowed by days in the zone of who looks", func(t *testing.T) {
		for query, want := range map[string]int{
			"from=2026-11-23&to=2026-11-23": 3, "from=2026-11-24": 0, "to=2026-11-22": 0, "to=2026-11-23": 3,
		} {
			if n := len(c.get("/logs?" + query).find(".rows tbody tr")); n != want {
				t.Errorf("%s leaves %d, want %d", query, n, want)
			}
		}
		c.get("/logs?from=yesterday").expect(http.StatusUnprocessableEntity).shows(".nothing-text", "Дата не читается").lacks(".rows")
		c.get("/logs.csv?from=yesterday").expect(http.StatusUnprocessableEntity)
	})
	t.Run("the filter offers own mailings", func(t *testing.T) {
		p := c.get("/logs?mailing="+pathOf("", failed.MailingID)).shows("select[name=mailing]", "Принято")
		if options := p.text("select[name=mailing]"); strings.Contains(options, "Чужое") {
			t.Errorf("it offers %q", options)
		}
		p.one("select[name=mailing] option[value=" + pathOf("", failed.MailingID) + "][selected]")
	})
	t.Run("everyone's are for managers", func(t *testing.T) {
		c.get("/logs").lacks(".tabs")
		c.get("/logs?scope=all").expect(http.StatusForbidden)
		m := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		m.get("/logs?scope=all").lacks("a[href^=/logs.csv]").shows(".rows tbody", "Чужое").shows(".rows tbody", "=Отказ").shows(".rows tbody", "Анна Петрова")
	})
	t.Run("everyone's as a file are for admins", func(t *testing.T) {
		for role, status := range map[mailing.Role]int{
			mailing.RoleUser: http.StatusForbidden, mailing.RoleManager: http.StatusForbidden, mailing.RoleAdmin: http.StatusOK,
		} {
			h.signIn(h.account("file"+string(role)+"@example.org", role)).get("/logs.csv?scope=all").expect(status)
		}
		a := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
		href := a.get("/logs?scope=all").attr("a[href^=/logs.csv]", "href")
		if file := a.get(href).expect(http.StatusOK); !strings.Contains(file.body, "Чужое") {
			t.Errorf("%s holds %q", href, file.body)
		}
	})
	t.Run("what is being tried now is in progress", func(t *testing.T) {
		h.sent(anna, "Идёт", mailing.Sending, ivan)
		c.get("/logs").shows(".log-busy", "Сейчас отправляется 1 письмо").shows(".log-busy .state", "В процессе")
		p := c.get("/logs?status=in_progress").shows(".rows tbody", "Идёт").shows(".rows .state", "В процессе").shows(".rows tbody", "ivan@example.com")
		if n := len(p.find(".rows tbody tr")); n != 1 {
			t.Errorf("%d are in progress", n)
		}
		c.lang("en").get("/logs").shows(".log-busy", "1 message is being sent now").shows(".state.tone-danger", "Failure")
		c.lang("ru")
	})
	t.Run("it can be kept as a file that a spreadsheet takes for no formula", func(t *testing.T) {
		if href := c.get("/logs?status=failed&before=1").find("a[href^=/logs.csv]"); len(href) != 0 {
			t.Error("an empty page offers a file")
		}
		href := c.get("/logs?status=failed").attr("a[href^=/logs.csv]", "href")
		if href != "/logs.csv?status=failed" {
			t.Errorf("the link is %q", href)
		}
		file := c.get(href).expect(http.StatusOK)
		want := "\uFEFFДата и время попытки (Москва);Рассылка;Получатель;Статус;Код;Расширенный код;Ответ сервера;Сервер;Шифрование;\"Длилась, мс\"\n" +
			"2026-11-23 12:00:00;'=Отказ;petr@example.com;Неуспешно;550;5.7.1;\"'=cmd|'/c calc'!A1\nsecond line of <b>the</b> answer\";mx.example.com:25;TLS1.3;1250\n"
		if file.body != want {
			t.Errorf("the file is %q", file.body)
		}
		if strings.Count(c.get("/logs.csv").body, "2026-11-23") != 3 {
			t.Error("the whole log is not in the file")
		}
	})
}

func TestLogPaging(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	contacts := storetest.Contacts(t, h.store, anna.ID, 1100)
	h.sent(anna, "Много", mailing.Sent, contacts...)
	t.Run("older and newest lead through it, without one twice", func(t *testing.T) {
		seen := map[string]bool{}
		path, pages := "/logs?status=accepted", 0
		for path != "" {
			p := c.get(path).expect(http.StatusOK)
			for _, row := range p.find(".rows tbody tr") {
				seen[attribute(row, "id")] = true
			}
			pages++
			path = ""
			if older := p.find(".pager a:has-text(ранние)"); len(older) == 1 {
				path = attribute(older[0], "href")
			}
			if newest := p.find(".pager a:has-text(новые)"); len(newest) != min(pages-1, 1) {
				t.Fatalf("page %d has %d links to the newest", pages, len(newest))
			}
		}
		if len(seen) != len(contacts) || pages != len(contacts)/50 {
			t.Errorf("%d attempts on %d pages", len(seen), pages)
		}
	})
	t.Run("a file holds more than is read at once", func(t *testing.T) {
		if n := strings.Count(c.get("/logs.csv").body, "@example.com"); n != len(contacts) {
			t.Errorf("it has %d lines", n)
		}
	})
}
