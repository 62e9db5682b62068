package web

import (
	"fmt"
	"slices"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
)

const (
	// contactsShown is how many contacts have a box to tick at once; of more
	// than that people search. Chosen.
	contactsShown = 100
	// contactsAtOnce is how many contacts are read from the database at once.
	contactsAtOnce = 1000
	// mostChosen keeps a draft, which has the ids of all that are chosen, at
	// a megabyte. Who mails more people mails all, or imports them apart.
	mostChosen = 50_000
)

// contactPicker is what there is to tick. Who is chosen is kept in the draft; the form
// carries in "shown" who has a box: of those the box decides, and the others stay chosen.
// So nobody is lost on the way from one search to the next, and thousands can be chosen.
type contactPicker struct {
	Found []mailing.Contact // what the search has found, the first of Total
	Total int64
	Kept  []mailing.Contact // chosen ones that are not among them, the first of those
}

// typedContacts are the contacts that are chosen in the form that was sent, after those
// that were chosen before and have no box in it. One more than may be shows that there
// are too many; the rest is not read.
func (r *request) typedContacts(before []int64) []int64 {
	boxes := map[int64]bool{}
	for _, id := range r.ids("shown") {
		boxes[id] = true
	}
	chosen := r.ids("contacts")
	for _, id := range chosen {
		boxes[id] = true
	}
	kept := slices.DeleteFunc(slices.Clone(before), func(id int64) bool { return boxes[id] })
	chosen = withoutRepeats(append(kept, chosen...))
	slices.Sort(chosen) // so that the same choice is the same draft
	return chosen[:min(len(chosen), mostChosen+1)]
}

// boundChosen leaves as many contacts chosen as may be, and says so if there were
// more.
func (r *request) boundChosen(page *mailingEditor) {
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

// chooseBy changes the choice as a button asks: "all" chooses whatever the search finds,
// "none" nobody.
func (w *Web) chooseBy(r *request, page *mailingEditor, do string) error {
	switch do {
	case doAll:
		return w.chooseFound(r, page, page.Owner)
	case doNone:
		page.Chosen = nil
	}
	return nil
}

// pickContacts fills the picker.
func (w *Web) pickContacts(r *request, page *mailingEditor) (err error) {
	owner := page.Owner
	page.Picker.Found, page.Picker.Total, err = w.App.Contacts(r.in.Context(), owner, app.ContactFilter{},
		app.Page{Search: page.Search, Sort: "email", Limit: contactsShown})
	if err != nil {
		return err
	}
	page.Picker.Kept, err = w.keptContacts(r, page, owner)
	return err
}

// chooseFound adds all that the search finds, as far as there is room.
func (w *Web) chooseFound(r *request, page *mailingEditor, owner mailing.Account) error {
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
	slices.Sort(page.Chosen)
	r.boundChosen(page)
	return nil
}

// keptContacts are the first of the chosen contacts that the search has not
// found. Those that are not there any more fall out of the choice.
func (w *Web) keptContacts(r *request, page *mailingEditor, owner mailing.Account) ([]mailing.Contact, error) {
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

func (f mailingForm) has(id int64) bool { return slices.Contains(f.Chosen, id) }

func contactBoxID(id int64) string { return fmt.Sprintf("contact-%d", id) }

// contactWords names a contact in one line.
func contactWords(c mailing.Contact) string {
	if name := c.Name(); name != "" {
		return c.Email + " — " + name
	}
	return c.Email
}

// more is how many chosen contacts have no box of their own.
func (e mailingEditor) more() int64 {
	boxes := len(e.Picker.Kept)
	for _, c := range e.Picker.Found {
		if e.has(c.ID) {
			boxes++
		}
	}
	return int64(len(e.Chosen) - boxes)
}
