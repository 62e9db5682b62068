-- +goose Up
-- What the home page tells first is found however many mailings and runs there are: what is
-- paused or disabled, what comes next, and what is under way.
create index mailings_stopped on mailings (owner_id, created_at, id) where status in ('paused', 'disabled');
create index mailings_coming on mailings (owner_id, next_at, id) where next_at > 0 and status in ('created', 'running');
create index runs_under_way on runs (owner_id, created_at) where state = 'opening' or state = 'sending';

-- +goose Down
drop index runs_under_way;
drop index mailings_coming;
drop index mailings_stopped;
