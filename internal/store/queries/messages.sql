-- name: CreateMessage :exec
insert into messages (id, owner_id, subject, format, body, search, created_at, updated_at)
values (@id, @owner_id, @subject, @format, @body, @search, @created_at, @created_at);

-- name: Message :one
select * from messages where id = @id;

-- name: UpdateMessage :exec
update messages
set subject = @subject, format = @format, body = @body, search = @search, updated_at = @updated_at
where id = @id;

-- name: DeleteMessage :exec
delete from messages where id = @id;

-- name: MailingsOfMessage :one
select count(*) from mailings where message_id = @message_id;

-- name: FreezeVersion :exec
insert into versions (id, hash, subject, format, body, created_at)
values (@id, @hash, @subject, @format, @body, @created_at)
on conflict (hash) do nothing;

-- name: VersionByHash :one
select id from versions where hash = @hash;

-- name: Version :one
select * from versions where id = @id;
