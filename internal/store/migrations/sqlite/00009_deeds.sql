-- +goose Up
-- Who did what: the audit log. Each line holds the hash of itself and of the one
-- before it; the chain's end stands apart, so that one who adds a line waits for
-- another who does. Lines are neither changed nor deleted.
create table deeds (
    number integer primary key,
    at integer not null,
    actor_id integer not null,
    email text not null,
    from_address text not null,
    action text not null,
    kind text not null,
    thing_id integer not null,
    thing text not null,
    owner_id integer not null,
    why text not null,
    was text not null,
    became text not null,
    hash text not null
);
create index deeds_owner on deeds (owner_id, number);
create index deeds_actor on deeds (actor_id, number);
create index deeds_thing on deeds (kind, thing_id, number);
create table deed_chain (
    number integer not null,
    hash text not null
);
insert into deed_chain (number, hash) values (0, '');
-- In words of this database:
-- +goose StatementBegin
create trigger deeds_stay before update on deeds begin
    select raise(abort, 'the audit log is not changed');
end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger deeds_stay_there before delete on deeds begin
    select raise(abort, 'the audit log is not changed');
end;
-- +goose StatementEnd
-- In words of both:

-- +goose Down
drop table deed_chain;
drop table deeds;
-- In words of this database:
