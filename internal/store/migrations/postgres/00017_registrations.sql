-- +goose Up
-- What an address was registered with. Each waits for the code that was mailed for it;
-- browser tells from where it was sent.
create table registrations (
    account_id bigint not null references accounts (id) on delete cascade,
    browser text not null,
    password_hash text not null,
    first_name text not null,
    last_name text not null,
    lang text not null,
    zone text not null,
    created_at bigint not null,
    primary key (account_id, browser)
);
create index registrations_created on registrations (created_at);

-- +goose Down
drop table registrations;
