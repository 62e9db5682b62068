-- name: CreateContact :execrows
insert into contacts (id, owner_id, email, first_name, last_name, comment, search, created_at, updated_at)
values (@id, @owner_id, @email, @first_name, @last_name, @comment, @search, @created_at, @created_at)
on conflict (owner_id, email) do nothing;

-- name: Contact :one
select c.*, coalesce(s.reason, '') as reason, coalesce(s.detail, '') as detail, coalesce(s.created_at, 0) as suppressed_at
from contacts c
left join suppressions s on s.owner_id = c.owner_id and s.email = c.email
where c.id = @id;

-- name: ContactByEmail :one
select c.*, coalesce(s.reason, '') as reason, coalesce(s.detail, '') as detail, coalesce(s.created_at, 0) as suppressed_at
from contacts c
left join suppressions s on s.owner_id = c.owner_id and s.email = c.email
where c.owner_id = @owner_id and c.email = @email;

-- name: UpdateContact :exec
update contacts
set email = @email, first_name = @first_name, last_name = @last_name,
    comment = @comment, search = @search, updated_at = @updated_at
where id = @id;

-- name: Suppress :execrows
insert into suppressions (owner_id, email, reason, detail, created_at)
values (@owner_id, @email, @reason, @detail, @created_at)
on conflict (owner_id, email) do update
set reason = excluded.reason, detail = excluded.detail, created_at = excluded.created_at
where excluded.reason in ('unsubscribed', 'complained') and suppressions.reason not in ('unsubscribed', 'complained', 'erased');

-- name: Unsuppress :execrows
delete from suppressions
where owner_id = @owner_id and email = @email and reason not in ('unsubscribed', 'complained', 'erased');

-- name: Suppression :one
select * from suppressions where owner_id = @owner_id and email = @email;

-- name: SuppressionsSince :many
-- Who has just asked not to be mailed is among them, however many others bounced.
select * from suppressions where created_at >= @since order by created_at desc limit 10000;

-- name: CreateImport :exec
insert into imports (id, owner_id, filename, total, added, existing, refused, fault, created_at, finished_at)
values (@id, @owner_id, @filename, 0, 0, 0, 0, '', @created_at, 0);

-- name: UpdateImport :exec
update imports
set total = @total, added = @added, existing = @existing, refused = @refused, fault = @fault, finished_at = @finished_at
where id = @id;

-- name: ImportReport :one
select * from imports where id = @id;

-- name: Imports :many
select * from imports where owner_id = @owner_id order by created_at desc limit cast(sqlc.arg(most) as bigint);

-- name: ImportRefusals :many
select * from import_refusals where import_id = @import_id and line > @after_line order by line limit cast(sqlc.arg(most) as bigint);
