-- +goose Up
-- In words of this database:
-- PostgreSQL only: SQLite finds the run in its cache, and has no locks on rows.
select 1;
-- In words of both:

-- +goose Down
-- In words of this database:
select 1;
