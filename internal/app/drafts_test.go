package app_test

import (
	"testing"
	"time"

	"vestnik/internal/mailing"
)

func TestWhatWasSentByHandDoesNotGoOutAgainByAChange(t *testing.T) {
	h, owner, has := quietly(t)
	f := form(has.message)
	f.ID, f.Now = h.NewMailingID(), true
	m, err := h.CreateMailing(t.Context(), owner, f)
	must(t, err)
	_, err = h.SendUndoably(t.Context(), owner, m.ID)
	must(t, err)
	h.later(time.Minute)
	f.ReplyTo, f.Rule = "replies@example.org", m.Rule
	f.Now = false
	_, err = h.UpdateMailing(t.Context(), owner, m.ID, f)
	want(t, err, "schedule_past")
	if after := h.status(t, m.ID); !after.NextAt.IsZero() {
		t.Errorf("it goes out once more at %v", after.NextAt)
	}
}

func TestNobodyTakesTheIDOfAMailingThatWasDeleted(t *testing.T) {
	h, owner, has := quietly(t)
	stranger := h.person(t, "stranger@example.org", mailing.RoleUser)
	ctx, id := h.Undoably(t.Context())
	must(t, h.DeleteMailing(ctx, owner, has.mailing))
	for _, who := range []mailing.Account{stranger, owner} {
		_, err := h.SaveDraft(t.Context(), who, mailing.Draft{MailingID: has.mailing, Form: "{}"}, true, time.Time{})
		want(t, err, "not_found")
		f := form(has.message)
		f.ID = has.mailing
		_, err = h.CreateMailing(t.Context(), who, f)
		want(t, err, "not_found")
	}
	_, err := h.UndoDeletion(t.Context(), owner, id)
	must(t, err)
}

func TestDraftsAreBounded(t *testing.T) {
	h, owner, _ := quietly(t)
	var last error
	for n := 0; n <= 100 && last == nil; n++ {
		_, last = h.SaveDraft(t.Context(), owner, mailing.Draft{MailingID: h.NewMailingID(), Form: "{}"}, true, time.Time{})
	}
	want(t, last, "drafts_too_many")
	drafts, err := h.Drafts(t.Context(), owner, 200)
	must(t, err)
	if len(drafts) != 100 {
		t.Errorf("there are %d", len(drafts))
	}
}

func TestWhoWasErasedDoesNotComeBackWithAnUndo(t *testing.T) {
	h, owner, has := quietly(t)
	must(t, h.EraseContact(t.Context(), owner, has.contact))
	h.later(2 * time.Hour)
	must(t, h.Sweep(t.Context()))
	again, err := h.CreateContact(t.Context(), owner, mailing.Contact{Email: "client@example.org"})
	must(t, err)
	h.later(2 * time.Hour)
	ctx, id := h.Undoably(t.Context())
	must(t, h.DeleteContact(ctx, owner, again.ID))
	must(t, h.Sweep(t.Context()))
	_, err = h.UndoDeletion(t.Context(), owner, id)
	must(t, err)
	c, err := h.Contact(t.Context(), owner, again.ID)
	must(t, err)
	if c.Suppression.Reason != mailing.ReasonErased {
		t.Errorf("mails go to %+v", c)
	}
}
