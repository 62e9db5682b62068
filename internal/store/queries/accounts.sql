-- name: CreateAccount :exec
insert into accounts (
    id, email, password_hash, first_name, last_name, phone, role, lang, zone, search, confirmed_at, created_at
) values (
    @id, @email, @password_hash, @first_name, @last_name, @phone, @role, @lang, @zone, @search, @confirmed_at, @created_at
);

-- name: Account :one
select * from accounts where id = @id;

-- name: AccountByEmail :one
select * from accounts where email = @email;

-- name: ActiveAccountsOfRole :many
select * from accounts where role = @role and confirmed_at > 0 and blocked_at = 0 order by created_at, id;

-- name: CountAccounts :one
select count(*) from accounts;

-- name: ConfirmAccount :execrows
update accounts set confirmed_at = @confirmed_at where id = @id and confirmed_at = 0;

-- name: SetPassword :exec
update accounts set password_hash = @password_hash where id = @id;

-- name: UpdateProfile :exec
update accounts
set first_name = @first_name, last_name = @last_name, phone = @phone, lang = @lang, zone = @zone,
    theme = @theme, search = @search
where id = @id;

-- name: SetRole :exec
update accounts set role = @role where id = @id;

-- name: Session :one
select data from sessions where token_hash = @token_hash and expires_at > @now and ended = 0;

-- name: PutSession :exec
insert into sessions (token_hash, account_id, data, expires_at, id, address, agent, first_seen, last_seen)
values (@token_hash, @account_id, @data, @expires_at, @id, @address, @agent, @first_seen, @last_seen)
on conflict (token_hash) do update
set account_id = excluded.account_id, data = excluded.data, expires_at = excluded.expires_at,
    id = case when sessions.id = 0 then excluded.id else sessions.id end, -- of before there were ids
    address = excluded.address, agent = excluded.agent, first_seen = excluded.first_seen, last_seen = excluded.last_seen
where sessions.ended = 0;

-- name: EndSession :exec
update sessions set ended = 1, data = '' where token_hash = @token_hash;

-- name: EndAccountSessions :exec
update sessions set ended = 1, data = '' where account_id = @account_id;

-- name: DeleteExpiredSessions :execrows
-- Under the token of a session without an account nobody ever signs in: of its end no mark is needed.
delete from sessions where expires_at <= @now and (ended = 0 or account_id is null) or expires_at <= @long_ago;

-- name: PutCode :exec
insert into codes (account_id, purpose, hash, tries_left, expires_at)
values (@account_id, @purpose, @hash, @tries_left, @expires_at)
on conflict (account_id, purpose) do update
set hash = excluded.hash, tries_left = excluded.tries_left, expires_at = excluded.expires_at;

-- name: TakeCodeTry :one
update codes set tries_left = tries_left - 1
where account_id = @account_id and purpose = @purpose and tries_left > 0 and expires_at > @now
returning hash;

-- name: CountCode :one
select count(*) from codes
where account_id = @account_id and purpose = @purpose and hash = @hash and expires_at > @now;

-- name: DeleteCode :execrows
delete from codes where account_id = @account_id and purpose = @purpose and hash = @hash;

-- name: DeleteExpiredCodes :execrows
delete from codes where expires_at <= @now;

-- name: SpendBudget :one
insert into budgets (name, used, resets_at) values (@name, 1, @resets_at)
on conflict (name) do update set
    used = case when budgets.resets_at <= @now then 1 else budgets.used + 1 end,
    resets_at = case when budgets.resets_at <= @now then excluded.resets_at else budgets.resets_at end
returning used;

-- name: DeleteSpentBudgets :execrows
delete from budgets where resets_at <= @now;
