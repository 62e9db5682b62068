package app

import (
	"archive/zip"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

// An archive of personal data (GDPR, articles 15 and 20) is a ZIP of JSON and CSV files,
// whose names and fields are English in any language, for programs. Times are UTC by
// RFC 3339; empty is never or unknown.

// ExportContact writes all that is known of a client into w. Nothing is written before it
// is sure that the actor may. It is for who may erase them.
func (a *App) ExportContact(ctx context.Context, actor mailing.Account, id int64, w io.Writer) error {
	c, err := a.changeableContact(ctx, actor, id)
	if err != nil {
		return err
	}
	return a.exportPerson(ctx, actor, c, w)
}

// ExportPerson is ExportContact by an address that need not be among the clients any
// more: it may stand in the log, or on the list of whom not to mail.
func (a *App) ExportPerson(ctx context.Context, actor mailing.Account, ownerID int64, typed string, w io.Writer) error {
	if err := mayChange(actor, ownerID, mailing.ViewAnyClient); err != nil {
		return err
	}
	email, err := mailing.NormalizeEmail(typed)
	if err != nil {
		return err
	}
	c, err := a.store.ContactByEmail(ctx, ownerID, email)
	if mailing.KindOf(err) == mailing.NotFound {
		c = mailing.Contact{OwnerID: ownerID, Email: email}
		c.Suppression, err = a.store.SuppressionOf(ctx, ownerID, email)
	}
	if err != nil {
		return err
	}
	return a.exportPerson(ctx, actor, c, w)
}

func (a *App) exportPerson(ctx context.Context, actor mailing.Account, c mailing.Contact, w io.Writer) error {
	if err := a.note(ctx, actor, "contact.export", mailing.Thing{Kind: mailing.ThingContact, ID: c.ID}, c.OwnerID); err != nil {
		return err
	}
	x := &archive{app: a, zip: zip.NewWriter(w), now: a.Now()}
	x.json("client.json", contactJSON(c))
	x.table("attempts.csv", attemptColumns, func(line func(...string)) error {
		return a.eachAttempt(ctx, store.LogFilter{Owner: c.OwnerID, Email: c.Email}, func(t mailing.Attempt, subject string) {
			if t.Email == c.Email {
				line(attemptLine(t, subject)...)
			}
		})
	})
	x.table("deliveries.csv", deliveryColumns, func(line func(...string)) error {
		if c.ID == 0 {
			return nil
		}
		return a.eachDelivery(ctx, store.DeliveryFilter{Owner: c.OwnerID, ContactID: c.ID}, func(d mailing.Delivery, subject string) {
			line(deliveryLine(d, subject)...)
		})
	})
	return x.end()
}

// ExportAccount writes everything of an account into w: for its person, and for admins.
func (a *App) ExportAccount(ctx context.Context, actor mailing.Account, id int64, w io.Writer) error {
	if actor.ID != id && !actor.Role.May(mailing.ChangeAnything) {
		return mailing.Fault(mailing.NotFound, "not_found")
	}
	account, err := a.store.Account(ctx, id)
	if err != nil {
		return err
	}
	if err := a.note(ctx, actor, "account.export", accountThing(account), id); err != nil {
		return err
	}
	x := &archive{app: a, zip: zip.NewWriter(w), now: a.Now()}
	x.json("account.json", accountJSON(account))
	x.table("clients.csv", []string{"email", "first_name", "last_name", "comment", "status", "added"}, func(line func(...string)) error {
		return a.eachContact(ctx, id, func(c mailing.Contact) {
			line(c.Email, c.FirstName, c.LastName, c.Comment, string(c.Suppression.Reason), moment(c.CreatedAt))
		})
	})
	x.table("suppressions.csv", []string{"email", "reason", "detail", "since"}, func(line func(...string)) error {
		return a.eachSuppression(ctx, id, func(s mailing.Suppression) {
			line(s.Email, string(s.Reason), s.Detail, moment(s.CreatedAt))
		})
	})
	x.list("messages.json", func(one func(any)) error {
		return a.eachMessage(ctx, id, func(m mailing.Message) { one(messageJSON(m)) })
	})
	x.pictures(ctx, id)
	x.list("mailings.json", func(one func(any)) error {
		return a.eachMailing(ctx, id, func(m MailingRow) { one(mailingJSON(m.Mailing)) })
	})
	x.list("drafts.json", func(one func(any)) error {
		drafts, err := a.store.Drafts(ctx, id, exportBatch)
		for _, d := range drafts {
			one(draftJSON(d))
		}
		return err
	})
	x.table("imports.csv", []string{"file", "lines", "added", "existing", "refused", "at"}, func(line func(...string)) error {
		imports, err := a.store.Imports(ctx, id, exportBatch)
		for _, i := range imports {
			line(i.Filename, number(i.Total), number(i.Added), number(i.Existing), number(i.Refused), moment(i.CreatedAt))
		}
		return err
	})
	x.table("attempts.csv", attemptColumns, func(line func(...string)) error {
		return a.eachAttempt(ctx, store.LogFilter{Owner: id}, func(t mailing.Attempt, subject string) {
			line(attemptLine(t, subject)...)
		})
	})
	return x.end()
}

// note writes a deed that changes nothing into the audit log.
func (a *App) note(ctx context.Context, actor mailing.Account, action mailing.Action, thing mailing.Thing, owner int64) error {
	return a.store.Note(a.doing(ctx, actor, mailing.Deed{Action: action, Thing: thing, Owner: owner}))
}

// archive writes files one after another, without holding one of them. After the first
// error it does nothing more.
type archive struct {
	app *App
	zip *zip.Writer
	now time.Time
	err error
}

func (x *archive) file(name string, fill func(io.Writer) error) {
	if x.err != nil {
		return
	}
	var w io.Writer
	if w, x.err = x.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: x.now}); x.err == nil {
		x.err = fill(w)
	}
}

func (x *archive) json(name string, value any) {
	x.file(name, func(w io.Writer) error { return indented(w).Encode(value) })
}

// list is a JSON array of what each gives.
func (x *archive) list(name string, each func(one func(any)) error) {
	x.file(name, func(w io.Writer) error {
		before, out, fault := "[\n", indented(w), error(nil)
		err := each(func(value any) {
			if fault == nil {
				_, fault = io.WriteString(w, before)
			}
			if before = ",\n"; fault == nil {
				fault = out.Encode(value)
			}
		})
		if before == "[\n" && err == nil {
			_, err = io.WriteString(w, before)
		}
		if err == nil && fault == nil {
			_, err = io.WriteString(w, "]\n")
		}
		if fault != nil {
			return fault
		}
		return err
	})
}

// table is a sheet with commas, as programs expect it.
func (x *archive) table(name string, columns []string, each func(line func(...string)) error) {
	x.file(name, func(w io.Writer) error {
		out := newSheet(w, "en")
		out.line(columns...)
		if err := each(out.line); err != nil {
			return err
		}
		return out.flush()
	})
}

// pictures are those of an account's messages, each under its name.
func (x *archive) pictures(ctx context.Context, account int64) {
	if x.err != nil {
		return
	}
	names, err := x.app.store.AccountPictures(ctx, account)
	x.err = err
	for _, name := range names {
		kind, data, err := x.app.store.LargePicture(ctx, name)
		if err != nil {
			x.err = err
			return
		}
		x.file("pictures/"+name+"."+strings.TrimPrefix(kind, "image/"), func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
}

func (x *archive) end() error {
	if x.err != nil {
		return x.err
	}
	return x.zip.Close()
}

func indented(w io.Writer) *json.Encoder {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// moment is a time for programs; empty for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
