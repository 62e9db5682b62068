package store

import (
	"context"
	"database/sql"
	"time"
)

// InHandQuery and LogQuery are the statements behind InHand and Log, for tests of
// how the database runs them.
func InHandQuery(owner int64) (string, []any) {
	p := inHandPredicate(owner, "")
	return inHandList.query(p, Page{Limit: 50}), p.values
}

// SentQuery is the statement behind SentSince.
func SentQuery(owner int64) (string, []any) { return sentQuery(owner), sentValues(owner, time.Time{}) }

// ContactAttemptsQuery is the statement behind ContactAttempts.
func ContactAttemptsQuery() (string, []any) { return contactAttemptsQuery, make([]any, 4) }

// SealQuery is the statement by which Reseal replaces a text.
func SealQuery(c SealedColumn) (string, []any) { return c.update(), make([]any, 2+len(c.Key)) }

// LogQuery is the statement behind Log.
func LogQuery(f LogFilter) (string, []any) { return f.query() }

// MigrateTo brings the schema to an earlier or later version.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if current > version {
		_, err = provider.DownTo(ctx, version)
	} else {
		_, err = provider.UpTo(ctx, version)
	}
	return err
}

// FileHome is Home of a file on the machine whose identity is in machineID.
func FileHome(path, machineID string) (string, error) { return fileHome(path, machineID) }

// LeaseIn is Lease in a transaction that is still to be committed.
func (s *Store) LeaseIn(ctx context.Context, tx *sql.Tx, n Node, runID int64, now time.Time, most int) ([]Leased, error) {
	return s.lease(ctx, s.w.WithTx(tx), tx, n, runID, now, most)
}

// VerifyBatch is how many lines of the audit log are read at once.
const VerifyBatch = verifyBatch

// MailingsQuery is that of a part of a list of mailings.
func MailingsQuery(f MailingFilter, page Page) (query string, values []any) {
	p := f.predicate("")
	return mailingList.query(p, page), p.values
}

// RunsQuery is that of the latest runs, or of those under way.
func RunsQuery(owner int64, open bool) (query string, values []any) {
	var conditions []string
	if open {
		conditions = append(conditions, underWay)
	}
	p := predicate{}.ofRuns(owner, conditions...)
	return runList.query(p, Page{Desc: true, Limit: 5}), p.values
}
