-- name: LockUsage :exec
insert into usage (road_id, minute, mails) values (@road_id, 0, 0)
on conflict (road_id, minute) do update set mails = 0;

-- name: UsageSince :one
select cast(coalesce(sum(mails), 0) as bigint) as mails, cast(coalesce(min(minute), 0) as bigint) as oldest
from usage where road_id = @road_id and minute > @after;

-- name: AddUsage :exec
insert into usage (road_id, minute, mails) values (@road_id, @minute, @mails)
on conflict (road_id, minute) do update set mails = usage.mails + excluded.mails;

-- name: ForgetUsage :exec
delete from usage where road_id = @road_id and minute > 0 and minute <= @before;

-- name: CountLiveNodes :one
select count(*) from nodes where alive_until > @now;
