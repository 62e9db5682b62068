-- +goose Up
-- A guarded entrance. After many failures a budget makes people wait: until free_at
-- nothing is taken from it.
alter table budgets add column free_at integer not null default 0;

-- When the first account was made by the link that the service printed; it is
-- made so once.
alter table installation add column founded_at integer not null default 0;

-- Who was invited and has not come yet. invited_by is an account, or -1 for the
-- operator; inviter is their address as it was then.
create table invitations (
    id integer primary key,
    email text not null unique,
    role text not null,
    lang text not null,
    token_hash text not null,
    invited_by integer not null,
    inviter text not null,
    created_at integer not null,
    sent_at integer not null,
    expires_at integer not null
);
create index invitations_created on invitations (created_at, id);

-- An account's move to another address, until both mailboxes have said yes, or the
-- old one has kept silent until due_at.
create table email_changes (
    account_id integer primary key references accounts (id) on delete cascade,
    new_email text not null,
    token_hash text not null,
    new_at integer not null default 0,
    old_at integer not null default 0,
    asked_at integer not null,
    due_at integer not null
);
create index email_changes_due on email_changes (due_at);

-- +goose Down
drop table email_changes;
drop table invitations;
alter table installation drop column founded_at;
alter table budgets drop column free_at;
