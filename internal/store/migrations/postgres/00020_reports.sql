-- +goose Up
-- What the report of a run shows, so that no page goes through a million rows. It outlives
-- the deliveries, which are kept only for so long.
create table reports (
    run_id bigint primary key references runs (id) on delete cascade,
    body text not null,
    made_at bigint not null
);
-- What keeps a node from sending as fast as it could, by its own word.
create table hindrances (
    node text not null,
    road_id bigint not null,
    site text not null,
    kind text not null,
    name text not null,
    why text not null,
    since bigint not null,
    until bigint not null,
    primary key (node, road_id, site, kind)
);
-- Of a run, those that something came in between. What is taken at the first try is never
-- in it, so that it costs sending nothing.
create index deliveries_apart on deliveries (run_id, state, id) where state = 1 or state = 4 or state = 5 or state = 6;

-- +goose Down
drop index deliveries_apart;
drop table hindrances;
drop table reports;
