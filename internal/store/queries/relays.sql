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

-- name: SiteTroubles :many
select * from site_troubles where until > @after order by name, node, relay_id;

-- name: PutSiteTrouble :exec
insert into site_troubles (relay_id, node, site, name, why, since, until)
values (@relay_id, @node, @site, @name, @why, @since, @until)
on conflict (relay_id, node, site) do update set why = excluded.why, until = excluded.until;

-- name: EndSiteTrouble :exec
delete from site_troubles where relay_id = @relay_id and node = @node and site = @site;

-- name: EndTroublesOfRelay :exec
delete from site_troubles where relay_id = @relay_id;

-- name: EndTroublesOfNode :exec
delete from site_troubles where node = @node;
