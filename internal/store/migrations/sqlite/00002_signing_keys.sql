-- +goose Up
create table signing_keys (
    domain text not null,
    selector text not null,
    algorithm text not null,
    public_key text not null,
    private_sealed text not null,
    in_use integer not null,
    created_at integer not null,
    primary key (domain, selector)
);

-- +goose Down
drop table signing_keys;
