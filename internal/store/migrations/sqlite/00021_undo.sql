-- +goose Up
-- Until goes_at nothing of a run is leased, and it may be taken back; 0: it goes at once.
alter table runs add column goes_at integer not null default 0;

-- Whose failed deliveries a run sends again, and with which run that began; both empty for
-- most. One run is opened for each, however often somebody clicks: those that never went or
-- were cancelled do not count.
alter table runs add column again_of integer;
alter table runs add column again_root integer;
create index runs_again_root on runs (again_root) where again_root is not null;
create unique index runs_again_of on runs (again_of)
    where again_of is not null and state <> 'taken_back' and state <> 'cancelled';
create index runs_taken_back on runs (id) where state = 'taken_back' and filled_to > 0;
create index deliveries_unsent on deliveries (run_id, contact_id) where state = 4 or state = 6;

-- What was deleted and may be brought back for a while: each row as it was, and what led
-- to it. What was deleted at once has one batch.
create table trash (
    batch integer not null,
    kind text not null,
    thing_id integer not null,
    owner_id integer not null references accounts (id) on delete cascade,
    email text not null,
    content text not null,
    deleted_at integer not null,
    primary key (batch, kind, thing_id)
);
create index trash_owner on trash (owner_id, email);
create index trash_deleted on trash (deleted_at);

-- +goose Down
drop table trash;
drop index deliveries_unsent;
drop index runs_taken_back;
drop index runs_again_of;
drop index runs_again_root;
alter table runs drop column again_root;
alter table runs drop column again_of;
alter table runs drop column goes_at;
