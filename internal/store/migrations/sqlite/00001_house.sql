-- +goose Up
create table installation (
    id integer primary key check (id = 1),
    instance text not null,
    key_check text not null,
    created_at integer not null
);

create table nodes (
    id integer primary key,
    name text not null unique,
    epoch integer not null,
    alive_until integer not null,
    started_at integer not null
);

create table accounts (
    id integer primary key,
    email text not null unique,
    password_hash text not null,
    first_name text not null,
    last_name text not null,
    phone text not null default '',
    role text not null,
    lang text not null,
    zone text not null,
    search text not null,
    confirmed_at integer not null default 0,
    blocked_at integer not null default 0,
    created_at integer not null
);

-- An ended session stays for a while, so that a request which began before its
-- end cannot bring it back.
create table sessions (
    token_hash text primary key,
    account_id integer references accounts (id) on delete cascade,
    data blob not null,
    expires_at integer not null,
    ended integer not null default 0
);
create index sessions_account on sessions (account_id);
create index sessions_expires on sessions (expires_at);

create table codes (
    account_id integer not null references accounts (id) on delete cascade,
    purpose text not null,
    hash text not null,
    tries_left integer not null,
    expires_at integer not null,
    primary key (account_id, purpose)
);

create table budgets (
    name text primary key,
    used integer not null,
    resets_at integer not null
);

create table relays (
    id integer primary key,
    host text not null,
    port integer not null,
    tls text not null,
    username text not null,
    password_sealed text not null,
    from_name text not null,
    from_email text not null,
    updated_at integer not null
);

create table contacts (
    id integer primary key,
    owner_id integer not null references accounts (id) on delete cascade,
    email text not null,
    first_name text not null,
    last_name text not null,
    comment text not null,
    search text not null,
    created_at integer not null,
    updated_at integer not null,
    unique (owner_id, email)
);
create index contacts_owner on contacts (owner_id, id);
create index contacts_owner_created on contacts (owner_id, created_at, id);

create table suppressions (
    owner_id integer not null references accounts (id) on delete cascade,
    email text not null,
    reason text not null,
    detail text not null,
    created_at integer not null,
    primary key (owner_id, email)
);
create index suppressions_created on suppressions (created_at);

create table imports (
    id integer primary key,
    owner_id integer not null references accounts (id) on delete cascade,
    filename text not null,
    total integer not null,
    added integer not null,
    existing integer not null,
    refused integer not null,
    fault text not null,
    created_at integer not null,
    finished_at integer not null
);
create index imports_owner on imports (owner_id, created_at);

create table import_refusals (
    import_id integer not null references imports (id) on delete cascade,
    line integer not null,
    value text not null,
    code text not null,
    params text not null,
    primary key (import_id, line)
);

create table messages (
    id integer primary key,
    owner_id integer not null references accounts (id) on delete cascade,
    subject text not null,
    format text not null,
    body text not null,
    search text not null,
    created_at integer not null,
    updated_at integer not null
);
create index messages_owner_created on messages (owner_id, created_at, id);

create table versions (
    id integer primary key,
    hash text not null unique,
    subject text not null,
    format text not null,
    body text not null,
    created_at integer not null
);

create table mailings (
    id integer primary key,
    owner_id integer not null references accounts (id) on delete cascade,
    message_id integer not null references messages (id),
    audience text not null,
    rule text not null,
    doubt text not null,
    from_name text not null,
    reply_to text not null,
    status text not null,
    next_at integer not null default 0,
    last_at integer not null default 0,
    stop_by integer not null default 0,
    stop_why text not null default '',
    stopped_at integer not null default 0,
    created_at integer not null,
    updated_at integer not null
);
create index mailings_owner_created on mailings (owner_id, created_at, id);
create index mailings_message on mailings (message_id);
create index mailings_due on mailings (next_at) where next_at > 0;

create table mailing_contacts (
    mailing_id integer not null references mailings (id) on delete cascade,
    contact_id integer not null references contacts (id) on delete cascade,
    primary key (mailing_id, contact_id)
);
create index mailing_contacts_contact on mailing_contacts (contact_id);

-- A run outlives its mailing: the log keeps what was sent.
create table runs (
    id integer primary key,
    mailing_id integer,
    owner_id integer not null references accounts (id) on delete cascade,
    kind text not null,
    scheduled_for integer not null,
    state text not null,
    version_id integer not null references versions (id),
    audience_kind text not null,
    from_name text not null,
    reply_to text not null,
    lang text not null,
    priority integer not null,
    doubt text not null,
    unsubscribe integer not null,
    audience integer not null default 0,
    sent integer not null default 0,
    failed integer not null default 0,
    skipped integer not null default 0,
    in_doubt integer not null default 0,
    filled_to integer not null default 0,
    halt text not null default '',
    created_at integer not null,
    finished_at integer not null default 0,
    unique (mailing_id, scheduled_for)
);
create index runs_owner_created on runs (owner_id, created_at);
create index runs_open on runs (priority) where state = 'opening' or state = 'sending';

create table deliveries (
    id integer primary key autoincrement,
    run_id integer not null references runs (id) on delete cascade,
    contact_id integer,
    email text not null,
    state integer not null,
    reason text not null,
    tries integer not null default 0,
    due_at integer not null,
    lease_node integer not null default 0,
    lease_epoch integer not null default 0,
    vars text not null default '',
    created_at integer not null,
    settled_at integer not null default 0,
    unique (run_id, contact_id)
);
create index deliveries_due on deliveries (run_id, due_at, id) where state < 2;
create index deliveries_leased on deliveries (lease_node) where state = 2 or state = 6;
create index deliveries_contact on deliveries (contact_id);

create table attempts (
    id integer primary key autoincrement,
    delivery_id integer not null,
    run_id integer not null references runs (id) on delete cascade,
    mailing_id integer not null,
    owner_id integer not null,
    email text not null,
    at integer not null,
    duration_us integer not null,
    node text not null,
    host text not null,
    tls text not null,
    stage text not null,
    result text not null,
    code integer not null,
    enhanced text not null,
    reply text not null
);
create index attempts_owner on attempts (owner_id, id);
create index attempts_mailing on attempts (mailing_id, id);
create index attempts_run on attempts (run_id, id);
create index attempts_delivery on attempts (delivery_id);

create table demo_mails (
    id integer primary key autoincrement,
    sender text not null,
    recipient text not null,
    subject text not null,
    data blob not null,
    search text not null,
    at integer not null
);

-- +goose Down
drop table demo_mails;
drop table attempts;
drop table deliveries;
drop table runs;
drop table mailing_contacts;
drop table mailings;
drop table versions;
drop table messages;
drop table import_refusals;
drop table imports;
drop table suppressions;
drop table contacts;
drop table relays;
drop table budgets;
drop table codes;
drop table sessions;
drop table accounts;
drop table nodes;
drop table installation;
