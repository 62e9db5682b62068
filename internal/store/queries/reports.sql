-- name: Report :one
select body from reports where run_id = @run_id;

-- name: PutReport :exec
insert into reports (run_id, body, made_at) values (@run_id, @body, @made_at)
on conflict (run_id) do update set body = excluded.body, made_at = excluded.made_at;

-- name: DeleteReport :exec
delete from reports where run_id = @run_id;

-- name: ChangeReport :exec
update reports set body = @body where run_id = @run_id;

-- name: CountDeferred :one
select count(*) from deliveries where run_id = @run_id and state = 1;

-- name: NextByClock :one
-- When the next of the run is due that is due by the clock; 0: none is.
select cast(coalesce(min(due_at), 0) as bigint) as due_at from deliveries where run_id = @run_id and state < 2 and due_at > 0;

-- name: Lately :one
-- What the latest attempts at a run have brought, on all nodes.
select cast(coalesce(min(at), 0) as bigint) as since,
    count(case when result = 'accepted' or result = 'failed' then 1 end) as final
from (
    select a.at, a.result from attempts a where a.run_id = @run_id order by a.id desc limit cast(sqlc.arg(most) as bigint)
) lately;

-- name: RunsUpTo :many
-- What was taken back or missed sent nothing, so that nothing compares with it; but the one
-- that is asked about is there, whatever it is.
select * from runs where mailing_id = @mailing_id and scheduled_for <= @scheduled_for
    and (state not in ('taken_back', 'missed') or scheduled_for = @scheduled_for)
order by scheduled_for desc limit cast(sqlc.arg(most) as bigint);

-- name: RunsAfter :many
select * from runs where mailing_id = @mailing_id and scheduled_for > @scheduled_for
    and state not in ('taken_back', 'missed')
order by scheduled_for limit cast(sqlc.arg(most) as bigint);

-- name: DeleteHindrances :exec
-- Those of the node, and of nodes that are gone.
delete from hindrances where node = @node
    or not exists (select 1 from nodes n where n.name = hindrances.node and n.alive_until > @now);

-- name: CreateHindrance :exec
insert into hindrances (node, road_id, site, kind, name, why, since, until)
values (@node, @road_id, @site, @kind, @name, @why, @since, @until);

-- name: Hindrances :many
select h.* from hindrances h join nodes n on n.name = h.node
where n.alive_until > @now order by h.since, h.node, h.road_id, h.site;
