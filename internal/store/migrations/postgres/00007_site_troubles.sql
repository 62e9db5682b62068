-- +goose Up
-- A site (a provider of mailboxes) whose policy refuses what a node sends it directly
-- by a relay. Gone when the site takes mail again.
create table site_troubles (
    relay_id bigint not null,
    node text not null,
    site text not null,
    name text not null,
    why text not null,
    since bigint not null,
    until bigint not null,
    primary key (relay_id, node, site)
);

-- +goose Down
drop table site_troubles;
