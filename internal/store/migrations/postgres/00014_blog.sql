-- +goose Up
-- Pictures by the hash of what they show. The small size stands before the large one,
-- so that it is read without it. Those that nothing refers to are deleted after a while.
create table pictures (
    hash text primary key,
    type text not null,
    width bigint not null,
    height bigint not null,
    small bytea not null,
    large bytea not null,
    used_at bigint not null
);
create index pictures_used on pictures (used_at);

alter table accounts add column avatar text not null default '';
alter table accounts add column theme text not null default '';
create index accounts_avatar on accounts (avatar);

create table posts (
    id bigint primary key,
    slug text not null unique,
    title text not null,
    lead text not null,
    cover text not null,
    author_id bigint references accounts (id) on delete set null,
    published_at bigint not null,
    views bigint not null default 0,
    search text not null,
    created_at bigint not null,
    updated_at bigint not null,
    body text not null
);
create index posts_published on posts (published_at, id);
create index posts_author on posts (author_id);

-- The pictures that posts show, by which those are known that no post does.
create table post_pictures (
    post_id bigint not null references posts (id) on delete cascade,
    hash text not null,
    primary key (post_id, hash)
);
create index post_pictures_hash on post_pictures (hash);

-- Who has read a post today: a hash under the day's key. Key and hashes are deleted
-- when the day is over.
create table visit_days (
    day bigint primary key,
    secret bytea not null
);
create table visits (
    day bigint not null,
    post_id bigint not null,
    visitor bytea not null,
    primary key (day, post_id, visitor)
);

-- +goose Down
drop table visits;
drop table visit_days;
drop table post_pictures;
drop table posts;
drop index accounts_avatar;
alter table accounts drop column theme;
alter table accounts drop column avatar;
drop table pictures;
