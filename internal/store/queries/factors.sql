-- name: PutTOTP :exec
insert into totp (account_id, secret_sealed, used_step, created_at)
values (@account_id, @secret_sealed, @used_step, @created_at);

-- name: TOTP :one
select * from totp where account_id = @account_id;

-- name: TakeTOTPStep :execrows
update totp set used_step = @step where account_id = @account_id and used_step < @step;

-- name: DeleteTOTP :execrows
delete from totp where account_id = @account_id;

-- name: PutRecoveryCode :exec
insert into recovery_codes (account_id, hash) values (@account_id, @hash);

-- name: CountRecoveryCodes :one
select count(*) from recovery_codes where account_id = @account_id;

-- name: TakeRecoveryCode :execrows
delete from recovery_codes where account_id = @account_id and hash = @hash;

-- name: DeleteRecoveryCodes :exec
delete from recovery_codes where account_id = @account_id;

-- name: DeleteIdleRecoveryCodes :exec
delete from recovery_codes
where recovery_codes.account_id = @account_id
    and not exists (select 1 from totp where totp.account_id = recovery_codes.account_id)
    and not exists (select 1 from passkeys where passkeys.account_id = recovery_codes.account_id);

-- name: PutPasskey :exec
insert into passkeys (id, account_id, credential_id, name, record_sealed, created_at)
values (@id, @account_id, @credential_id, @name, @record_sealed, @created_at);

-- name: Passkeys :many
select * from passkeys where account_id = @account_id order by created_at, id;

-- name: UsePasskey :execrows
update passkeys set record_sealed = @record_sealed, used_at = @used_at
where id = @id and record_sealed = @was_sealed;

-- name: RenamePasskey :execrows
update passkeys set name = @name where account_id = @account_id and id = @id;

-- name: DeletePasskey :execrows
delete from passkeys where account_id = @account_id and id = @id;

-- name: DeletePasskeys :execrows
delete from passkeys where account_id = @account_id;

-- name: CountFactors :one
select (select count(*) from totp where totp.account_id = @account_id)
    + (select count(*) from passkeys where passkeys.account_id = @account_id) as n;

-- name: DeleteFactorBudgets :exec
delete from budgets where name like 'factor:' || cast(sqlc.arg(account) as text) || ':%';
