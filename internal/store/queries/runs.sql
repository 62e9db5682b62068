-- name: CreateRun :execrows
insert into runs (
    id, mailing_id, owner_id, kind, scheduled_for, state, version_id, audience_kind, from_name, reply_to, lang,
    priority, weight, doubt, unsubscribe, created_at, finished_at, goes_at
) values (
    @id, @mailing_id, @owner_id, @kind, @scheduled_for, @state, @version_id, @audience_kind, @from_name, @reply_to, @lang,
    @priority, @weight, @doubt, @unsubscribe, @created_at, @finished_at, @goes_at
) on conflict (mailing_id, scheduled_for) do nothing;

-- name: Run :one
select * from runs where id = @id;

-- name: RunsOfMailing :many
select * from runs where mailing_id = @mailing_id order by created_at desc limit cast(sqlc.arg(most) as bigint);

-- name: OpeningRuns :many
select id from runs where state = 'opening';

-- name: LiveRuns :many
select sqlc.embed(r), coalesce(m.status, '') as mailing_status, a.blocked_at,
    cast(coalesce((select max(i.held_at) from installation i), 0) as bigint) as held_at
from runs r
join accounts a on a.id = r.owner_id
left join mailings m on m.id = r.mailing_id
where r.state = 'opening' or r.state = 'sending'
order by r.priority desc, r.created_at;

-- name: FillAll :execresult
insert into deliveries (run_id, contact_id, email, state, reason, due_at, created_at, settled_at)
select cast(@run_id as bigint), c.id, c.email,
    case when s.email is null then 0 else 5 end, coalesce(s.reason, ''),
    0, cast(@now as bigint),
    case when s.email is null then 0 else cast(@now as bigint) end
from contacts c
left join suppressions s on s.owner_id = c.owner_id and s.email = c.email
where c.owner_id = @owner_id and c.id > @after_id and c.id <= @to_id
order by c.id;

-- name: FillChosen :execresult
insert into deliveries (run_id, contact_id, email, state, reason, due_at, created_at, settled_at)
select cast(@run_id as bigint), c.id, c.email,
    case when s.email is null then 0 else 5 end, coalesce(s.reason, ''),
    0, cast(@now as bigint),
    case when s.email is null then 0 else cast(@now as bigint) end
from mailing_contacts mc
join contacts c on c.id = mc.contact_id
left join suppressions s on s.owner_id = c.owner_id and s.email = c.email
where mc.mailing_id = @mailing_id and mc.contact_id > @after_id and mc.contact_id <= @to_id
order by c.id;

-- name: FillEndAll :one
select cast(coalesce(max(id), 0) as bigint) as to_id from (
    select c.id from contacts c where c.owner_id = @owner_id and c.id > @after_id order by c.id limit cast(sqlc.arg(most) as bigint)
) chunk;

-- name: FillEndChosen :one
select cast(coalesce(max(contact_id), 0) as bigint) as to_id from (
    select mc.contact_id from mailing_contacts mc
    where mc.mailing_id = @mailing_id and mc.contact_id > @after_id order by mc.contact_id limit cast(sqlc.arg(most) as bigint)
) chunk;

-- name: CountFilled :one
select count(*) as audience, count(case when state = 5 then 1 end) as skipped
from deliveries where run_id = @run_id and contact_id > @after_id and contact_id <= @to_id;

-- name: Filled :execrows
update runs set audience = audience + @audience, skipped = skipped + @skipped, filled_to = @filled_to
where id = @id and state = 'opening' and filled_to = @was_filled_to;

-- name: OpenedRun :exec
update runs set state = 'sending' where id = @id and state = 'opening';

-- name: FinishRun :execrows
update runs set state = 'completed', finished_at = @finished_at
where id = @id and state = 'sending' and audience = sent + failed + skipped + in_doubt;

-- name: CountRun :execrows
update runs set sent = sent + @sent, failed = failed + @failed, skipped = skipped + @skipped, in_doubt = in_doubt + @in_doubt
where id = @id;

-- name: HaltRun :execrows
update runs set halt = @halt where id = @id and halt <> @halt and state in ('opening', 'sending');

-- name: ClearHalts :exec
update runs set halt = '' where halt <> '' and (state = 'opening' or state = 'sending');

-- name: CancelRun :execrows
update runs set state = 'cancelled', finished_at = @finished_at
where id = @id and state in ('opening', 'sending');

-- name: LockRun :exec
update runs set leased_to = leased_to where id = @id;

-- name: SkipWaiting :execrows
-- What waits for its turn in a stretch that is leased is in a node's hand.
update deliveries set state = 5, reason = @reason, settled_at = @settled_at, vars = ''
where run_id = @run_id and state < 2 and due_at > 0;

-- name: SkipUnleased :execrows
update deliveries set state = 5, reason = @reason, settled_at = @settled_at, vars = ''
where run_id = @run_id and contact_id > (select r.leased_to from runs r where r.id = @run_id) and state = 0 and due_at = 0;

-- name: RunsWithUntried :many
select r.id, coalesce(r.mailing_id, 0) as mailing_id from runs r
where (r.state = 'opening' or r.state = 'sending') and r.kind = 'scheduled' and r.scheduled_for < @before
    and r.sent = 0 and r.failed = 0 and r.in_doubt = 0
    -- Who may send so many a day only has theirs wait for it.
    and not exists (select 1 from accounts a where a.id = r.owner_id and a.per_day > 0)
    and (exists (
        select 1 from deliveries d
        where d.run_id = r.id and d.state < 2 and d.due_at > 0 and d.tries = 0 and (d.lease_epoch = 0 or d.lease_node <> 0)
    ) or r.leased_to < r.filled_to)
