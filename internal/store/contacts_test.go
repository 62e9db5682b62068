package store_test

import (
	"fmt"
	"testing"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
	"vestnik/internal/store/storetest"
)

func TestContactsAreUniqueWithinTheirOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com").ID
		boris := storetest.Account(t, s, "boris@example.com").ID
		c := storetest.Contact(t, s, anna, "ivan@example.com")
		d := storetest.Contact(t, s, anna, "pavel@example.com")
		storetest.Contact(t, s, boris, "ivan@example.com")

		equal(t, "contact", must(s.Contact(ctx, c.ID))(t), c)
		equal(t, "contact by e-mail", must(s.ContactByEmail(ctx, anna, c.Email))(t), c)
		_, err := s.CreateContact(ctx, mailing.Contact{OwnerID: anna, Email: c.Email, CreatedAt: now})
		wantCode(t, err, "contact_exists")
		d.Email = c.Email
		wantCode(t, s.UpdateContact(ctx, d), "contact_exists")

		c.FirstName, c.Comment, c.UpdatedAt = "Пётр", "любит\nёлки", now.Add(time.Hour)
		ok(t, s.UpdateContact(ctx, c))
		equal(t, "contact", must(s.Contact(ctx, c.ID))(t), c)

		equal(t, "deleted of another's", must(s.DeleteContacts(ctx, boris, []int64{c.ID, d.ID}))(t), 0)
		equal(t, "deleted of one's own", must(s.DeleteContacts(ctx, anna, []int64{c.ID, 1}))(t), 1)
		_, err = s.Contact(ctx, c.ID)
		wantCode(t, err, "not_found")
	})
}

func TestSuppressionOutlivesTheContact(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com").ID
		c := storetest.Contact(t, s, anna, "ivan@example.com")
		sup := mailing.Suppression{
			OwnerID: anna, Email: c.Email, Reason: mailing.ReasonUnsubscribed, Detail: "по ссылке\x00", CreatedAt: now,
		}
		equal(t, "new", must(s.Suppress(ctx, sup))(t), true)
		later := sup
		later.Reason, later.CreatedAt = mailing.ReasonBounced, now.Add(time.Hour)
		equal(t, "new the second time", must(s.Suppress(ctx, later))(t), false)
		sup.Detail = "по ссылке\uFFFD"
		equal(t, "suppression", must(s.Contact(ctx, c.ID))(t).Suppression, sup)

		must(s.DeleteContacts(ctx, anna, []int64{c.ID}))(t)
		again := storetest.Contact(t, s, anna, c.Email)
		equal(t, "suppression", must(s.Contact(ctx, again.ID))(t).Suppression, sup)
		equalList(t, "since then", must(s.SuppressionsSince(ctx, now))(t), []mailing.Suppression{sup})
		equal(t, "since a moment later", len(must(s.SuppressionsSince(ctx, now.Add(time.Millisecond)))(t)), 0)

		boris := storetest.Contact(t, s, anna, "boris@example.com")
		bounced := mailing.Suppression{OwnerID: anna, Email: boris.Email, Reason: mailing.ReasonBounced, CreatedAt: now}
		must(s.Suppress(ctx, bounced))(t)
		left := mailing.Suppression{OwnerID: anna, Email: boris.Email, Reason: mailing.ReasonUnsubscribed, CreatedAt: now}
		equal(t, "a person's own word is new", must(s.Suppress(ctx, left))(t), true)
		equal(t, "and outweighs", must(s.Contact(ctx, boris.ID))(t).Suppression.Reason, mailing.ReasonUnsubscribed)

		wantCode(t, s.Unsuppress(ctx, anna, c.Email), "contact_unsubscribed")
		equal(t, "suppression", must(s.Contact(ctx, again.ID))(t).Suppression, sup)
		gleb := storetest.Contact(t, s, anna, "gleb@example.com")
		ok(t, s.Unsuppress(ctx, anna, gleb.Email))
		bounced.Email = gleb.Email
		must(s.Suppress(ctx, bounced))(t)
		ok(t, s.Unsuppress(ctx, anna, gleb.Email))
		equal(t, "suppression", must(s.Contact(ctx, gleb.ID))(t).Suppression, mailing.Suppression{})
	})
}

func TestContactsAreFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com").ID
		boris := storetest.Account(t, s, "boris@example.com").ID
		for i, c := range []mailing.Contact{
			{Email: "a@example.com", FirstName: "Ёлка", LastName: "Зимняя"},
			{Email: "b@example.com", FirstName: "ИВАН", LastName: "Елкин", Comment: "скидка 100%"},
			{Email: "c_d@xn--e1afmkfd.xn--p1ai", FirstName: "O'Neil", Comment: `back\slash`},
			{Email: "cxd@example.com", FirstName: "Zoë", Comment: "скидка 1000"},
		} {
			c.OwnerID, c.CreatedAt = anna, now.Add(time.Duration(i)*time.Minute)
			must(s.CreateContact(ctx, c))(t)
		}
		storetest.Contact(t, s, boris, "elka@example.com")
		for _, c := range []struct {
			typed string
			found string
		}{
			{"", "abcc"},
			{"ёлка", "a"},
			{"ЕЛК", "ab"},
			{"елка зимняя", "a"},
			{"ёлк иван", "b"},
			{"иван", "b"},
			{"100%", "b"},
			{"c_d", "c"},
			{`k\s`, "c"},
			{"o'n", "c"},
			{"пример.рф", "c"},
			{"xn--", "c"},
			{"ZOË", "c"},
			{"%", "b"},
			{"nobody", ""},
			{"\x00\n", "abcc"},
			{"' or 1=1 --", ""},
		} {
			list, total, err := s.Contacts(ctx, store.ContactFilter{Owner: anna}, store.Page{Search: c.typed, Sort: "email", Limit: 10})
			ok(t, err)
			found := ""
			for _, contact := range list {
				found += contact.Email[:1]
			}
			equal(t, fmt.Sprintf("found for %q", c.typed), found, c.found)
			equal(t, fmt.Sprintf("total for %q", c.typed), total, int64(len(c.found)))
		}
		_, total, err := s.Contacts(ctx, store.ContactFilter{}, store.Page{Limit: 10})
		ok(t, err)
		equal(t, "everybody's", total, 5)
	})
}

func TestContactsAreListedInParts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, 7)
		for _, c := range h.contacts[2:4] {
			must(s.Suppress(ctx, mailing.Suppression{OwnerID: h.owner.ID, Email: c.Email, Reason: mailing.ReasonBounced, CreatedAt: now}))(t)
		}
		chosen := storetest.Mailing(t, s, mailing.Mailing{OwnerID: h.owner.ID}, h.contacts[0].ID, h.contacts[2].ID)
		list := func(t *testing.T, f store.ContactFilter, page store.Page) (numbers []int, total int64) {
			contacts, total, err := s.Contacts(ctx, f, page)
			ok(t, err)
			for _, c := range contacts {
				var n int
				must(fmt.Sscanf(c.Email, "client%d@", &n))(t)
				numbers = append(numbers, n)
			}
			return numbers, total
		}
		mine := store.ContactFilter{Owner: h.owner.ID}
		for _, c := range []struct {
			what   string
			filter store.ContactFilter
			page   store.Page
			want   []int
			total  int64
		}{
			{"first page", mine, store.Page{Sort: "email", Limit: 3}, []int{1, 2, 3}, 7},
			{"last page", mine, store.Page{Sort: "email", Limit: 3, Offset: 6}, []int{7}, 7},
			{"past the end", mine, store.Page{Sort: "email", Limit: 3, Offset: 9}, nil, 7},
			{"backwards", mine, store.Page{Sort: "email", Desc: true, Limit: 2}, []int{7, 6}, 7},
			{"a column that is none", mine, store.Page{Sort: "id; drop table contacts", Limit: 0}, nil, 7},
			{"negative numbers", mine, store.Page{Limit: -1, Offset: -1}, nil, 7},
			{"bounced", store.ContactFilter{Reason: mailing.ReasonBounced}, store.Page{Sort: "email", Limit: 9}, []int{3, 4}, 2},
			{"mailable", store.ContactFilter{Owner: h.owner.ID, Mailable: true}, store.Page{Sort: "email", Limit: 9}, []int{1, 2, 5, 6, 7}, 5},
			{"chosen", store.ContactFilter{MailingID: chosen.ID}, store.Page{Sort: "email", Limit: 9}, []int{1, 3}, 2},
		} {
			got, total := list(t, c.filter, c.page)
			equalList(t, c.what, got, c.want)
			equal(t, c.what+": total", total, c.total)
		}
		t.Run("each once, whatever they are sorted by", func(t *testing.T) {
			for _, column := range []string{"", "email", "first_name", "last_name", "status", "created"} {
				seen := map[int]bool{}
				for offset := range int64(7) {
					part, _ := list(t, mine, store.Page{Sort: column, Limit: 1, Offset: offset})
					seen[part[0]] = true
				}
				equal(t, "contacts by "+column, len(seen), 7)
			}
		})
	})
}

