-- name: TakeBackRun :execrows
-- Only a run of which nobody has been given anything, and of which no node that
-- knows better has told anything either.
update runs set state = 'taken_back', finished_at = @finished_at, audience = 0, skipped = 0, halt = ''
where id = @id and (state = 'opening' or state = 'sending') and goes_at > 0 and leased_to = 0
    and sent = 0 and failed = 0 and in_doubt = 0;

-- name: RestoreLastAt :exec
update mailings set last_at = (
    select coalesce(max(r.created_at), 0) from runs r
    where r.mailing_id = mailings.id and r.state <> 'missed' and r.state <> 'taken_back'
)
where mailings.id = @id and last_at = @opened_at;

-- name: TakenBackRuns :many
select id from runs where state = 'taken_back' and filled_to > 0 order by id limit cast(sqlc.arg(most) as bigint);

-- name: ForgetFilled :exec
update runs set filled_to = 0 where id = @id and state = 'taken_back';

-- name: CreateAgainRun :execrows
-- It sends what the run has sent, word for word, and to the same rules.
insert into runs (
    id, mailing_id, owner_id, kind, scheduled_for, state, version_id, audience_kind, from_name, reply_to, lang,
    priority, weight, doubt, unsubscribe, created_at, finished_at, goes_at, again_of, again_root
)
select cast(@id as bigint), r.mailing_id, r.owner_id, 'again', cast(@now as bigint), 'opening', r.version_id, 'failed', r.from_name, r.reply_to, r.lang,
    r.priority, r.weight, r.doubt, r.unsubscribe, cast(@now as bigint), 0, cast(@goes_at as bigint), r.id, coalesce(r.again_root, r.id)
from runs r where r.id = @again_of
on conflict do nothing;

-- name: OpenRunsOfFamily :one
-- One that was cancelled is open until what was in hand at that moment has ended.
select count(*) from runs where again_root = @root and (
    state = 'opening' or state = 'sending' or state = 'cancelled' and audience > sent + failed + skipped + in_doubt
);

-- name: AgainRuns :many
-- Those that send again what the run did not get through, the newest first.
select id, state, created_at from runs
where again_root = @root and again_of = @again_of and state <> 'taken_back'
order by created_at desc limit 10;

-- name: AgainReach :many
-- Why those whose mail failed are mailed again or not, and how many each. Nobody is who
-- has got it since, or may have.
select cast(case
    when exists (
        select 1 from runs a join deliveries x on x.run_id = a.id
        where a.again_root = @root and x.contact_id = d.contact_id and x.state <> 4 and x.state <> 5
    ) then 'sent'
    when c.id is null then 'deleted'
    else coalesce(s.reason, '') end as text) as reason, count(*) as deliveries
from deliveries d
join runs r on r.id = d.run_id
left join contacts c on c.id = d.contact_id and c.email = d.email
left join suppressions s on s.owner_id = r.owner_id and s.email = d.email
where d.run_id = @run_id and d.state = 4
group by 1;

-- name: TrustDead :execrows
-- Addresses that bounced may be mailed again: a person says so.
delete from suppressions
where suppressions.owner_id = @owner_id and reason = 'bounced' and email in (
    select d.email from deliveries d join contacts c on c.id = d.contact_id and c.email = d.email
    where d.run_id = @run_id and d.state = 4
);

-- name: FillEndFailed :one
select cast(coalesce(max(contact_id), 0) as bigint) as to_id from (
    select d.contact_id from deliveries d
    where d.run_id = @again_of and d.state = 4 and d.contact_id > @after_id order by d.contact_id limit cast(sqlc.arg(most) as bigint)
) chunk;

-- name: FillFailed :execresult
insert into deliveries (run_id, contact_id, email, state, reason, due_at, created_at, settled_at)
select cast(@run_id as bigint), c.id, c.email, 0, '', 0, cast(@now as bigint), 0
from deliveries d
join contacts c on c.id = d.contact_id and c.email = d.email
left join suppressions s on s.owner_id = c.owner_id and s.email = c.email
where d.run_id = @again_of and d.state = 4 and d.contact_id > @after_id and d.contact_id <= @to_id and s.email is null
    and not exists (
        select 1 from runs a join deliveries x on x.run_id = a.id
        where a.again_root = @root and a.id <> @run_id and x.contact_id = d.contact_id and x.state <> 4 and x.state <> 5
    )
order by c.id
on conflict (run_id, contact_id) do nothing;

-- name: PutTrash :exec
insert into trash (batch, kind, thing_id, owner_id, email, content, deleted_at)
values (@batch, @kind, @thing_id, @owner_id, @email, @content, @deleted_at);

-- name: Trash :many
select * from trash where batch = @batch and deleted_at >= @since order by kind, thing_id;

-- name: TrashOf :many
select batch, cast(max(deleted_at) as bigint) as deleted_at from trash
where owner_id = @owner_id and deleted_at >= @since
group by batch order by 2 desc, batch limit cast(sqlc.arg(most) as bigint);

-- name: DropTrash :execrows
delete from trash where batch = @batch;

-- name: ForgetTrashed :exec
delete from trash where owner_id = @owner_id and email = @email;

-- name: SweepTrash :execrows
delete from trash where (batch, kind, thing_id) in (
    select t.batch, t.kind, t.thing_id from trash t where t.deleted_at < @before limit cast(sqlc.arg(most) as bigint)
);
