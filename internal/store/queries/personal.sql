-- name: PutPersonKey :exec
insert into person_keys (id, key_sealed) values (1, @key_sealed) on conflict (id) do nothing;

-- name: PersonKey :one
select key_sealed from person_keys where id = 1;

-- name: PutErasure :exec
insert into erasures (owner_id, pseudonym, created_at) values (@owner_id, @pseudonym, @created_at)
on conflict (owner_id, pseudonym) do nothing;

-- name: CountErasures :one
select count(*) from erasures where owner_id = @owner_id;

-- name: Erasure :one
select count(*) from erasures where owner_id = @owner_id and pseudonym = @pseudonym;

-- name: SuppressErased :exec
insert into suppressions (owner_id, email, reason, detail, created_at)
values (@owner_id, @email, 'erased', '', @created_at)
on conflict (owner_id, email) do update set reason = 'erased', detail = '', created_at = excluded.created_at;

-- name: DeleteContactByEmail :execrows
delete from contacts where owner_id = @owner_id and email = @email;

-- name: ErasedInPart :many
-- Those whose address stands nowhere but on the list of whom not to mail, where it has
-- kept what was under way from going out.
select s.owner_id, s.email from suppressions s
where s.reason = 'erased' and s.created_at < @before
    and not exists (select 1 from contacts c where c.owner_id = s.owner_id and c.email = s.email)
limit cast(sqlc.arg(most) as bigint);

-- name: ForgetErased :exec
-- The address may have come back since ErasedInPart listed it.
delete from suppressions
where suppressions.owner_id = @owner_id and suppressions.email = @email and suppressions.reason = 'erased'
    and suppressions.created_at < @before
    and not exists (select 1 from contacts c where c.owner_id = suppressions.owner_id and c.email = suppressions.email);

-- name: DeliveriesOfEmail :many
-- By the address and by the pseudonym, so that what was made of them beside an earlier call is found.
select d.id, d.run_id, d.email from deliveries d join runs r on r.id = d.run_id
where r.owner_id = @owner_id and (d.email = @email or d.email = @pseudonym) and (d.contact_id is not null or d.state >= 3);

-- name: AttemptsOfEmail :many
select id, reply from attempts where owner_id = @owner_id and email = @email;

-- name: RenameDelivery :exec
update deliveries set email = @email, vars = case when state >= 3 then '' else vars end where id = @id;

-- name: RenameAttempt :exec
update attempts set email = @email, reply = @reply where id = @id;

-- name: DeleteRefusalsOf :exec
delete from import_refusals
where import_id in (select i.id from imports i where i.owner_id = @owner_id)
    and (lower(value) like cast(@pattern as text) escape '\' or lower(params) like cast(@pattern as text) escape '\');

-- name: DeleteDemoMailsTo :exec
delete from demo_mails where recipient = @recipient;

-- name: SuppressionsOf :many
select * from suppressions where owner_id = @owner_id and email > @after order by email limit cast(sqlc.arg(most) as bigint);

-- name: PlanErasure :exec
insert into account_erasures (account_id, asked_at, erase_at) values (@account_id, @asked_at, @erase_at)
on conflict (account_id) do nothing;

-- name: PlanErasureNow :exec
insert into account_erasures (account_id, asked_at, erase_at) values (@account_id, @now, @now)
on conflict (account_id) do update set erase_at = excluded.erase_at where account_erasures.begun_at = 0;

-- name: CancelErasure :execrows
delete from account_erasures where account_id = @account_id and begun_at = 0;

-- name: BeginErasure :execrows
update account_erasures set begun_at = @now where account_id = @account_id and erase_at <= @now and begun_at = 0;

-- name: ErasureBegun :one
select count(*) from account_erasures where account_id = @account_id and begun_at > 0;

-- name: PlannedErasure :one
select erase_at from account_erasures where account_id = @account_id;

-- name: DueErasures :many
select account_id from account_erasures where erase_at <= @now order by erase_at;

-- name: OpenRunsOfOwner :many
select id from runs where owner_id = @owner_id and (state = 'opening' or state = 'sending');

-- name: RunsOfOwner :many
select id, version_id from runs where owner_id = @owner_id order by id limit cast(sqlc.arg(most) as bigint);

-- name: DeleteRun :exec
delete from runs where id = @id;

-- name: DeleteLeasesOfRun :exec
delete from leases where run_id = @run_id;

-- name: DeleteVersionIfUnused :exec
delete from versions where versions.id = @id and not exists (select 1 from runs r where r.version_id = versions.id);

-- name: DeleteContactsOf :execrows
delete from contacts where contacts.id in (
    select c.id from contacts c where c.owner_id = @owner_id limit cast(sqlc.arg(most) as bigint)
);

-- name: DeleteSuppressionsOf :execrows
delete from suppressions where suppressions.owner_id = @owner_id and suppressions.email in (
    select s.email from suppressions s where s.owner_id = @owner_id limit cast(sqlc.arg(most) as bigint)
);

-- name: DeleteErasuresOf :execrows
delete from erasures where erasures.owner_id = @owner_id and erasures.pseudonym in (
    select e.pseudonym from erasures e where e.owner_id = @owner_id limit cast(sqlc.arg(most) as bigint)
);

-- name: ImportsOf :many
select id from imports where owner_id = @owner_id;

-- name: DeleteRefusalsOfImport :execrows
delete from import_refusals where import_refusals.import_id = @import_id and import_refusals.line in (
    select f.line from import_refusals f where f.import_id = @import_id limit cast(sqlc.arg(most) as bigint)
);

-- name: DeleteAccount :exec
delete from accounts where id = @id;

-- name: DeleteBudgetsOf :exec
-- Their names end with an address: "mail:" or "password of ", and then whose it is.
delete from budgets where name like cast(@of_mails as text) escape '\' or name like cast(@of_tries as text) escape '\';

-- name: DeleteInvitationsBy :exec
delete from invitations where invited_by = @account_id;

-- name: FinishedRunsBefore :many
-- Those of which details are left; a delivery in doubt waits for a person's word.
select r.id from runs r
where r.finished_at > 0 and r.finished_at < @before and r.in_doubt = 0 and (
    exists (select 1 from deliveries d where d.run_id = r.id) or exists (select 1 from attempts a where a.run_id = r.id)
)
order by r.finished_at limit cast(sqlc.arg(most) as bigint);

-- name: DeleteAttemptsOfRun :execrows
delete from attempts where attempts.id in (
    select a.id from attempts a where a.run_id = @run_id limit cast(sqlc.arg(most) as bigint)
);

-- name: DeleteDeliveriesOfRun :execrows
delete from deliveries where deliveries.id in (
    select d.id from deliveries d where d.run_id = @run_id limit cast(sqlc.arg(most) as bigint)
);

-- name: DeleteDemoMailsBefore :execrows
delete from demo_mails where demo_mails.id in (
    select d.id from demo_mails d where d.at < @before order by d.id limit cast(sqlc.arg(most) as bigint)
);

-- name: ImportsBefore :many
-- One that was killed is never finished.
select id from imports where finished_at < @before and created_at < @before;

-- name: DeleteImport :exec
delete from imports where id = @id;
