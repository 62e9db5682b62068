-- name: DomainChecks :many
select * from domain_checks order by domain;

-- name: DeleteDomainChecksBefore :exec
delete from domain_checks where checked_at < @before;

-- name: PutDomainCheck :exec
insert into domain_checks (domain, checked_at, findings)
values (@domain, @checked_at, @findings)
on conflict (domain) do update set checked_at = excluded.checked_at, findings = excluded.findings;

-- name: Examples :many
select kind, thing_id from examples where owner_id = @owner_id
order by case kind when 'mailing' then 0 when 'message' then 1 else 2 end, thing_id;

-- name: PutExample :exec
insert into examples (owner_id, kind, thing_id) values (@owner_id, @kind, @thing_id);

-- name: ForgetExample :exec
delete from examples where kind = @kind and thing_id = @thing_id;

-- name: ForgetExamples :exec
delete from examples where owner_id = @owner_id;

-- name: ExampleMailings :many
select thing_id from examples where kind = 'mailing' order by thing_id;
