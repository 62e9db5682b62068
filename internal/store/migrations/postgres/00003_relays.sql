-- +goose Up
-- A relay is one of several ways out: an SMTP server, or sending directly (mx).
alter table relays add column kind text not null default 'smtp';
alter table relays add column name text not null default '';
alter table relays add column helo_name text not null default '';
alter table relays add column weight bigint not null default 10;
alter table relays add column connections bigint not null default 0;
alter table relays add column messages bigint not null default 0;
alter table relays add column per_second bigint not null default 0;
alter table relays add column per_hour bigint not null default 0;
alter table relays add column per_day bigint not null default 0;
alter table relays add column enabled bigint not null default 1;
alter table relays add column trouble text not null default '';
alter table relays add column trouble_at bigint not null default 0;
alter table relays add column created_at bigint not null default 0;
update relays set name = host, created_at = updated_at;
create unique index relays_name on relays (name);

-- +goose Down
delete from relays where id <> (select min(id) from relays where kind = 'smtp');
update relays set id = 1;
drop index relays_name;
alter table relays drop column created_at;
alter table relays drop column trouble_at;
alter table relays drop column trouble;
alter table relays drop column enabled;
alter table relays drop column per_day;
alter table relays drop column per_hour;
alter table relays drop column per_second;
alter table relays drop column messages;
alter table relays drop column connections;
alter table relays drop column weight;
alter table relays drop column helo_name;
alter table relays drop column name;
alter table relays drop column kind;
