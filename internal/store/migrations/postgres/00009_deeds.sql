-- +goose Up
-- Who did what: the audit log. Each line holds the hash of itself and of the one
-- before it; the chain's end stands apart, so that one who adds a line waits for
-- another who does. Lines are neither changed nor deleted.
create table deeds (
    number bigint primary key,
    at bigint not null,
    actor_id bigint not null,
    email text not null,
    from_address text not null,
    action text not null,
    kind text not null,
    thing_id bigint not null,
    thing text not null,
    owner_id bigint not null,
    why text not null,
    was text not null,
    became text not null,
    hash text not null
);
create index deeds_owner on deeds (owner_id, number);
create index deeds_actor on deeds (actor_id, number);
create index deeds_thing on deeds (kind, thing_id, number);
create table deed_chain (
    number bigint not null,
    hash text not null
);
insert into deed_chain (number, hash) values (0, '');
-- In words of this database:
-- +goose StatementBegin
create function deeds_stay() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is not changed';
end
$$;
-- +goose StatementEnd
create trigger deeds_stay before update or delete or truncate on deeds
for each statement execute function deeds_stay();
-- In words of both:

-- +goose Down
drop table deed_chain;
drop table deeds;
-- In words of this database:
drop function deeds_stay();
