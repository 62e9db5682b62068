-- +goose Up
-- Whom an owner must never mail again though nothing else is known of them any more: a
-- keyed hash of the address, by a key that a rotation of the secret does not change.
create table erasures (
    owner_id bigint not null references accounts (id) on delete cascade,
    pseudonym text not null,
    created_at bigint not null,
    primary key (owner_id, pseudonym)
);
create table person_keys (
    id bigint primary key check (id = 1),
    key_sealed text not null
);
-- Accounts that are to be erased, and when.
create table account_erasures (
    account_id bigint primary key references accounts (id) on delete cascade,
    asked_at bigint not null,
    erase_at bigint not null
);

-- +goose Down
drop table account_erasures;
drop table person_keys;
drop table erasures;
