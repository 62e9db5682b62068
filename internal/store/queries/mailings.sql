-- name: CreateMailing :exec
insert into mailings (
    id, owner_id, message_id, audience, rule, doubt, weight, from_name, reply_to, status, next_at, created_at, updated_at
) values (
    @id, @owner_id, @message_id, @audience, @rule, @doubt, @weight, @from_name, @reply_to, @status, @next_at, @created_at, @created_at
);

-- name: Mailing :one
select * from mailings where id = @id;

-- name: UpdateMailing :execrows
update mailings
set message_id = @message_id, audience = @audience, rule = @rule, doubt = @doubt, weight = @weight,
    from_name = @from_name, reply_to = @reply_to, status = @status, next_at = @next_at, updated_at = @updated_at
where id = @id and status = @was_status and next_at = @was_next_at;

-- name: SetMailingStatus :execrows
update mailings
set status = @status, next_at = @next_at, stop_by = @stop_by, stop_why = @stop_why, stopped_at = @stopped_at
where id = @id and status = @was_status;

-- name: OpenedMailing :execrows
update mailings set status = @status, next_at = @next_at, last_at = @last_at
where id = @id and next_at = @was_next_at and status = @was_status;

-- name: TouchMailing :execrows
update mailings set last_at = @last_at where id = @id;

-- name: LockMailing :exec
update mailings set status = status where id = @id;

-- name: FinishMailing :exec
update mailings set status = 'completed'
where mailings.id = @id and status in ('created', 'running') and next_at = 0
    and not exists (
        select 1 from runs where runs.mailing_id = mailings.id and runs.state in ('opening', 'sending')
    );

-- name: DeleteMailing :exec
delete from mailings where id = @id;

-- name: DueMailings :many
select m.* from mailings m
join accounts a on a.id = m.owner_id
where m.next_at > 0 and m.next_at <= @now and m.status in ('created', 'running') and a.blocked_at = 0
    and (m.next_at > @after_at or m.next_at = @after_at and m.id > @after_id)
order by m.next_at, m.id
limit cast(sqlc.arg(most) as bigint);

-- name: ClearMailingContacts :exec
delete from mailing_contacts where mailing_id = @mailing_id;

-- name: CountMailings :one
select count(*) from mailings where owner_id = @owner_id;

-- name: CountActiveMailings :one
select count(*) from mailings where owner_id = @owner_id and status in ('created', 'running');

-- name: CountClients :one
select count(*) from contacts where owner_id = @owner_id;

-- name: CountAllMailings :one
select count(*) from mailings;

-- name: CountAllActiveMailings :one
select count(*) from mailings where status in ('created', 'running');

-- name: CountAllClients :one
select count(distinct email) from contacts;

-- name: MailingContacts :many
select contact_id from mailing_contacts where mailing_id = @mailing_id order by contact_id;

-- name: OpenRunsOfMailing :many
select id from runs where mailing_id = @mailing_id and state in ('opening', 'sending') order by id;

-- name: CountOpeningRuns :one
select count(*) from runs where mailing_id = @mailing_id and state = 'opening';

-- name: CountStuckRuns :one
select count(*) from runs
where mailing_id = @mailing_id and kind = 'scheduled' and state in ('opening', 'sending')
    and sent + failed + in_doubt = 0 and audience > skipped;

-- name: ManualRunsSince :one
select count(*) from runs
where mailing_id = @mailing_id and kind = 'manual' and created_at > @since and state <> 'taken_back';
