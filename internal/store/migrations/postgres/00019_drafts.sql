-- +goose Up
-- What is typed of a mailing and not applied: a new one, whose id it has already, or
-- changes. writer is the page that wrote it last.
create table mailing_drafts (
    mailing_id bigint primary key,
    owner_id bigint not null references accounts (id) on delete cascade,
    form text not null,
    writer text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index mailing_drafts_owner on mailing_drafts (owner_id, updated_at, mailing_id);

-- Who lacks what messages call people by is counted while a mailing is typed.
create index contacts_no_first_name on contacts (owner_id) where first_name = '';
create index contacts_no_last_name on contacts (owner_id) where last_name = '';

-- +goose Down
drop index contacts_no_last_name;
drop index contacts_no_first_name;
drop table mailing_drafts;
