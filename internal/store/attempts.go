package store

import (
	"context"
	"database/sql"

	"vestnik/internal/mailing"
)

var attemptStatement = tableStatement{
	columns: []string{
		"delivery_id bigint", "run_id bigint", "mailing_id bigint", "owner_id bigint", "email text", "at bigint",
		"duration_us bigint", "node text", "host text", "tls text", "stage text", "result text", "code bigint",
		"enhanced text", "reply text",
	},
	text: `insert into attempts (
    delivery_id, run_id, mailing_id, owner_id, email, at, duration_us, node, host, tls, stage, result, code, enhanced, reply
) select * from v`,
}

// alikeStatement is attemptStatement for attempts that have most in common, which is
// said once: to hand SQLite a value took as long as to write it.
var alikeStatement = tableStatement{
	columns: []string{"delivery_id bigint", "email text", "at bigint", "duration_us bigint", "reply text"},
	values:  10,
	text: `insert into attempts (
    run_id, mailing_id, owner_id, node, host, tls, stage, result, code, enhanced, delivery_id, email, at, duration_us, reply
) select cast($1 as bigint), cast($2 as bigint), cast($3 as bigint), cast($4 as text), cast($5 as text), cast($6 as text),
    cast($7 as text), cast($8 as text), cast($9 as bigint), cast($10 as text), v.* from v`,
}

// common is what attempts that are alike have in common.
type common struct {
	runID, mailingID, ownerID      int64
	node, host, tls, stage, result string
	code                           int64
	enhanced                       string
}

func commonOf(a *mailing.Attempt) common {
	return common{
		a.RunID, a.MailingID, a.OwnerID, a.Node, a.Host, a.TLS, a.Stage, string(a.Result), int64(a.Reply.Code), a.Reply.Enhanced,
	}
}

// fewAlike is up to how many attempts are written down one by one: a statement for
// each that differs would take longer.
const fewAlike = 8

func (s *Store) insertAttempts(ctx context.Context, tx *sql.Tx, attempts []*mailing.Attempt) error {
	alike := map[common][]*mailing.Attempt{}
	var kinds []common // in the order of the attempts
	for _, a := range attempts {
		kind := commonOf(a)
		if alike[kind] == nil {
			kinds = append(kinds, kind)
		}
		alike[kind] = append(alike[kind], a)
	}
	var rest [][]any
	for _, kind := range kinds {
		group := alike[kind]
		if len(group) > fewAlike {
			if err := s.insertAlike(ctx, tx, group); err != nil {
				return err
			}
			continue
		}
		for _, a := range group {
			rest = append(rest, attemptRow(a))
		}
	}
	if len(rest) == 0 {
		return nil
	}
	_, err := attemptStatement.exec(ctx, s, tx, rest)
	return err
}

func attemptRow(a *mailing.Attempt) []any {
	return []any{
		a.DeliveryID, a.RunID, a.MailingID, a.OwnerID, a.Email, a.At.UnixMilli(), a.Duration.Microseconds(), a.Node,
		a.Host, a.TLS, a.Stage, string(a.Result), int64(a.Reply.Code), a.Reply.Enhanced, a.Reply.Text,
	}
}

func (s *Store) insertAlike(ctx context.Context, tx *sql.Tx, attempts []*mailing.Attempt) error {
	rows := make([][]any, len(attempts))
	for i, a := range attempts {
		rows[i] = []any{a.DeliveryID, a.Email, a.At.UnixMilli(), a.Duration.Microseconds(), a.Reply.Text}
	}
	a := attempts[0]
	_, err := alikeStatement.exec(ctx, s, tx, rows, a.RunID, a.MailingID, a.OwnerID, storable(a.Node), storable(a.Host),
		storable(a.TLS), storable(a.Stage), string(a.Result), int64(a.Reply.Code), storable(a.Reply.Enhanced))
	return err
}
