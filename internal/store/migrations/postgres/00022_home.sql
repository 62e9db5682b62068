-- +goose Up
-- The home page asks for the runs of the last days, whoever's they are, and for those in
-- which something waits for a person's word.
create index runs_created on runs (created_at);
create index runs_doubt on runs (owner_id, created_at) where in_doubt > 0;

-- +goose Down
drop index runs_doubt;
drop index runs_created;
