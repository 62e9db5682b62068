-- +goose Up
-- A site (a provider of mailboxes) whose policy refuses what a node sends it directly
-- by a relay. Gone when the site takes mail again.
create table site_troubles (
    relay_id integer not null,
    node text not null,
    site text not null,
    name text not null,
    why text not null,
    since integer not null,
    until integer not null,
    primary key (relay_id, node, site)
);

-- +goose Down
drop table site_troubles;
