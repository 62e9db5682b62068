package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

const (
	// contactsShown is how many contacts have a box to tick at once; of more
	// than that people search. Chosen.
	contactsShown = 100
	// contactsAtOnce is how many contacts are read from the database at once.
	contactsAtOnce = 1000
	// mostChosen keeps the form, which carries the ids of all that are chosen, at
	// a megabyte. Who mails more people mails all, or imports them apart.
	mostChosen = 50_000
)

// contactPicker is what there is to tick. The form carries all chosen ids in one
// field, "chosen", and those that have a box also in "shown": of those the box
// decides, and the others stay chosen. So nobody is lost on the way from one
// search to the next, and thousands can be chosen.
type contactPicker struct {
	Found []mailing.Contact // what the search has found, the first of Total
	Total int64
	Kept  []mailing.Contact // chosen ones that are not among them, the first of those
}

// typedContacts are the contacts that are chosen in the form that was sent. One
// more than may be shows that there are too many; the rest is not read.
func (r *request) typedContacts() []int64 {
	shown := map[int64]bool{}
	for _, id := range r.ids("shown") {
		shown[id] = true
	}
	chosen := withoutRepeats(r.ids("contacts"))
	seen := make(map[int64]bool, len(chosen))
	for _, id := range chosen {
		seen[id] = true
	}
	for text := range strings.SplitSeq(r.field("chosen"), ",") {
		if len(chosen) > mostChosen {
			break
		}
		if id, err := strconv.ParseInt(text, 10, 64); err == nil && id > 0 && !shown[id] && !seen[id] {
			chosen, seen[id] = append(chosen, id), true
		}
	}
	return chosen
}

// boundChosen leaves as many contacts chosen as may be, and says so if there were
// more.
func (r *request) boundChosen(page *mailingFormPage) {
	if len(page.Chosen) <= mostChosen {
		return
	}
	page.Chosen = page.Chosen[:mostChosen]
	fault := mailing.FieldFault(mailing.Invalid, "contacts", "contacts_too_many", "max", r.Number(mostChosen))
	page.Problems, _ = r.problems(fault)
}

// withoutRepeats leaves the first of each, in order. It never returns nil.
func withoutRepeats(ids []int64) []int64 {
	seen := make(map[int64]bool, len(ids))
	return slices.DeleteFunc(ids, func(id int64) bool {
		repeated := seen[id]
		seen[id] = true
		return repeated
	})
}

// pickContacts fills the picker, after what the button "find" asks for: "all"
// chooses whatever the search finds, "none" nobody.
func (w *Web) pickContacts(r *request, page *mailingFormPage, owner mailing.Account) (err error) {
	switch r.field("find") {
	case "all":
		err = w.chooseFound(r, page, owner)
	case "none":
		page.Chosen = []int64{}
	}
	if err != nil {
		return err
	}
	page.Picker.Found, page.Picker.Total, err = w.App.Contacts(r.in.Context(), owner, app.ContactFilter{},
		app.Page{Search: page.Search, Sort: "email", Limit: contactsShown})
	if err != nil {
		return err
	}
	page.Picker.Kept, err = w.keptContacts(r, page, owner)
	return err
}

// chooseFound adds all that the search finds, as far as there is room.
func (w *Web) chooseFound(r *request, page *mailingFormPage, owner mailing.Account) error {
	for offset := int64(0); ; offset += contactsAtOnce {
		found, total, err := w.App.Contacts(r.in.Context(), owner, app.ContactFilter{},
			app.Page{Search: page.Search, Sort: "email", Offset: offset, Limit: contactsAtOnce})
		if err != nil {
			return err
		}
		for _, c := range found {
			page.Chosen = append(page.Chosen, c.ID)
		}
		if offset+contactsAtOnce >= total || len(page.Chosen) > mostChosen {
			break
		}
	}
	page.Chosen = withoutRepeats(page.Chosen)
	r.boundChosen(page)
	return nil
}

// keptContacts are the first of the chosen contacts that the search has not
// found. Those that are not there any more fall out of the choice.
func (w *Web) keptContacts(r *request, page *mailingFormPage, owner mailing.Account) ([]mailing.Contact, error) {
	found := map[int64]bool{}
	for _, c := range page.Picker.Found {
		found[c.ID] = true
	}
	var others []int64
	for _, id := range page.Chosen {
		if !found[id] && len(others) < contactsAtOnce {
			others = append(others, id)
		}
	}
	there, err := w.App.ContactsByIDs(r.in.Context(), owner, others)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]mailing.Contact, len(there))
	for _, c := range there {
		byID[c.ID] = c
	}
	var kept []mailing.Contact
	gone := map[int64]bool{}
	for _, id := range others {
		c, ok := byID[id]
		gone[id] = !ok
		if ok && len(kept) < contactsShown {
			kept = append(kept, c)
		}
	}
	page.Chosen = slices.DeleteFunc(page.Chosen, func(id int64) bool { return gone[id] })
	return kept, nil
}

// chosenIDs is the value of the field "chosen".
func (f mailingForm) chosenIDs() string {
	texts := make([]string, len(f.Chosen))
	for i, id := range f.Chosen {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(texts, ",")
}

func (f mailingForm) has(id int64) bool { return slices.Contains(f.Chosen, id) }

func contactBoxID(id int64) string { return fmt.Sprintf("contact-%d", id) }

// contactWords names a contact in one line.
func contactWords(c mailing.Contact) string {
	if name := c.Name(); name != "" {
		return c.Email + " — " + name
	}
	return c.Email
}
