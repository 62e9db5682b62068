-- +goose Up
-- Whom an owner must never mail again though nothing else is known of them any more: a
-- keyed hash of the address, by a key that a rotation of the secret does not change.
create table erasures (
    owner_id integer not null references accounts (id) on delete cascade,
    pseudonym text not null,
    created_at integer not null,
    primary key (owner_id, pseudonym)
);
create table person_keys (
    id integer primary key check (id = 1),
    key_sealed text not null
);
-- Accounts that are to be erased, and when.
create table account_erasures (
    account_id integer primary key references accounts (id) on delete cascade,
    asked_at integer not null,
    erase_at integer not null
);

-- +goose Down
drop table account_erasures;
drop table person_keys;
drop table erasures;
