-- +goose Up
-- What DNS said of a sending domain when it was last asked.
create table domain_checks (
    domain text primary key,
    checked_at integer not null,
    findings text not null
);
-- Things that were made to show an owner how Vestnik works, so that they can be removed again.
create table examples (
    owner_id integer not null references accounts (id) on delete cascade,
    kind text not null,
    thing_id integer not null,
    primary key (owner_id, kind, thing_id)
);

-- +goose Down
drop table examples;
drop table domain_checks;
