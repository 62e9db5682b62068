package app

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"vestnik/internal/mailing"
	"vestnik/internal/store"
)

const (
	// importBatch is how many contacts one statement adds, and how many refused
	// lines are kept until they are stored. Larger ones are no faster.
	importBatch = 1000
	// MaxRefusals is how many refused lines of a file are stored; more are only
	// counted. Chosen: nobody mends more by hand.
	MaxRefusals = 100_000
	// maxLines is of how many addresses an import remembers the line, to tell of a repeated
	// one where it stood first: some 20 MB. Later ones count as known already. Chosen.
	maxLines = 200_000
	// shownRunes is how much of a refused value is stored. Chosen: enough to
	// recognise it.
	shownRunes = 200
	// saveTimeout is how long the last word about an import that was broken off
	// may take: that of SQLite's busy_timeout.
	saveTimeout = 10 * time.Second
)

// ImportContacts adds the contacts of a CSV file to the actor's and returns the
// report. The file is read as a stream and may have any size. Contacts the actor
// has already stay as they are; lines that cannot be used are listed with the
// reason, and the others are imported all the same.
//
// A file that is no list of contacts at all is an *mailing.Error of kind Invalid
// and leaves no report: csv_empty, csv_binary, csv_is_spreadsheet,
// csv_no_email_column (columns). When the import breaks off, what was added stays
// and the report says why in Fault; importing the file again adds the rest.
// Then the error is of kind Invalid, import_upload_broken, when the file did not
// come to its end, else that of ctx or of the database.
func (a *App) ImportContacts(ctx context.Context, actor mailing.Account, filename string, r io.Reader) (store.Import, error) {
	file, err := openCSV(r)
	if err != nil {
		return store.Import{}, importFault(err)
	}
	defer a.numbersChanged(ctx, actor.ID)
	im := importing{app: a, actor: actor, file: file, report: store.Import{
		OwnerID: actor.ID, Filename: shortened(mailing.CleanLine(filename)), CreatedAt: a.Now(),
	}}
	err = im.all(ctx)
	if im.report.ID == 0 {
		return store.Import{}, importFault(err)
	}
	return im.finish(ctx, err)
}

// importing is an import under way.
type importing struct {
	app     *App
	actor   mailing.Account
	file    *csvReader
	columns *columns // nil before the first record that can be read
	report  store.Import

	contacts []mailing.Contact
	emails   map[string]bool  // of contacts
	repeated int64            // contacts of this batch that were in it already
	lines    map[string]int64 // where an address stood first, of the first maxLines
	refusals []store.Refusal
}

// all reads the file to its end.
func (im *importing) all(ctx context.Context) error {
	im.emails, im.lines = make(map[string]bool, importBatch), map[string]int64{}
	for {
		record, err := im.file.next()
		if errors.Is(err, io.EOF) {
			return im.end(ctx)
		}
		if err != nil {
			return errors.Join(err, im.flush(ctx))
		}
		if err := im.record(record); err != nil {
			return err
		}
		if len(im.contacts) < importBatch && len(im.refusals) < importBatch {
			continue
		}
		if im.columns == nil { // so many lines, and not one could be read
			return mailing.FieldFault(mailing.Invalid, "file", "csv_binary")
		}
		if err := im.flush(ctx); err != nil {
			return err
		}
	}
}

func (im *importing) end(ctx context.Context) error {
	if im.report.ID == 0 && len(im.contacts)+len(im.refusals) == 0 {
		return mailing.FieldFault(mailing.Invalid, "file", "csv_empty")
	}
	return im.flush(ctx)
}

// record takes over one record; the error is that there is no e-mail column.
func (im *importing) record(r csvRecord) error {
	if r.fault != nil {
		im.refuse(r.line, r.raw, r.fault)
		return nil
	}
	if blank(r.cells) {
		return nil
	}
	if im.columns == nil {
		found, header, err := columnsOf(r.cells)
		if err != nil {
			return err
		}
		im.columns = &found
		if header {
			im.report.Untaken = found.untaken(r.cells)
		}
		if header {
			return nil
		}
	}
	return im.contact(r.line, im.columns.contact(r.cells))
}

