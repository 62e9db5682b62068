-- +goose Up
-- Why and by whom somebody was blocked, when they last signed in, and how many mails
-- a day their mailings may send; 0 is no limit.
alter table accounts add column blocked_by integer not null default 0;
alter table accounts add column blocked_why text not null default '';
alter table accounts add column signed_in_at integer not null default 0;
alter table accounts add column per_day integer not null default 0;

-- How many mails of an owner who has a limit had their turn in each minute. The row
-- of minute 0 is the owner's lock.
create table quota_usage (
    owner_id integer not null references accounts (id) on delete cascade,
    minute integer not null,
    mails integer not null,
    primary key (owner_id, minute)
);

-- What admins have set otherwise than it is by default, while the service runs.
create table settings (
    name text primary key,
    value text not null
);

-- The services that work on the database: one row for each process that runs, which
-- it renews. One that was killed leaves its row behind for a while.
create table services (
    id text primary key,
    host text not null,
    roles text not null,
    version text not null,
    started_at integer not null,
    alive_until integer not null
);

-- +goose Down
drop table services;
drop table settings;
drop table quota_usage;
alter table accounts drop column per_day;
alter table accounts drop column signed_in_at;
alter table accounts drop column blocked_why;
alter table accounts drop column blocked_by;
