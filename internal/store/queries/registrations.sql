-- name: PutRegistration :exec
insert into registrations (account_id, browser, password_hash, first_name, last_name, lang, zone, created_at)
values (@account_id, @browser, @password_hash, @first_name, @last_name, @lang, @zone, @created_at)
on conflict (account_id, browser) do update set
    password_hash = excluded.password_hash, first_name = excluded.first_name, last_name = excluded.last_name,
    lang = excluded.lang, zone = excluded.zone, created_at = excluded.created_at;

-- name: Registrations :many
select * from registrations where account_id = @account_id and created_at > @long_ago order by created_at, browser;

-- name: ConfirmRegistration :execrows
update accounts
set password_hash = @password_hash, first_name = @first_name, last_name = @last_name,
    lang = @lang, zone = @zone, search = @search, confirmed_at = @confirmed_at
where id = @id and confirmed_at = 0;

-- name: DeleteRegistrationsOf :exec
delete from registrations where account_id = @account_id;

-- name: DeleteOldRegistrations :execrows
delete from registrations where created_at <= @long_ago;
