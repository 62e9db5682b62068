-- +goose Up
-- Since when an account is being erased, which nobody takes back any more; 0: it is not.
alter table account_erasures add column begun_at integer not null default 0;

-- +goose Down
alter table account_erasures drop column begun_at;
