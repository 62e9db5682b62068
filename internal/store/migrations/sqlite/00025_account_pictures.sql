-- +goose Up
-- The pictures that people put into their messages. Mails that went out show them whatever
-- becomes of the message, so they stay as long as the account.
create table account_pictures (
    account_id integer not null references accounts (id) on delete cascade,
    hash text not null,
    primary key (account_id, hash)
);
create index account_pictures_hash on account_pictures (hash);

-- +goose Down
drop table account_pictures;
