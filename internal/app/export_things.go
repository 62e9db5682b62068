package app

import (
	"context"
	"encoding/json"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

var (
	attemptColumns  = []string{"at", "subject", "email", "result", "code", "enhanced", "answer", "server", "tls", "run"}
	deliveryColumns = []string{"run", "subject", "email", "state", "reason", "tries", "settled"}
)

func attemptLine(t mailing.Attempt, subject string) []string {
	return []string{
		moment(t.At), subject, t.Email, string(t.Result), replyCode(t.Reply), t.Reply.Enhanced, t.Reply.Text, t.Host, t.TLS, number(t.RunID),
	}
}

func deliveryLine(d mailing.Delivery, subject string) []string {
	return []string{number(d.RunID), subject, d.Email, d.State.String(), string(d.Reason), number(d.Tries), moment(d.SettledAt)}
}

func contactJSON(c mailing.Contact) map[string]any {
	return map[string]any{
		"id": c.ID, "email": c.Email, "first_name": c.FirstName, "last_name": c.LastName, "comment": c.Comment,
		"added": moment(c.CreatedAt), "changed": moment(c.UpdatedAt),
		"not_mailed": map[string]any{"reason": string(c.Suppression.Reason), "detail": c.Suppression.Detail, "since": moment(c.Suppression.CreatedAt)},
	}
}

func accountJSON(a mailing.Account) map[string]any {
	return map[string]any{
		"id": a.ID, "email": a.Email, "first_name": a.FirstName, "last_name": a.LastName, "phone": a.Phone, "role": string(a.Role),
		"language": a.Lang, "time_zone": a.Zone, "registered": moment(a.CreatedAt), "confirmed": moment(a.ConfirmedAt), "blocked": moment(a.BlockedAt),
	}
}

func messageJSON(m mailing.Message) map[string]any {
	return map[string]any{
		"id": m.ID, "subject": m.Subject, "format": string(m.Format), "body": m.Body, "created": moment(m.CreatedAt), "changed": moment(m.UpdatedAt),
	}
}

func mailingJSON(m mailing.Mailing) map[string]any {
	return map[string]any{
		"id": m.ID, "message": m.MessageID, "clients": string(m.Audience), "rule": m.Rule, "status": string(m.Status),
		"from_name": m.FromName, "reply_to": m.ReplyTo, "next": moment(m.NextAt), "last": moment(m.LastAt), "created": moment(m.CreatedAt),
	}
}

// draftJSON is a draft with what was typed as the page keeps it.
func draftJSON(d mailing.Draft) map[string]any {
	return map[string]any{
		"mailing": d.MailingID, "new": d.New, "typed": json.RawMessage(d.Form), "created": moment(d.CreatedAt), "changed": moment(d.UpdatedAt),
	}
}

// eachAttempt goes through attempts, the newest first, with the subjects of their mails.
func (a *App) eachAttempt(ctx context.Context, f store.LogFilter, do func(t mailing.Attempt, subject string)) error {
	f.Limit = exportBatch
	for {
		attempts, err := a.store.Log(ctx, f)
		if err != nil {
			return err
		}
		ids := make([]int64, len(attempts))
		for i, t := range attempts {
			ids[i] = t.RunID
		}
		subjects, err := a.store.RunSubjects(ctx, f.Owner, ids)
		if err != nil {
			return err
		}
		for _, t := range attempts {
			do(t, subjects[t.RunID])
		}
		if len(attempts) < exportBatch {
			return nil
		}
		f.Before = attempts[len(attempts)-1].ID
	}
}

func (a *App) eachDelivery(ctx context.Context, f store.DeliveryFilter, do func(d mailing.Delivery, subject string)) error {
	return eachPage(func(page Page) (int, error) {
		deliveries, _, err := a.store.Deliveries(ctx, f, page)
		if err != nil {
			return 0, err
		}
		ids := make([]int64, len(deliveries))
		for i, d := range deliveries {
			ids[i] = d.RunID
		}
		subjects, err := a.store.RunSubjects(ctx, f.Owner, ids)
		for _, d := range deliveries {
			do(d, subjects[d.RunID])
		}
		return len(deliveries), err
	})
}

func (a *App) eachContact(ctx context.Context, owner int64, do func(mailing.Contact)) error {
	after := ""
	for {
		contacts, err := a.store.ContactsAfter(ctx, owner, after, exportBatch)
		if err != nil {
			return err
		}
		for _, c := range contacts {
			do(c)
			after = c.Email
		}
		if len(contacts) < exportBatch {
			return nil
		}
	}
}

func (a *App) eachSuppression(ctx context.Context, owner int64, do func(mailing.Suppression)) error {
	after := ""
	for {
		list, err := a.store.Suppressions(ctx, owner, after, exportBatch)
		if err != nil {
			return err
		}
		for _, s := range list {
			do(s)
			after = s.Email
		}
		if len(list) < exportBatch {
			return nil
		}
	}
}

func (a *App) eachMessage(ctx context.Context, owner int64, do func(mailing.Message)) error {
	return eachPage(func(page Page) (int, error) {
		list, _, err := a.store.Messages(ctx, owner, page)
		for _, m := range list {
			do(m)
		}
		return len(list), err
	})
}

func (a *App) eachMailing(ctx context.Context, owner int64, do func(MailingRow)) error {
	return eachPage(func(page Page) (int, error) {
		list, _, err := a.store.Mailings(ctx, store.MailingFilter{Owner: owner}, page)
		for _, m := range list {
			do(m)
		}
		return len(list), err
	})
}

// eachPage leafs through a list of things of which a person has few enough.
func eachPage(page func(Page) (n int, err error)) error {
	for p := (Page{Limit: exportBatch}); ; p.Offset += p.Limit {
		if n, err := page(p); err != nil || n < exportBatch {
			return err
		}
	}
}
