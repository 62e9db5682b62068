-- +goose Up
-- How often all sessions of an account were ended. A session belongs to the era in which
-- it began, so that one that is stored only afterwards is of no use.
alter table accounts add column era bigint not null default 0;

-- +goose Down
alter table accounts drop column era;
