-- name: TakeTry :one
insert into budgets (name, used, resets_at) values (@name, 1, @resets_at)
on conflict (name) do update set
    used = case when budgets.resets_at <= @now then 1 else budgets.used + 1 end,
    resets_at = case when budgets.resets_at <= @now then excluded.resets_at else budgets.resets_at end,
    free_at = 0
where budgets.resets_at <= @now or budgets.used < @most and budgets.free_at <= @now
returning used;

-- name: HoldTry :exec
update budgets set free_at = @free_at where name = @name;

-- name: Budget :one
select used, resets_at, free_at from budgets where name = @name;

-- name: GiveTryBack :exec
update budgets set used = used - 1, free_at = 0 where name = @name and used > 0 and resets_at > @now;

-- name: PutInvitation :one
insert into invitations (id, email, role, lang, token_hash, invited_by, inviter, created_at, sent_at, expires_at)
values (@id, @email, @role, @lang, @token_hash, @invited_by, @inviter, @sent_at, @sent_at, @expires_at)
on conflict (email) do update set
    role = excluded.role, lang = excluded.lang, token_hash = excluded.token_hash, invited_by = excluded.invited_by,
    inviter = excluded.inviter, sent_at = excluded.sent_at, expires_at = excluded.expires_at
returning id;

-- name: Invitation :one
select * from invitations where id = @id;

-- name: InvitationByEmail :one
select * from invitations where email = @email;

-- name: CountInvitations :one
select count(*) from invitations;

-- name: Invitations :many
select * from invitations order by created_at desc, id desc limit @most offset @skip;

-- name: DeleteInvitation :execrows
delete from invitations where id = @id;

-- name: UseInvitation :execrows
delete from invitations where id = @id and token_hash = @token_hash and expires_at > @now;

-- name: DeleteInvitationOf :exec
delete from invitations where email = @email;

-- name: DeleteOldInvitations :execrows
delete from invitations where expires_at <= @long_ago;

-- name: JoinUnconfirmed :one
update accounts
set password_hash = @password_hash, first_name = @first_name, last_name = @last_name, role = @role,
    lang = @lang, zone = @zone, search = @search, confirmed_at = @confirmed_at
where email = @email and confirmed_at = 0 and blocked_at = 0
returning id, era;

-- name: StaleRegistrations :many
select a.id from accounts a
where a.role = 'user' and a.confirmed_at = 0 and (a.blocked_at = 0 or a.blocked_by = 0) and a.created_at <= @before
    and not exists (select 1 from contacts c where c.owner_id = a.id)
    and not exists (select 1 from mailings m where m.owner_id = a.id)
    and not exists (select 1 from codes c where c.account_id = a.id and c.expires_at > @now)
    and not exists (select 1 from registrations r where r.account_id = a.id)
order by a.created_at, a.id limit 100;

-- name: ShutRegistration :execrows
update accounts set blocked_at = @at where id = @id and confirmed_at = 0 and (blocked_at = 0 or blocked_by = 0);

-- name: Found :execrows
update installation set founded_at = @founded_at where id = 1 and founded_at = 0;

-- name: CountAccountsOfRole :one
select count(*) from accounts where role = @role;

-- name: PutEmailChange :exec
insert into email_changes (account_id, new_email, token_hash, asked_at, due_at)
values (@account_id, @new_email, @token_hash, @asked_at, @due_at)
on conflict (account_id) do update set
    new_email = excluded.new_email, token_hash = excluded.token_hash, new_at = 0, old_at = 0,
    asked_at = excluded.asked_at, due_at = excluded.due_at;

-- name: EmailChange :one
select * from email_changes where account_id = @account_id;

-- name: AgreeNew :execrows
update email_changes set new_at = @at where account_id = @account_id and token_hash = @token_hash;

-- name: AgreeOld :execrows
update email_changes set old_at = @at where account_id = @account_id and token_hash = @token_hash;

-- name: DeleteEmailChange :execrows
delete from email_changes where account_id = @account_id;

-- name: UseEmailChange :execrows
delete from email_changes
where account_id = @account_id and token_hash = @token_hash and new_at > 0 and (old_at > 0 or due_at <= @now);

-- name: MoveAccount :execrows
update accounts set email = @email, search = @search where id = @id and email = @was;

-- name: DueEmailChanges :many
select * from email_changes where due_at <= @now order by due_at limit 100;

-- name: DeleteAccountCodes :exec
delete from codes where account_id = @account_id;
