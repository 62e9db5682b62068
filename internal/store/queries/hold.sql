-- name: LockInstallation :one
update installation set seen_at = seen_at where id = 1 returning *;

-- name: CheckIn :exec
update installation
set home = @home, seen_at = @seen_at, held_at = @held_at, held_why = @held_why, held_from = @held_from
where id = 1;

-- name: EndHold :exec
update installation set held_at = 0, held_why = '', held_from = 0 where id = 1;

-- name: HeldRunIDs :many
select id from runs
where (state = 'opening' or state = 'sending') and (mailing_id is not null or created_at < @held_at)
order by id;

-- name: PauseAll :execrows
update mailings set status = 'paused', stop_by = @stop_by, stop_why = '', stopped_at = @stopped_at
where status in ('created', 'running');

-- name: HeldRuns :many
select sqlc.embed(r), v.subject, a.email, count(*) over () as total
from runs r
join versions v on v.id = r.version_id
join accounts a on a.id = r.owner_id
where (r.state = 'opening' or r.state = 'sending') and (r.mailing_id is not null or r.created_at < @held_at)
order by r.created_at desc, r.id
limit cast(sqlc.arg(most) as bigint);

-- name: HeldMailings :many
select m.id, m.owner_id, m.next_at, g.subject, a.email, count(*) over () as total
from mailings m
join messages g on g.id = m.message_id
join accounts a on a.id = m.owner_id
where m.next_at > 0 and m.next_at <= @now and m.status in ('created', 'running') and a.blocked_at = 0
order by m.next_at, m.id
limit cast(sqlc.arg(most) as bigint);

-- name: HeldAt :one
select cast(coalesce(max(held_at), 0) as bigint) as held_at from installation;