order by r.id;

-- name: LockUntried :execrows
update runs set leased_to = leased_to
where id = @id and (state = 'opening' or state = 'sending') and sent = 0 and failed = 0 and in_doubt = 0;

-- name: SkipUntried :execrows
-- What a person wants sent again was leased once and is nobody's now: it stays.
update deliveries set state = 5, reason = @reason, settled_at = @settled_at, vars = ''
where run_id = @run_id and state < 2 and due_at > 0 and tries = 0 and (lease_epoch = 0 or lease_node <> 0);

-- name: CreateSingleDelivery :one
insert into deliveries (run_id, contact_id, email, state, reason, due_at, vars, created_at)
values (@run_id, null, @email, 0, '', @due_at, @vars, @due_at)
returning id;

-- name: Delivery :one
select * from deliveries where id = @id;

-- name: CountDeliveries :many
select state, count(*) as deliveries from deliveries where run_id = @run_id group by state;

-- name: ReopenRun :exec
update runs set state = 'sending', finished_at = 0 where id = @id and state = 'completed';

-- name: ChangeFreeDelivery :execrows
update deliveries
set state = @state, reason = @reason, due_at = @due_at, tries = tries + @tried, settled_at = @settled_at,
    vars = case when cast(sqlc.arg(forget) as bigint) = 1 then '' else vars end, lease_node = 0
where id = @id and state = @was_state and lease_node = @was_lease_node and lease_epoch = @was_lease_epoch;

-- name: Orphans :many
select d.id, d.run_id, d.lease_node, d.lease_epoch, r.doubt
from deliveries d
join runs r on r.id = d.run_id
left join nodes n on n.id = d.lease_node
where d.state = 2 and (n.id is null or n.alive_until < @now)
limit cast(sqlc.arg(most) as bigint);

-- name: EndLease :execrows
update deliveries set state = @state, due_at = @due_at, settled_at = @settled_at
where id = @id and state = 2 and lease_node = @lease_node and lease_epoch = @lease_epoch;

-- name: OrphanLeases :many
select l.run_id, l.after_id, l.to_id, l.node_id, l.epoch, r.doubt
from leases l
join runs r on r.id = l.run_id
left join nodes n on n.id = l.node_id
where n.id is null or n.alive_until < @now
order by l.run_id, l.to_id
limit cast(sqlc.arg(most) as bigint);

-- name: EndTurns :execrows
-- Those of a stretch that have no outcome yet.
update deliveries
set state = @state, due_at = @due_at, settled_at = @settled_at, lease_node = @lease_node, lease_epoch = @lease_epoch
where run_id = @run_id and contact_id > @after_id and contact_id <= @to_id and state = 0 and due_at = 0;

-- name: DeleteLease :execrows
delete from leases where run_id = @run_id and to_id = @to_id and node_id = @node_id and epoch = @epoch;

-- name: SpentLeases :many
select l.run_id, l.to_id, l.epoch from leases l
where l.node_id = @node_id and (
    select d.id from deliveries d
    where d.run_id = l.run_id and d.contact_id > l.after_id and d.contact_id <= l.to_id and d.state = 0 and d.due_at = 0
    limit 1
) is null;

-- name: CreateLease :exec
insert into leases (run_id, after_id, to_id, node_id, epoch) values (@run_id, @after_id, @to_id, @node_id, @epoch);

-- name: WhatIsDue :one
-- Whether deliveries of the run are due by the clock, and whether some wait for their
-- turn. It begins with the run, and takes no lock.
select cast(r.leased_to < r.filled_to and (r.state = 'opening' or r.state = 'sending') as boolean) as turns, exists (
    select 1 from deliveries d where d.run_id = r.id and d.state < 2 and d.due_at > 0 and d.due_at <= @now
) as by_clock, r.owner_id, a.per_day
from runs r join accounts a on a.id = r.owner_id where r.id = @id;

-- name: IsInStretch :one
select exists (
    select 1 from deliveries d join leases l on l.run_id = d.run_id and l.after_id < d.contact_id and l.to_id >= d.contact_id
    where d.id = @id and d.state = 0 and d.due_at = 0
);

-- name: LeasedTo :exec
update runs set leased_to = @leased_to where id = @id;

-- name: LeftByNode :many
select d.id, d.run_id, d.email, d.lease_epoch, d.tries, r.owner_id, coalesce(r.mailing_id, 0) as mailing_id, r.doubt
from deliveries d
join runs r on r.id = d.run_id
where d.lease_node = @node_id and d.lease_epoch < @before_epoch and (d.state = 2 or d.state = 6 and not exists (
    select 1 from attempts a where a.delivery_id = d.id and a.result = 'in_doubt'
))
union all
select d.id, d.run_id, d.email, l.epoch, d.tries, r.owner_id, coalesce(r.mailing_id, 0), r.doubt
from leases l
join deliveries d on d.run_id = l.run_id and d.contact_id > l.after_id and d.contact_id <= l.to_id and d.state = 0 and d.due_at = 0
join runs r on r.id = d.run_id
where l.node_id = @node_id and l.epoch < @before_epoch;

-- name: PutDemoMail :one
insert into demo_mails (sender, recipient, subject, data, search, at)
values (@sender, @recipient, @subject, @data, @search, @at)
returning id;

-- name: DemoMail :one
select * from demo_mails where id = @id;

-- name: TrimDemoMails :exec
delete from demo_mails where id <= @to_id;
