package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vestnik/internal/app"
	"vestnik/internal/config"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
	"vestnik/internal/web"
)

func TestSettingsPage(t *testing.T) {
	loaded, err := config.Load([]string{"VESTNIK_ZONE=Asia/Omsk", "VESTNIK_SECRET_KEY=" + strings.Repeat("s", 40)}, map[string]string{"addr": "127.0.0.1:8123"})
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, func(c *app.Config, _ *web.Options) {
		for _, row := range loaded.Explain() {
			c.Given = append(c.Given, app.GivenSetting{
				Name: row.Name, Flag: row.Flag, Value: row.Value, Default: row.Default, Source: string(row.Source), Meaning: row.Meaning,
			})
		}
	})
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	manager := h.signIn(h.account("manager@example.org", mailing.RoleManager))
	h.run("it says what each setting is, where from, and what it means, and no secret", func(t *testing.T) {
		p := admin.get("/admin/settings").expect(http.StatusOK)
		p.shows(".fact:has-text(VESTNIK_ZONE)", "Asia/Omsk переменная окружения, по умолчанию Europe/Moscow")
		p.shows(".fact:has-text(VESTNIK_ADDR)", "127.0.0.1:8123 параметр --addr").shows(".fact:has-text(VESTNIK_ADDR)", "веб-сервер")
		p.shows(".fact:has-text(VESTNIK_LOG_LEVEL)", "info по умолчанию")
		if strings.Contains(p.body, "ssss") {
			t.Error("it shows the secret")
		}
		checkTranslated(t, p)
	})
	h.run("every setting has words in both languages, and the English ones are the command's", func(t *testing.T) {
		for _, row := range loaded.Explain() {
			key := "setting." + strings.ToLower(row.Name)
			if en := h.texts.For("en"); !en.Has(key) || en.T(key) != row.Meaning {
				t.Errorf("%s means %q in English, and the command says %q", row.Name, en.T(key), row.Meaning)
			}
		}
	})
	h.run("what is changed holds at once", func(t *testing.T) {
		owner := h.account("anna@example.org", mailing.RoleUser)
		storetest.Contact(t, h.store, owner.ID, "client@example.org")
		manager.get("/clients?scope=all").shows("tbody", "client@example.org")
		form := admin.get("/admin/settings")
		p := admin.follow(admin.submit(form, "form[action=/admin/settings]", url.Values{"mask_clients": {"on"}}))
		p.shows(".flash", "сохранены").one("#field-mask_clients[checked]")
		manager.get("/clients?scope=all").shows("tbody", "c…@e….org")
		manager.get("/clients?scope=all&q=client").one(".nothing-title")
		admin.get("/clients?scope=all").shows("tbody", "client@example.org")
		admin.follow(admin.post("/admin/settings", url.Values{"undo_seconds": {"10"}})).lacks("#field-mask_clients[checked]")
		manager.get("/clients?scope=all").shows("tbody", "client@example.org")
	})
	h.run("managers have no such page", func(t *testing.T) {
		for _, path := range []string{"/admin/settings", "/admin/health", "/admin/jobs"} {
			manager.get(path).expect(http.StatusNotFound)
		}
		manager.post("/admin/settings", url.Values{"mask_clients": {"on"}}).expect(http.StatusNotFound)
	})
}

func TestHealthPage(t *testing.T) {
	var free app.Bytes = 3 << 30
	condition := app.Good
	h := newHarness(t, func(c *app.Config, _ *web.Options) {
		c.Checkups = []app.Checkup{func(context.Context) []app.Vital {
			return []app.Vital{{Part: "disk", Condition: condition, Says: "free", With: map[string]any{"free": free, "all": free, "folder": "/data"}}}
		}}
	})
	admin := h.signIn(h.account("admin@example.org", mailing.RoleAdmin))
	h.run("each part has a line, in words", func(t *testing.T) {
		p := admin.get("/admin/health").expect(http.StatusOK)
		p.shows("#health-database", "В порядке").shows("#health-database", "SQLite").shows("#health-queue", "Отправлять нечего")
		p.shows("#health-disk", "3 072 МБ").shows("#health-clock", "мс").shows("#health-relay", "Настроено путей: 0")
		checkTranslated(t, p)
	})
	h.run("without a node that sends something is wrong, and the head of the page says so", func(t *testing.T) {
		admin.get("/admin/health").shows("#health-node", "Плохо").shows(".page-lead", "Есть неисправность")
	})
	h.run("the worst line is that of the whole", func(t *testing.T) {
		h.vars("nobody@example.org") // starts a node
		admin.get("/admin/health").shows("#health-node", "Отправляет").shows(".page-lead", "Всё в порядке")
		free, condition = 1<<20, app.Attention
		p := admin.lang("en").get("/admin/health").shows("#health-disk", "Attention").shows("#health-disk", "1,024 KB").shows(".page-lead", "worth a look")
		checkTranslated(t, p)
	})
}
