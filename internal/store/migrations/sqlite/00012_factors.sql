-- +goose Up
-- The second factors of people: an app that makes codes, recovery codes and passkeys.
create table totp (
    account_id integer primary key references accounts (id) on delete cascade,
    secret_sealed text not null,
    used_step integer not null, -- the last time step of which a code was taken
    created_at integer not null
);
create table recovery_codes (
    account_id integer not null references accounts (id) on delete cascade,
    hash text not null,
    primary key (account_id, hash)
);
create table passkeys (
    id integer primary key,
    account_id integer not null references accounts (id) on delete cascade,
    credential_id text not null unique,
    name text not null,
    record_sealed text not null,
    created_at integer not null,
    used_at integer not null default 0
);
create index passkeys_account on passkeys (account_id, created_at);

-- Where a person is signed in. Sessions in which nobody is have not been seen.
alter table sessions add column id integer not null default 0;
alter table sessions add column address text not null default '';
alter table sessions add column agent text not null default '';
alter table sessions add column first_seen integer not null default 0;
alter table sessions add column last_seen integer not null default 0;

-- +goose Down
alter table sessions drop column last_seen;
alter table sessions drop column first_seen;
alter table sessions drop column agent;
alter table sessions drop column address;
alter table sessions drop column id;
drop table passkeys;
drop table recovery_codes;
drop table totp;
