-- +goose Up
alter table installation add column home text not null default '';
alter table installation add column seen_at integer not null default 0;
alter table installation add column held_at integer not null default 0;
alter table installation add column held_why text not null default '';
alter table installation add column held_from integer not null default 0;

-- +goose Down
alter table installation drop column held_from;
alter table installation drop column held_why;
alter table installation drop column held_at;
alter table installation drop column seen_at;
alter table installation drop column home;