func (im *importing) contact(line int64, c mailing.Contact) error {
	typed := c
	if err := c.Check(); err != nil {
		var problems mailing.Problems
		if !errors.As(err, &problems) {
			return err
		}
		im.refuse(line, fieldValue(typed, problems[0].Field), problems[0])
		return nil
	}
	if first, repeated := im.lines[c.Email]; repeated {
		im.refuse(line, typed.Email, mailing.FieldFault(mailing.Invalid, "email", "csv_repeated", "line", first))
		return nil
	}
	if len(im.lines) < maxLines {
		im.lines[c.Email] = line
	}
	c.OwnerID, c.CreatedAt, c.UpdatedAt = im.report.OwnerID, im.report.CreatedAt, im.report.CreatedAt
	if im.emails[c.Email] { // beyond those remembered
		im.repeated++
		return nil
	}
	im.emails[c.Email] = true
	im.contacts = append(im.contacts, c)
	return nil
}

// fieldValue is what was typed into the field.
func fieldValue(c mailing.Contact, field string) string {
	switch field {
	case "first_name":
		return c.FirstName
	case "last_name":
		return c.LastName
	case "comment":
		return c.Comment
	}
	return c.Email
}

func (im *importing) refuse(line int64, value string, why *mailing.Error) {
	params := make(map[string]any, len(why.Params))
	for name, param := range why.Params {
		if text, ok := param.(string); ok {
			param = shortened(text)
		}
		params[name] = param
	}
	im.refusals = append(im.refusals, store.Refusal{Line: line, Value: shortened(value), Code: why.Code, Params: params})
}

// flush stores what has gathered. The numbers count it only when it is stored.
func (im *importing) flush(ctx context.Context) error {
	if len(im.contacts)+len(im.refusals) == 0 {
		return nil
	}
	s := im.app.store
	if im.report.ID == 0 {
		id, err := s.CreateImport(im.doing(ctx), im.report.OwnerID, im.report.Filename, im.report.CreatedAt)
		if err != nil {
			return wrap(err, "import")
		}
		im.report.ID = id
	}
	if err := im.app.keepErased(ctx, im.report.OwnerID, slices.Collect(maps.Keys(im.emails))...); err != nil {
		return wrap(err, "import")
	}
	added, err := s.ImportContacts(ctx, im.contacts)
	if err != nil {
		return wrap(err, "import")
	}
	next := im.report
	next.Added += added
	next.Existing += int64(len(im.contacts)) - added + im.repeated
	next.Refused += int64(len(im.refusals))
	next.Total = next.Added + next.Existing + next.Refused
	kept := min(int64(len(im.refusals)), max(MaxRefusals-im.report.Refused, 0))
	im.report = next
	if err := s.UpdateImport(ctx, im.report, im.refusals[:kept]); err != nil {
		return wrap(err, "import")
	}
	im.contacts, im.refusals, im.repeated = im.contacts[:0], im.refusals[:0], 0
	clear(im.emails)
	return nil
}

// finish writes the last word into the report, even when ctx has ended: the
// person must find there what became of the file.
func (im *importing) finish(ctx context.Context, err error) (store.Import, error) {
	err = importFault(err)
	switch code := mailing.CodeOf(err); {
	case err == nil:
	case code != "":
		im.report.Fault = code
	case ctx.Err() != nil:
		im.report.Fault = "import_cancelled"
	default:
		im.report.Fault = "import_broken_off"
	}
	im.report.FinishedAt = im.app.Now()
	saving, done := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer done()
	saved := im.app.store.UpdateImport(saving, im.report, nil)
	return im.report, errors.Join(err, wrap(saved, "import"))
}

// doing has the beginning of an import go into the audit log, before anybody is added: it
// is many changes, and one deed, which is there also when the process is killed on the way.
// How many were added stands in the report.
func (im *importing) doing(ctx context.Context) context.Context {
	return im.app.doing(ctx, im.actor, mailing.Deed{
		Action: "contact.import", Thing: mailing.Thing{Kind: mailing.ThingContact, Name: im.report.Filename}, Owner: im.report.OwnerID,
	})
}

// importFault makes a file that did not come to its end a person's error.
func importFault(err error) error {
	var broken *readError
	if errors.As(err, &broken) {
		return mailing.FieldFault(mailing.Invalid, "file", "import_upload_broken").Because(err)
	}
	return err
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// shortened cuts a text to shownRunes.
func shortened(text string) string {
	runes := 0
	for i := range text {
		if runes == shownRunes {
			return text[:i]
		}
		runes++
	}
	return text
}
