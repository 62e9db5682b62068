-- name: Relays :many
select * from relays order by created_at, id;

-- name: Relay :one
select * from relays where id = @id;

-- name: CreateRelay :exec
insert into relays (
    id, kind, name, host, port, tls, username, password_sealed, from_name, from_email, helo_name,
    weight, connections, messages, per_second, per_hour, per_day, enabled, created_at, updated_at
) values (
    @id, @kind, @name, @host, @port, @tls, @username, @password_sealed, @from_name, @from_email,
    @helo_name, @weight, @connections, @messages, @per_second, @per_hour, @per_day, @enabled,
    @created_at, @updated_at
);

-- name: UpdateRelay :execrows
update relays set
    kind = @kind, name = @name, host = @host, port = @port, tls = @tls, username = @username,
    password_sealed = @password_sealed, from_name = @from_name, from_email = @from_email,
    helo_name = @helo_name, weight = @weight, connections = @connections, messages = @messages,
    per_second = @per_second, per_hour = @per_hour, per_day = @per_day, enabled = @enabled,
    updated_at = @updated_at, trouble = '', trouble_at = 0
where id = @id;

-- name: DeleteRelay :execrows
delete from relays where id = @id;

-- name: StopRelay :execrows
update relays set trouble = @trouble, trouble_at = @trouble_at where id = @id and trouble = '';

-- name: ResumeRelay :execrows
update relays set trouble = '', trouble_at = 0 where id = @id;
