package app_test

import (
	"fmt"
	"testing"
	"time"

	"vestnik/internal/app"
	"vestnik/internal/mailing"
	"vestnik/internal/store/storetest"
)

func TestManyAreChangedInAsManyGoesAsTheyTake(t *testing.T) {
	h := newHouse(t)
	ctx, anna := t.Context(), h.person(t, "anna@example.org", mailing.RoleUser)
	const all = 40
	for i := range all {
		message := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: fmt.Sprintf("Письмо %d", i)})
		storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID})
	}
	// A clock on which every look takes a second.
	begin, looks := h.Now(), 0
	h.App.Now = func() time.Time { looks++; return begin.Add(time.Duration(looks) * time.Second) }
	chosen := app.Chosen{Found: begin, Search: "письмо"}
	var done int64
	for goes := 1; ; goes++ {
		report, err := h.ChangeMailings(ctx, anna, app.MailingFilter{Status: mailing.StatusCreated}, chosen, "pause", "")
		if err != nil || len(report.Refused) > 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		done += report.Done
		if !report.Unasked {
			break
		}
		if report.Done == 0 || goes > all {
			t.Fatalf("go %d did %d", goes, report.Done)
		}
	}
	if done != all {
		t.Errorf("%d of %d were paused", done, all)
	}
}

func TestWhatIsNotChangedIsToldByReason(t *testing.T) {
	h := newHouse(t)
	ctx, anna := t.Context(), h.person(t, "anna@example.org", mailing.RoleUser)
	var ids []int64
	for i, status := range []mailing.Status{mailing.StatusCompleted, mailing.StatusPaused, mailing.StatusCreated, mailing.StatusCompleted} {
		message := storetest.Message(t, h.store, mailing.Message{OwnerID: anna.ID, Subject: fmt.Sprintf("Письмо %d", i)})
		ids = append(ids, storetest.Mailing(t, h.store, mailing.Mailing{OwnerID: anna.ID, MessageID: message.ID, Status: status}).ID)
	}
	report, err := h.ChangeMailings(ctx, anna, app.MailingFilter{}, app.Chosen{IDs: append(ids, 77)}, "pause", "")
	if err != nil || report.Done != 1 || len(report.Refused) != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	for i, want := range []app.BulkRefusal{{Count: 2, Names: []string{"Письмо 0", "Письмо 3"}}, {Count: 1, Names: []string{"Письмо 1"}}, {Count: 1}} {
		got := report.Refused[i]
		if got.Count != want.Count || fmt.Sprint(got.Names) != fmt.Sprint(want.Names) {
			t.Errorf("%d: %+v", i, got)
		}
	}
	if _, err := h.ChangeMailings(ctx, anna, app.MailingFilter{}, app.Chosen{Found: h.Now()}, "send", ""); mailing.KindOf(err) != mailing.Invalid {
		t.Errorf("sending many at once: %v", err)
	}
}
