package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

var ctx = context.Background()

// contacts are all contacts of the owner, the oldest first.
func (h *harness) contacts(owner mailing.Account) []mailing.Contact {
	h.t.Helper()
	list, _, err := h.store.Contacts(ctx, store.ContactFilter{Owner: owner.ID}, store.Page{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func pathOf(beginning string, id int64) string { return beginning + strconv.FormatInt(id, 10) }

func TestContactList(t *testing.T) {
	h := newHarness(t)
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	t.Run("an empty one says the next step", func(t *testing.T) {
		c.get("/clients").expect(http.StatusOK).shows(".nothing-title", "Клиентов пока нет").
			shows(".nothing-action a[href=/clients/import]", "Импорт из CSV").lacks("table")
		c.lang("en").get("/clients").shows("h1", "Clients").shows(".nothing-title", "No clients yet")
		c.lang("ru")
	})
	first := storetest.Contact(t, h.store, anna.ID, "ivan@xn--e1afmkfd.xn--p1ai")
	theirs := storetest.Contact(t, h.store, boris.ID, "theirs@example.com")
	for i := range 60 {
		storetest.Contact(t, h.store, anna.ID, "client"+strconv.Itoa(100+i)+"@example.com")
	}
	t.Run("fifty stand on a page", func(t *testing.T) {
		p := c.get("/clients").shows(".pager", "1–50 из 61")
		if n := len(p.find(".rows tbody tr")); n != 50 {
			t.Errorf("the first page has %d", n)
		}
		p = c.get("/clients?page=2")
		if n := len(p.find(".rows tbody tr")); n != 11 {
			t.Errorf("the second page has %d", n)
		}
	})
	t.Run("an address is shown as people write it", func(t *testing.T) {
		c.get("/clients?q=пример").shows(".rows tbody", "ivan@пример.рф").shows(".pager", "из 1")
	})
	t.Run("it sorts by a column", func(t *testing.T) {
		up := c.get("/clients?sort=email").text(".rows tbody tr")
		down := c.get("/clients?sort=-email").text(".rows tbody tr")
		if !strings.Contains(up[:120], "client100@") || !strings.Contains(down[:120], "ivan@") {
			t.Errorf("up begins with %.120q, down with %.120q", up, down)
		}
	})
	t.Run("a search that finds nothing says so and leads back", func(t *testing.T) {
		c.get("/clients?q=nobody").shows(".nothing-title", "Ничего не нашлось").shows(".nothing a[href=/clients]", "Показать все")
	})
	t.Run("it is narrowed by status", func(t *testing.T) {
		c.post(pathOf("/clients/", first.ID)+"/suppress", nil).expect(http.StatusSeeOther)
		c.get("/clients?status=manual").shows(".rows tbody", "ivan@").shows(".rows .state", "Не писать").shows(".pager", "из 1")
		c.get("/clients?status=mailable").shows(".pager", "из 60")
		c.get("/clients?status=bounced").lacks(".rows")
	})
	t.Run("others' clients are not in it", func(t *testing.T) {
		c.get("/clients?q=theirs").lacks(".rows")
		c.get("/clients").lacks(".tabs")
		c.get("/clients?scope=all").expect(http.StatusForbidden)
	})
	t.Run("a manager sees everyone's, with whose they are, and changes none", func(t *testing.T) {
		m := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		p := m.get("/clients?scope=all&q=theirs").expect(http.StatusOK).shows(".rows tbody", "theirs@example.com").shows(".rows tbody", "Анна Петрова")
		p.shows(".tab[aria-current]", "Все").lacks(".row-actions a").lacks(".row-actions form").lacks("[data-bulk]")
		p.one("form.search input[name=scope]")
		m.post(pathOf("/clients/", theirs.ID)+"/delete", nil).expect(http.StatusForbidden)
		m.post("/clients/delete", url.Values{"id": {strconv.FormatInt(theirs.ID, 10)}}).expect(http.StatusSeeOther)
		if len(h.contacts(boris)) != 1 {
			t.Error("the client is gone")
		}
	})
	t.Run("the chosen ones are deleted", func(t *testing.T) {
		all := h.contacts(anna)
		ids := url.Values{"id": {strconv.FormatInt(all[1].ID, 10), strconv.FormatInt(all[2].ID, 10), strconv.FormatInt(theirs.ID, 10), "x"}}
		c.follow(c.post("/clients/delete", ids)).shows(".flash", "Удалено 2 клиента.")
		if len(h.contacts(anna)) != len(all)-2 || len(h.contacts(boris)) != 1 {
			t.Errorf("%d and %d are left", len(h.contacts(anna)), len(h.contacts(boris)))
		}
		c.follow(c.post("/clients/delete", nil)).shows(".flash.tone-warning", "сначала отметьте")
	})
}

func TestContactForm(t *testing.T) {
	h := newHarness(t)
	anna := h.account("anna@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	t.Run("a client is added", func(t *testing.T) {
		form := c.get("/clients/new").expect(http.StatusOK)
		answer := c.submit(form, "main form", url.Values{
			"email": {" Ivan@Пример.рф "}, "first_name": {"Иван"}, "last_name": {"Сидоров"}, "comment": {"дом\nи дача"},
		})
		p := c.follow(answer).expect(http.StatusOK).shows(".flash", "Клиент добавлен: Иван Сидоров.")
		p.shows("h1", "Иван Сидоров").shows(".facts", "ivan@пример.рф").shows(".facts", "дом и дача").shows(".facts .state", "Получает письма")
	})
	t.Run("one may go on with the next", func(t *testing.T) {
		answer := c.post("/clients/new", url.Values{"email": {"petr@example.com"}, "then": {"another"}})
		if answer.location() != "/clients/new" {
			t.Errorf("leads to %q", answer.location())
		}
	})
	t.Run("what is wrong stands beside the field, and what was typed stays", func(t *testing.T) {
		p := c.post("/clients/new", url.Values{"email": {"ivan@"}, "first_name": {"Иван"}}).expect(http.StatusUnprocessableEntity)
		p.shows("#field-email-error", "«ivan@»")
		if p.attr("#field-email", "value") != "ivan@" || p.attr("#field-first_name", "value") != "Иван" {
			t.Error("what was typed is gone")
		}
		c.lang("en").post("/clients/new", url.Values{}).expect(http.StatusUnprocessableEntity).shows("h1", "New client").lacks("#field-first_name-error")
		c.lang("ru")
	})
	t.Run("an address that is there already is told", func(t *testing.T) {
		p := c.post("/clients/new", url.Values{"email": {"PETR@example.com"}}).expect(http.StatusConflict)
		p.shows("#field-email-error", "petr@example.com уже есть")
		c.get(p.attr("#field-email-error a", "href")).expect(http.StatusOK).shows("main", "petr@example.com")
	})
	t.Run("a client is edited", func(t *testing.T) {
		contact := h.contacts(anna)[0]
		path := pathOf("/clients/", contact.ID)
		form := c.get(path + "/edit").expect(http.StatusOK)
		if form.attr("#field-email", "value") != "ivan@пример.рф" {
			t.Errorf("the form shows %q", form.attr("#field-email", "value"))
		}
		c.follow(c.submit(form, "main form", url.Values{"last_name": {"Петров"}})).shows("h1", "Иван Петров")
		c.post(path+"/edit", url.Values{"email": {""}}).expect(http.StatusUnprocessableEntity).shows("h1", "Редактирование клиента")
		if now := h.contacts(anna)[0]; now.Email != contact.Email || now.LastName != "Петров" {
			t.Errorf("it is %+v now", now)
		}
	})
}

func TestContactPage(t *testing.T) {
	h := newHarness(t)
	anna, boris := h.account("anna@example.org", mailing.RoleUser), h.account("boris@example.org", mailing.RoleUser)
	c := h.signIn(anna)
	contact := storetest.Contact(t, h.store, anna.ID, "ivan@example.com")
	path := pathOf("/clients/", contact.ID)
	t.Run("nobody else finds it", func(t *testing.T) {
		other := h.signIn(boris)
		other.get(path).expect(http.StatusNotFound)
		other.get(path + "/edit").expect(http.StatusNotFound)
		other.post(path+"/edit", url.Values{"email": {"x@example.com"}}).expect(http.StatusNotFound)
		other.post(path+"/delete", nil).expect(http.StatusNotFound)
		other.post(path+"/suppress", nil).expect(http.StatusNotFound)
		c.get("/clients/0").expect(http.StatusNotFound)
		c.get("/clients/x").expect(http.StatusNotFound)
	})
	t.Run("a manager sees it and is not offered to change it", func(t *testing.T) {
		m := h.signIn(h.account("manager@example.org", mailing.RoleManager))
		m.get(path).expect(http.StatusOK).shows(".facts", "Анна Петрова").lacks(".page-actions a").lacks(".page-actions form")
		m.get(path + "/edit").expect(http.StatusForbidden)
	})
	t.Run("it is left out of mailings and taken in again", func(t *testing.T) {
		c.follow(c.post(path+"/suppress", nil)).shows(".facts .state", "Не писать").shows(".note", "Так решили вы").one(".undo-toast")
		c.follow(c.post(path+"/suppress", nil)).shows(".flash", "и раньше").lacks(".undo-toast") // to undo this would undo the first
		c.follow(c.post(path+"/unsuppress", nil)).shows(".facts .state", "Получает письма").lacks(".note")
	})
	t.Run("who unsubscribed cannot be taken in again", func(t *testing.T) {
		gone := storetest.Contact(t, h.store, anna.ID, "gone@example.com")
		_, err := h.store.Suppress(ctx, mailing.Suppression{
			OwnerID: anna.ID, Email: gone.Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		p := c.get(pathOf("/clients/", gone.ID)).shows(".note", "отписался по ссылке").lacks("form[action=" + pathOf("/clients/", gone.ID) + "/unsuppress]")
		p.one("form[action=" + pathOf("/clients/", gone.ID) + "/delete]")
		c.post(pathOf("/clients/", gone.ID)+"/unsuppress", nil).expect(http.StatusConflict)
	})
	t.Run("it is deleted", func(t *testing.T) {
		c.follow(c.post(path+"/delete", nil)).shows(".flash", "Клиент удалён: Иван Сидоров.")
		c.get(path).expect(http.StatusNotFound)
	})
}

// sent makes a run of a mailing with the subject to the contacts, each of which
// ends in the state.
func (h *harness) sent(owner mailing.Account, subject string, state mailing.DeliveryState, contacts ...mailing.Contact) mailing.Run {
	h.t.Helper()
	ids := make([]int64, len(contacts))
	for i, contact := range contacts {
		ids[i] = contact.ID
	}
	message := storetest.Message(h.t, h.store, mailing.Message{OwnerID: owner.ID, Subject: subject})
	m := storetest.Mailing(h.t, h.store, mailing.Mailing{OwnerID: owner.ID, MessageID: message.ID}, ids...)
	run := storetest.Run(h.t, h.store, m)
	node := storetest.Node(h.t, h.store, "node")
	leased, err := h.store.Lease(ctx, node, run.ID, storetest.Now, len(contacts))
	if err != nil {
		h.t.Fatal(err)
	}
	if state == mailing.Sending {
		return run
	}
	outcomes := make([]store.Outcome, len(leased))
	for i, l := range leased {
		outcomes[i] = outcome(node, l, owner, m, state)
	}
	if err := h.store.Settle(ctx, node, outcomes, storetest.Now); err != nil {
		h.t.Fatal(err)
	}
	return run
}

func outcome(node store.Node, l store.Leased, owner mailing.Account, m mailing.Mailing, state mailing.DeliveryState) store.Outcome {
	attempt := &mailing.Attempt{
		DeliveryID: l.ID, RunID: l.RunID, MailingID: m.ID, OwnerID: owner.ID, Email: l.Email, At: storetest.Now,
		Duration: 1250 * time.Millisecond, Node: node.Name, Host: "mx.example.com:25", TLS: "TLS1.3", Stage: "dot",
		Result: mailing.AttemptAccepted, Reply: mailing.Reply{Code: 250, Enhanced: "2.0.0", Text: "Ok: queued as 4X1"},
	}
	o := store.Outcome{DeliveryID: l.ID, Epoch: node.Epoch, Tries: l.Tries, State: state, Attempt: attempt}
	switch state {
	case mailing.Failed:
		o.Reason = mailing.ReasonRefused
		attempt.Result, attempt.Stage = mailing.AttemptFailed, "rcpt"
		attempt.Reply = mailing.Reply{Code: 550, Enhanced: "5.7.1", Text: "=cmd|'/c calc'!A1\nsecond line of <b>the</b> answer"}
	case mailing.Deferred:
		o.DueAt = storetest.Now.Add(time.Hour)
		attempt.Result, attempt.Stage = mailing.AttemptDeferred, "rcpt"
		attempt.Reply = mailing.Reply{Code: 451, Enhanced: "4.7.1", Text: "greylisted"}
	}
	return o
}
