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
