package torture

import (
	"context"
	"database/sql/driver"
	"io"
	"slices"
	"sync"
)

// Driver puts the fuse between a pool and the driver of its database, for
// store.OpenThrough. The driver must know contexts, as those of PostgreSQL and
// SQLite do.
func (f *Fuse) Driver(real driver.Driver) driver.Driver { return fusedDriver{real, f} }

type fusedDriver struct {
	real driver.Driver
	fuse *Fuse
}

// Open implements driver.Driver.
func (d fusedDriver) Open(name string) (driver.Conn, error) {
	c := &connection{fuse: d.fuse}
	err := d.fuse.call(Connect, func() error {
		made, err := d.real.Open(name)
		if err == nil {
			c.real = made.(contextConn)
		}
		return err
	}, c.cut)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// contextConn is what database/sql uses of a modern driver's connection.
type contextConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
}

// connection is one under a fuse. database/sql uses it from one goroutine at a
// time, but for the rows it has open.
type connection struct {
	real contextConn // nil: it was never made
	fuse *Fuse

	mu   sync.Mutex
	dead bool
	tx   driver.Tx   // open; nil: none
	open []io.Closer // statements and answers, in the order of their opening
}

// cut ends the connection, and before it all that is open on it: SQLite keeps its
// lock as long as anything of a connection is left.
func (c *connection) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || c.real == nil {
		return
	}
	c.dead = true
	for _, one := range slices.Backward(c.open) { // an answer before its statement
		_ = one.Close()
	}
	if c.tx != nil {
		_ = c.tx.Rollback()
	}
	_ = c.real.Close()
}

// call makes a call on the connection if it is not cut.
func (c *connection) call(kind Kind, do func() error) error {
	return c.fuse.call(kind, func() error {
		if c.isDead() {
			return driver.ErrBadConn
		}
		return do()
	}, c.cut)
}

func (c *connection) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

func (c *connection) setTx(tx driver.Tx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tx = tx
}

// opened notes what cut has to close.
func (c *connection) opened(one io.Closer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, one)
}

// close closes what was opened, unless cut has.
func (c *connection) close(one io.Closer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return nil
	}
	c.open = slices.DeleteFunc(c.open, func(other io.Closer) bool { return other == one })
	return one.Close()
}

// Close implements driver.Conn.
func (c *connection) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return nil
	}
	c.dead = true
	return c.real.Close()
}

// IsValid implements driver.Validator.
func (c *connection) IsValid() bool { return !c.isDead() }

// ResetSession implements driver.SessionResetter.
func (c *connection) ResetSession(ctx context.Context) error {
	if c.isDead() {
		return driver.ErrBadConn
	}
	return c.real.ResetSession(ctx)
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *connection) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.real.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Ping implements driver.Pinger.
func (c *connection) Ping(ctx context.Context) error {
	if c.isDead() {
		return driver.ErrBadConn
	}
	return c.real.Ping(ctx)
}

// Prepare implements driver.Conn.
func (c *connection) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *connection) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	var made driver.Stmt
	err := c.call(Prepare, func() (err error) {
		if made, err = c.real.PrepareContext(ctx, query); err == nil {
			c.opened(made)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &statement{Stmt: made, on: c}, nil
}

// Begin implements driver.Conn.
func (c *connection) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx implements driver.ConnBeginTx.
func (c *connection) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	err := c.call(Begin, func() error {
		tx, err := c.real.BeginTx(ctx, options)
		if err == nil {
			c.setTx(tx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return transaction{c.tx, c}, nil
}

// ExecContext implements driver.ExecerContext.
func (c *connection) ExecContext(ctx context.Context, query string, values []driver.NamedValue) (result driver.Result, err error) {
	err = c.call(Exec, func() (err error) {
		result, err = c.real.ExecContext(ctx, query, values)
		return err
	})
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c *connection) QueryContext(ctx context.Context, query string, values []driver.NamedValue) (driver.Rows, error) {
	return c.query(func() (driver.Rows, error) { return c.real.QueryContext(ctx, query, values) })
}

func (c *connection) query(ask func() (driver.Rows, error)) (driver.Rows, error) {
	var answer driver.Rows
	err := c.call(Query, func() (err error) {
		if answer, err = ask(); err == nil {
			c.opened(answer)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &rows{Rows: answer, on: c}, nil
}

// transaction is one under a fuse.
type transaction struct {
	real driver.Tx
	on   *connection
}

// Commit implements driver.Tx. One that fails is rolled back, as database/sql
// does nothing more with it.
func (t transaction) Commit() error {
	err := t.on.call(Commit, func() error {
		t.on.setTx(nil)
		return t.real.Commit()
	})
	if err != nil && !t.on.isDead() {
		_ = t.Rollback()
	}
	return err
}

// Rollback implements driver.Tx. It cannot fail in a way that matters: a
// connection that is cut has rolled back.
func (t transaction) Rollback() error {
	if t.on.isDead() {
		return nil
	}
	t.on.setTx(nil)
	return t.real.Rollback()
}

// statement is a prepared one under a fuse.
type statement struct {
	driver.Stmt
	on *connection
}

// ExecContext implements driver.StmtExecContext.
func (s *statement) ExecContext(ctx context.Context, values []driver.NamedValue) (result driver.Result, err error) {
	err = s.on.call(Exec, func() (err error) {
		result, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, values)
		return err
	})
	return result, err
}

// QueryContext implements driver.StmtQueryContext.
func (s *statement) QueryContext(ctx context.Context, values []driver.NamedValue) (driver.Rows, error) {
	return s.on.query(func() (driver.Rows, error) { return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, values) })
}

// Close implements driver.Stmt.
func (s *statement) Close() error { return s.on.close(s.Stmt) }

// rows are an answer under a fuse.
type rows struct {
	driver.Rows
	on *connection
}

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	return r.on.call(Next, func() error { return r.Rows.Next(dest) })
}

// Close implements driver.Rows.
func (r *rows) Close() error { return r.on.close(r.Rows) }
