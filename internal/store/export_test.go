package store

// InHandQuery and LogQuery are the statements behind InHand and Log, for tests of
// how the database runs them.
func InHandQuery(owner int64) (string, []any) {
	p := inHandPredicate(owner, "")
	return inHandList.query(p, Page{Limit: 50}), p.values
}

// LogQuery is the statement behind Log.
func LogQuery(f LogFilter) (string, []any) { return f.query() }

// LeaseStatement is the statement behind Lease.
func LeaseStatement(s *Store) string { return s.dialect.lease }
