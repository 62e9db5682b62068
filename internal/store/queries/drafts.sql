-- name: SaveDraft :execrows
-- A page that does not know of the latest change must not undo it: what it shows is as
-- old as seen, unless it wrote the latest itself.
insert into mailing_drafts (mailing_id, owner_id, form, writer, created_at, updated_at)
select cast(@mailing_id as bigint), cast(@owner_id as bigint), cast(@form as text), cast(@writer as text),
    cast(@now as bigint), cast(@now as bigint)
where cast(@seen as bigint) = coalesce((select m.updated_at from mailings m where m.id = @mailing_id), 0)
    or exists (select 1 from mailing_drafts d where d.mailing_id = @mailing_id)
on conflict (mailing_id) do update
set form = excluded.form, writer = excluded.writer,
    updated_at = case when excluded.updated_at > mailing_drafts.updated_at then excluded.updated_at else mailing_drafts.updated_at + 1 end
where mailing_drafts.owner_id = excluded.owner_id
    and (mailing_drafts.writer = excluded.writer or mailing_drafts.updated_at = cast(@seen as bigint));

-- name: Draft :one
select * from mailing_drafts where mailing_id = @mailing_id;

-- name: Drafts :many
select d.*, cast(case when m.id is null then 1 else 0 end as bigint) as is_new
from mailing_drafts d
left join mailings m on m.id = d.mailing_id
where d.owner_id = @owner_id
order by d.updated_at desc, d.mailing_id desc
limit cast(sqlc.arg(most) as bigint);

-- name: DeleteDraft :exec
delete from mailing_drafts where mailing_id = @mailing_id;

-- name: MailingTraces :one
-- How many runs and deletions there are of a mailing that is not there.
select cast((select count(*) from runs where mailing_id = @mailing_id) +
    (select count(*) from trash where kind = 'mailing' and thing_id = @thing_id) as bigint) as traces;

-- name: CountNewDrafts :one
select count(*) from mailing_drafts d
where d.owner_id = @owner_id and d.mailing_id <> @mailing_id and not exists (select 1 from mailings m where m.id = d.mailing_id);
