-- name: LockActiveAdmins :execrows
-- Of two who take the role off the last two admins at once, the second waits here and
-- then counts one.
update accounts set role = role where role = 'admin' and confirmed_at > 0 and blocked_at = 0;

-- name: BlockAccount :execrows
update accounts set blocked_at = @blocked_at, blocked_by = @blocked_by, blocked_why = @blocked_why
where id = @id and blocked_at = 0;

-- name: UnblockAccount :execrows
update accounts set blocked_at = 0, blocked_by = 0, blocked_why = '' where id = @id and blocked_at > 0;

-- name: SetPerDay :execrows
update accounts set per_day = @per_day where id = @id;

-- name: SignedIn :exec
update accounts set signed_in_at = @signed_in_at where id = @id;

-- name: CountBelongings :one
select
    (select count(*) from contacts c where c.owner_id = @owner_id) as clients,
    (select count(*) from messages g where g.owner_id = @owner_id) as messages,
    (select count(*) from mailings m where m.owner_id = @owner_id) as mailings,
    (select count(*) from mailings m where m.owner_id = @owner_id and m.status in ('created', 'running')) as active,
    cast((select coalesce(sum(r.sent), 0) from runs r where r.owner_id = @owner_id) as bigint) as sent,
    (select count(*) from sessions s where s.account_id = @account_id and s.ended = 0 and s.expires_at > @now) as sessions;

-- name: OwnersOfMailings :many
select a.id, a.first_name, a.last_name, a.email from accounts a
where exists (select 1 from mailings m where m.owner_id = a.id)
order by a.search, a.id
limit cast(sqlc.arg(most) as bigint);

-- name: LockAccount :exec
update accounts set id = id where id = @id;

-- name: LockQuota :exec
insert into quota_usage (owner_id, minute, mails) values (@owner_id, 0, 0)
on conflict (owner_id, minute) do update set mails = 0;

-- name: QuotaSince :one
select cast(coalesce(sum(mails), 0) as bigint) as mails from quota_usage where owner_id = @owner_id and minute > @after;

-- name: QuotaMinutes :many
select minute, mails from quota_usage where owner_id = @owner_id and minute > @after order by minute;

-- name: AddQuota :exec
insert into quota_usage (owner_id, minute, mails) values (@owner_id, @minute, @mails)
on conflict (owner_id, minute) do update set mails = quota_usage.mails + excluded.mails;

-- name: ForgetQuota :exec
delete from quota_usage where owner_id = @owner_id and minute > 0 and minute <= @before;
