package store

import (
	"context"
	"database/sql"
	"time"

	"vestnik/internal/store/sqlc"
)

// Service is one process that works on the database.
type Service struct {
	ID         string // random; another one at each start
	Host       string
	Roles      string // separated by commas
	Version    string
	StartedAt  time.Time
	AliveUntil time.Time
}

// serviceForgotten is how long a service is remembered that did not say it was leaving.
// Chosen: until somebody has looked on the next day.
const serviceForgotten = 24 * time.Hour

// PutService says that a service is there, until AliveUntil.
func (s *Store) PutService(ctx context.Context, v Service) error {
	err := s.w.PutService(ctx, sqlc.PutServiceParams{
		ID: v.ID, Host: storable(v.Host), Roles: v.Roles, Version: storable(v.Version),
		StartedAt: millis(v.StartedAt), AliveUntil: millis(v.AliveUntil),
	})
	return wrap(err, "note service")
}

// DeleteService says that a service has left, and forgets others that are long gone.
func (s *Store) DeleteService(ctx context.Context, id string, now time.Time) error {
	if err := s.w.DeleteService(ctx, id); err != nil {
		return wrap(err, "delete service")
	}
	return wrap(s.w.ForgetServices(ctx, millis(now.Add(-serviceForgotten))), "forget services")
}

// Services lists those that run, and those that were killed lately.
func (s *Store) Services(ctx context.Context) ([]Service, error) {
	rows, err := s.r.Services(ctx)
	list := make([]Service, len(rows))
	for i, row := range rows {
		list[i] = Service{
			ID: row.ID, Host: row.Host, Roles: row.Roles, Version: row.Version,
			StartedAt: instant(row.StartedAt), AliveUntil: instant(row.AliveUntil),
		}
	}
	return list, wrap(err, "services")
}

// SeenNode is a node with what others see of it.
type SeenNode struct {
	Node
	StartedAt  time.Time
	AliveUntil time.Time
	Holds      bool // it has deliveries in its hand
}

// Nodes lists the nodes that were alive after the moment, by name.
func (s *Store) Nodes(ctx context.Context, since time.Time) ([]SeenNode, error) {
	rows, err := s.r.Nodes(ctx, millis(since))
	list := make([]SeenNode, len(rows))
	for i, row := range rows {
		list[i] = SeenNode{
			Node: Node{ID: row.ID, Name: row.Name, Epoch: row.Epoch}, Holds: row.Holds,
			StartedAt: instant(row.StartedAt), AliveUntil: instant(row.AliveUntil),
		}
	}
	return list, wrap(err, "nodes")
}

// Workload is how much there is to send.
type Workload struct {
	Runs    int64 // that are open
	Waiting int64 // deliveries without an outcome, with those in hand
	InHand  int64 // that nodes hold at this moment
	Due     int64 // to be tried again now
	Later   int64 // to be tried again later
	Oldest  time.Time
}

// Workload counts what there is to send.
func (s *Store) Workload(ctx context.Context, now time.Time) (w Workload, err error) {
	left, err := s.r.WorkLeft(ctx)
	if err != nil {
		return w, wrap(err, "workload")
	}
	clock, err := s.r.WorkByClock(ctx, millis(now))
	if err != nil {
		return w, wrap(err, "workload")
	}
	w = Workload{Runs: left.Runs, Waiting: left.Waiting, Due: clock.Due, Later: clock.Later, Oldest: instant(left.Oldest)}
	_, w.InHand, err = s.InHand(ctx, 0, Page{})
	return w, err
}

// DatabaseFacts say how the database is. Clock is its own time, asked for in the
// middle of Latency.
type DatabaseFacts struct {
	Kind      string // "SQLite" or "PostgreSQL"
	Version   string
	SizeBytes int64
	Schema    int64
	Latency   time.Duration // of one question
	Clock     time.Time
}

// DatabaseFacts asks the database how it is.
func (s *Store) DatabaseFacts(ctx context.Context) (f DatabaseFacts, err error) {
	began := time.Now()
	var millis int64
	if err = s.write.QueryRowContext(ctx, s.dialect.clock).Scan(&millis); err != nil {
		return f, wrap(err, "ask for the time")
	}
	f.Latency, f.Clock, f.Kind = time.Since(began), time.UnixMilli(millis), s.dialect.title
	if err = s.read.QueryRowContext(ctx, s.dialect.facts).Scan(&f.Version, &f.SizeBytes); err != nil {
		return f, wrap(err, "size of the database")
	}
	err = s.read.QueryRowContext(ctx, "select max(version_id) from goose_db_version where is_applied").Scan(&f.Schema)
	return f, wrap(err, "version of the schema")
}

// JobCount is how many background jobs of a kind are in a state, as River calls it.
type JobCount struct {
	Kind, State string
	Jobs        int64
}

// JobCounts counts the background jobs. The tables are River's.
func (s *Store) JobCounts(ctx context.Context) ([]JobCount, error) {
	rows, err := s.read.QueryContext(ctx, "select kind, cast(state as text), count(*) from river_job group by kind, state order by kind, state")
	if err != nil {
		return nil, wrap(err, "count jobs")
	}
	counts, err := collect(rows, func(rows *sql.Rows) (c JobCount, err error) {
		err = rows.Scan(&c.Kind, &c.State, &c.Jobs)
		return c, err
	})
	return counts, wrap(err, "count jobs")
}
