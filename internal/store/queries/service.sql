-- name: Settings :many
select name, value from settings;

-- name: PutSetting :exec
insert into settings (name, value) values (@name, @value)
on conflict (name) do update set value = excluded.value;

-- name: PutService :exec
insert into services (id, host, roles, version, started_at, alive_until)
values (@id, @host, @roles, @version, @started_at, @alive_until)
on conflict (id) do update set alive_until = excluded.alive_until;

-- name: DeleteService :exec
delete from services where id = @id;

-- name: ForgetServices :exec
delete from services where alive_until < @before;

-- name: Services :many
select * from services order by host, started_at, id;

-- name: Nodes :many
select n.*, exists (select 1 from leases l where l.node_id = n.id) as holds from nodes n
where n.alive_until > @since order by n.name;

-- name: WorkLeft :one
-- What open runs still have to send, and since when the oldest of them is open.
select count(*) as runs, cast(coalesce(sum(audience - sent - failed - skipped - in_doubt), 0) as bigint) as waiting,
    cast(coalesce(min(case when audience > sent + failed + skipped + in_doubt then created_at end), 0) as bigint) as oldest
from runs where state = 'opening' or state = 'sending';

-- name: WorkByClock :one
select count(case when d.due_at <= @now then 1 end) as due, count(case when d.due_at > @now then 1 end) as later
from runs r join deliveries d on d.run_id = r.id and d.state < 2 and d.due_at > 0
where r.state = 'opening' or r.state = 'sending';
