package store

import (
	"context"
	"database/sql"
	"time"
)

// Pulse is how much there is to do at a moment.
type Pulse struct {
	Runs    map[string]int64 // by state
	Waiting int64            // deliveries of open runs that are not final
	Halted  int64            // open runs that a server's refusals have halted
	Jobs    map[string]int64 // background jobs that are not done, by state
	Nodes   int64            // that live
}

// Pulse counts it, all by indexes or in small tables.
func (s *Store) Pulse(ctx context.Context, now time.Time) (p Pulse, err error) {
	if p.Runs, err = s.countBy(ctx, `select state, count(*) from runs group by state`); err != nil {
		return p, wrap(err, "count runs")
	}
	row := s.read.QueryRowContext(ctx, `select coalesce(sum(audience - sent - failed - skipped - in_doubt), 0),
    count(case when halt <> '' then 1 end) from runs where state = 'opening' or state = 'sending'`)
	if err := row.Scan(&p.Waiting, &p.Halted); err != nil {
		return p, wrap(err, "count what waits")
	}
	if p.Jobs, err = s.countBy(ctx, `select state, count(*) from river_job where finalized_at is null group by state`); err != nil {
		return p, wrap(err, "count jobs")
	}
	row = s.read.QueryRowContext(ctx, `select count(*) from nodes where alive_until >= $1`, millis(now))
	return p, wrap(row.Scan(&p.Nodes), "count nodes")
}

func (s *Store) countBy(ctx context.Context, statement string) (map[string]int64, error) {
	rows, err := s.read.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	_, err = collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var name string
		var n int64
		err = rows.Scan(&name, &n)
		counts[name] = n
		return none, err
	})
	return counts, err
}
