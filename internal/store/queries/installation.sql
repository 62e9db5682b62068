-- name: Installation :one
select * from installation where id = 1;

-- name: CreateInstallation :exec
insert into installation (id, instance, key_check, created_at)
values (1, @instance, @key_check, @created_at)
on conflict (id) do nothing;

-- name: StartNode :one
insert into nodes (id, name, epoch, alive_until, started_at)
values (@id, @name, 1, @alive_until, @started_at)
on conflict (name) do update
set epoch = nodes.epoch + 1, alive_until = excluded.alive_until, started_at = excluded.started_at
returning id, epoch;

-- name: KeepNodeAlive :execrows
update nodes set alive_until = @alive_until where id = @id and epoch = @epoch;

-- name: Relay :one
select * from relays where id = 1;

-- name: PutRelay :exec
insert into relays (id, host, port, tls, username, password_sealed, from_name, from_email, updated_at)
values (1, @host, @port, @tls, @username, @password_sealed, @from_name, @from_email, @updated_at)
on conflict (id) do update set
    host = excluded.host, port = excluded.port, tls = excluded.tls, username = excluded.username,
    password_sealed = excluded.password_sealed, from_name = excluded.from_name,
    from_email = excluded.from_email, updated_at = excluded.updated_at;

-- name: DeleteRelay :exec
delete from relays where id = 1;