func TestImportContacts(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		anna := storetest.Account(t, s, "anna@example.com").ID
		batch := func(first, n int) (list []mailing.Contact) {
			for i := first; i < first+n; i++ {
				list = append(list, mailing.Contact{
					OwnerID: anna, Email: fmt.Sprintf("client%06d@example.com", i), FirstName: "Клиент",
					LastName: fmt.Sprint(i), Comment: "из файла", CreatedAt: now,
				})
			}
			return list
		}
		t.Run("a hundred thousand", func(t *testing.T) {
			begin := time.Now()
			for first := 0; first < 100_000; first += 1000 {
				equal(t, "added", must(s.ImportContacts(ctx, batch(first, 1000)))(t), 1000)
			}
			t.Logf("100,000 contacts imported in batches of 1,000 in %v", time.Since(begin).Round(time.Millisecond))
			_, total, err := s.Contacts(ctx, store.ContactFilter{Owner: anna}, store.Page{Search: "КЛИЕНТ 99999", Limit: 1})
			ok(t, err)
			equal(t, "found", total, 1)
		})
		t.Run("adds only who is not there", func(t *testing.T) {
			list := append(batch(99_990, 20), batch(100_005, 5)...)
			equal(t, "added", must(s.ImportContacts(ctx, list))(t), 10)
			equal(t, "added of none", must(s.ImportContacts(ctx, nil))(t), 0)
			c := must(s.ContactByEmail(ctx, anna, "client100005@example.com"))(t)
			equal(t, "names", c.Name(), "Клиент 100005")
			equal(t, "updated", c.UpdatedAt, now)
		})
		t.Run("by two at once, one forwards and one backwards", func(t *testing.T) {
			stores := []*store.Store{s, storetest.Open(t, url)}
			added := make([]int64, 2)
			for _, err := range atOnce(2, func(i int) (err error) {
				list := batch(200_000, 3000)
				if i == 1 {
					for a, b := 0, len(list)-1; a < b; a, b = a+1, b-1 {
						list[a], list[b] = list[b], list[a]
					}
				}
				added[i], err = stores[i].ImportContacts(ctx, list)
				return err
			}) {
				ok(t, err)
			}
			equal(t, "added by both", added[0]+added[1], 3000)
		})
	})
}

func TestImportReports(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna := storetest.Account(t, s, "anna@example.com").ID
		id := must(s.CreateImport(ctx, anna, "клиенты\x00.csv", now))(t)
		i := must(s.Import(ctx, id))(t)
		equal(t, "file", i.Filename, "клиенты\uFFFD.csv")
		i.Total, i.Added, i.Existing, i.Refused, i.FinishedAt = 5, 2, 1, 2, now.Add(time.Minute)
		refusals := []store.Refusal{
			{Line: 4, Value: "anna\x00@", Code: "email_malformed", Params: map[string]any{"email": "anna\x00@", "max": 254.0}},
			{Line: 2, Value: "", Code: "email_empty"},
		}
		for range 2 { // told twice, written once
			ok(t, s.UpdateImport(ctx, i, refusals))
		}
		equal(t, "report", must(s.Import(ctx, id))(t), i)
		equalList(t, "reports", must(s.Imports(ctx, anna, 10))(t), []store.Import{i})
		got := must(s.ImportRefusals(ctx, id, 0, 10))(t)
		equal(t, "refusals", len(got), 2)
		equal(t, "first line", got[0].Line, 2)
		equal(t, "value", got[1].Value, "anna\uFFFD@")
		equal(t, "number", got[1].Params["max"], any(254.0))
		equal(t, "after line 2", len(must(s.ImportRefusals(ctx, id, 2, 10))(t)), 1)
		_, err := s.Import(ctx, 1)
		wantCode(t, err, "not_found")
	})
}
