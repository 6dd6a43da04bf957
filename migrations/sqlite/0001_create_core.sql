-- Brands, forms, contacts, their events and standings, confirmation requests, the outbox, budgets.
-- Every key begins with the brand. Times are microseconds since 1970, ids are UUID v7, states are text.

create table setting (
    key text not null primary key,
    value text not null
) strict, without rowid;

create table brand (
    id blob not null primary key,
    number integer not null unique check (number between 1 and 65535),
    slug text not null unique,
    declared text not null,
    declared_at integer not null
) strict;

create table form (
    id blob not null primary key,
    brand_id blob not null references brand (id),
    slug text not null unique,
    declared text not null,
    current_version text not null,
    retired_at integer
) strict;

-- `shown` is the page that shows what a person reads; `hash` is its SHA-256. A later program may draw it differently, so it
-- is kept as it was.
create table form_version (
    form_id blob not null references form (id),
    hash text not null check (length(hash) = 64),
    content text not null,
    shown text not null,
    created_at integer not null,
    primary key (form_id, hash)
) strict, without rowid;

create table contact (
    brand_id blob not null,
    id blob not null,
    address text not null,
    address_key text not null,
    mailbox blob not null check (length(mailbox) = 16),
    language text not null,
    name text,
    open_request_id blob,
    -- Where the contact stands for each purpose: the fold of its events, as JSON.
    standings text not null,
    created_at integer not null,
    primary key (brand_id, id)
) strict, without rowid;

create unique index contact_address on contact (brand_id, address_key);

create table request (
    brand_id blob not null,
    id blob not null,
    contact_id blob not null,
    form_id blob not null,
    form_version text not null,
    purposes text not null,
    language text not null,
    page_host text,
    key_id integer not null,
    state text not null check (state in ('open', 'confirmed', 'declined', 'replaced', 'abandoned')),
    mailed integer not null check (mailed in (0, 1)),
    last_mail_at integer not null,
    follows_id blob,
    code_tries integer not null,
    openings integer not null,
    issued_at integer not null,
    expires_at integer not null,
    ended_at integer,
    primary key (brand_id, id)
) strict, without rowid;

-- What happened. `body` is canonical JSON (RFC 8785), `salt` hides its commitment in the log, `circumstances` is what `body`
-- names by its hash, `mail` the mail as it was sent, compressed. These four may be emptied, never changed.
create table event (
    position integer not null primary key autoincrement,
    brand_id blob not null,
    contact_id blob not null,
    kind text not null,
    at integer not null,
    body text,
    salt blob check (length(salt) = 32),
    circumstances text,
    mail blob
) strict;

create index event_contact on event (brand_id, contact_id, position);

create trigger event_never_changes before update on event
when new.position is not old.position or new.brand_id is not old.brand_id or new.contact_id is not old.contact_id
    or new.kind is not old.kind or new.at is not old.at
    or (new.body is not null and new.body is not old.body)
    or (new.salt is not null and new.salt is not old.salt)
    or (new.circumstances is not null and new.circumstances is not old.circumstances)
    or (new.mail is not null and new.mail is not old.mail)
begin
    select raise(abort, 'events never change');
end;

create trigger event_is_never_deleted before delete on event
begin
    select raise(abort, 'events are never deleted');
end;

create trigger form_version_never_changes before update on form_version
begin
    select raise(abort, 'form versions never change');
end;

create trigger form_version_is_never_deleted before delete on form_version
begin
    select raise(abort, 'form versions are never deleted');
end;

-- What a mailbox was sent in the last day, and whether it may be sent anything. The mailbox is a keyed hash.
create table mailbox (
    brand_id blob not null,
    hash blob not null check (length(hash) = 16),
    recent text not null,
    recent_until integer not null,
    suppressed_at integer,
    suppressed_for text,
    primary key (brand_id, hash)
) strict, without rowid;

-- Rates by the generic cell rate algorithm: the theoretical arrival time of each key.
create table rate (
    key text not null primary key,
    arrival integer not null,
    changed_at integer not null
) strict, without rowid;

-- How many confirmation mails servers took in a minute, and how many confirmations came in it: what the breaker compares.
-- Batches that run side by side add to different parts, so that none waits for another's commit.
create table mail_tally (
    minute integer not null,
    part integer not null,
    mailed integer not null,
    confirmed integer not null,
    primary key (minute, part)
) strict, without rowid;

-- When confirmation mails were held because suddenly few were confirmed: the window's figures beside the usual ones. One at
-- most is open.
create table breaker_trip (
    tripped_at integer not null primary key,
    since integer not null,
    mailed integer not null,
    confirmed integer not null,
    usual_mailed integer not null,
    usual_confirmed integer not null,
    open integer unique check (open = 1),
    closed_at integer,
    closed_for text check (closed_for in ('recovered', 'quiet', 'operator', 'off'))
) strict;

create table opening (
    brand_id blob not null,
    request_id blob not null,
    id blob not null,
    link text not null,
    network text not null,
    at integer not null,
    primary key (brand_id, request_id, id)
) strict, without rowid;

create index opening_network on opening (network, at);

create table spent_challenge (
    hash blob not null primary key,
    expires_at integer not null
) strict, without rowid;

-- What waits to leave, in the order in which it is due. A mail that failed for good is due never: at the end of time.
create table outbox (
    due_at integer not null,
    id blob not null,
    brand_id blob not null,
    contact_id blob not null,
    request_id blob not null,
    template text not null,
    recipient_domain text not null,
    state text not null check (state in ('due', 'failed')),
    leased_until integer,
    tries integer not null,
    first_try_at integer,
    message_id text,
    last_reply text,
    ambiguous integer not null check (ambiguous in (0, 1)),
    primary key (due_at, id)
) strict, without rowid;

-- Mails of one kind differ in a few places; they are compressed against a common text (zstd, a raw dictionary). Nothing in
-- it is about a person.
create table mail_dictionary (
    id integer not null primary key,
    bytes blob not null
) strict, without rowid;

create table operator (
    id blob not null primary key,
    name text not null unique,
    password_hash text not null,
    role text not null check (role in ('owner', 'editor', 'viewer', 'auditor')),
    created_at integer not null,
    disabled_at integer
) strict;

create table session (
    hash blob not null primary key,
    operator_id blob not null references operator (id),
    created_at integer not null,
    seen_at integer not null,
    expires_at integer not null
) strict, without rowid;
