-- Brands, forms, contacts, their events and standings, confirmation requests, the outbox, budgets.
-- Every key begins with the brand. Times are microseconds since 1970, ids are UUID v7, states are text.

create table setting (
    key text collate "C" not null primary key,
    value text collate "C" not null
);

create table brand (
    id uuid not null primary key,
    number bigint not null unique check (number between 1 and 65535),
    slug text collate "C" not null unique,
    declared text collate "C" not null,
    declared_at bigint not null
);

create table form (
    id uuid not null primary key,
    brand_id uuid not null references brand (id),
    slug text collate "C" not null unique,
    declared text collate "C" not null,
    current_version text collate "C" not null,
    retired_at bigint
);

-- `shown` is the page that shows what a person reads; `hash` is its SHA-256. A later program may draw it differently, so it
-- is kept as it was.
create table form_version (
    form_id uuid not null references form (id),
    hash text collate "C" not null check (length(hash) = 64),
    content text collate "C" not null,
    shown text collate "C" not null,
    created_at bigint not null,
    primary key (form_id, hash)
);

create table contact (
    brand_id uuid not null,
    id uuid not null,
    address text collate "C" not null,
    address_key text collate "C" not null,
    mailbox bytea not null check (length(mailbox) = 16),
    language text collate "C" not null,
    name text collate "C",
    open_request_id uuid,
    -- Where the contact stands for each purpose: the fold of its events, as JSON.
    standings text collate "C" not null,
    created_at bigint not null,
    primary key (brand_id, id)
);

create unique index contact_address on contact (brand_id, address_key);

create table request (
    brand_id uuid not null,
    id uuid not null,
    contact_id uuid not null,
    form_id uuid not null,
    form_version text collate "C" not null,
    purposes text collate "C" not null,
    language text collate "C" not null,
    page_host text collate "C",
    key_id bigint not null,
    state text collate "C" not null check (state in ('open', 'confirmed', 'declined', 'replaced', 'abandoned')),
    mailed bigint not null check (mailed in (0, 1)),
    last_mail_at bigint not null,
    follows_id uuid,
    code_tries bigint not null,
    openings bigint not null,
    issued_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    primary key (brand_id, id)
);

-- What happened. `body` is canonical JSON (RFC 8785), `salt` hides its commitment in the log, `circumstances` is what `body`
-- names by its hash, `mail` the mail as it was sent, compressed. These four may be emptied, never changed.
create table event (
    position bigint generated always as identity primary key,
    brand_id uuid not null,
    contact_id uuid not null,
    kind text collate "C" not null,
    at bigint not null,
    body text collate "C",
    salt bytea check (length(salt) = 32),
    circumstances text collate "C",
    mail bytea
);

create index event_contact on event (brand_id, contact_id, position);

create function event_never_changes() returns trigger language plpgsql as $$
begin
    raise exception 'events never change';
end $$;

create trigger event_never_changes before update on event
for each row when (
    (new.position, new.brand_id, new.contact_id, new.kind, new.at)
        is distinct from (old.position, old.brand_id, old.contact_id, old.kind, old.at)
    or (new.body is not null and new.body is distinct from old.body)
    or (new.salt is not null and new.salt is distinct from old.salt)
    or (new.circumstances is not null and new.circumstances is distinct from old.circumstances)
    or (new.mail is not null and new.mail is distinct from old.mail)
)
execute function event_never_changes();

create function event_is_never_deleted() returns trigger language plpgsql as $$
begin
    raise exception 'events are never deleted';
end $$;

create trigger event_is_never_deleted before delete on event
for each row execute function event_is_never_deleted();

create function form_version_never_changes() returns trigger language plpgsql as $$
begin
    raise exception 'form versions never change';
end $$;

create trigger form_version_never_changes before update on form_version
for each row execute function form_version_never_changes();

create function form_version_is_never_deleted() returns trigger language plpgsql as $$
begin
    raise exception 'form versions are never deleted';
end $$;

create trigger form_version_is_never_deleted before delete on form_version
for each row execute function form_version_is_never_deleted();

-- What a mailbox was sent in the last day, and whether it may be sent anything. The mailbox is a keyed hash.
create table mailbox (
    brand_id uuid not null,
    hash bytea not null check (length(hash) = 16),
    recent text collate "C" not null,
    recent_until bigint not null,
    suppressed_at bigint,
    suppressed_for text collate "C",
    primary key (brand_id, hash)
);

-- Rates by the generic cell rate algorithm: the theoretical arrival time of each key.
create table rate (
    key text collate "C" not null primary key,
    arrival bigint not null,
    changed_at bigint not null
);

-- How many confirmation mails servers took in a minute, and how many confirmations came in it: what the breaker compares.
-- Batches that run side by side add to different parts, so that none waits for another's commit.
create table mail_tally (
    minute bigint not null,
    part bigint not null,
    mailed bigint not null,
    confirmed bigint not null,
    primary key (minute, part)
);

-- When confirmation mails were held because suddenly few were confirmed: the window's figures beside the usual ones. One at
-- most is open.
create table breaker_trip (
    tripped_at bigint not null primary key,
    since bigint not null,
    mailed bigint not null,
    confirmed bigint not null,
    usual_mailed bigint not null,
    usual_confirmed bigint not null,
    open bigint unique check (open = 1),
    closed_at bigint,
    closed_for text collate "C" check (closed_for in ('recovered', 'quiet', 'operator', 'off'))
);

create table opening (
    brand_id uuid not null,
    request_id uuid not null,
    id uuid not null,
    link text collate "C" not null,
    network text collate "C" not null,
    at bigint not null,
    primary key (brand_id, request_id, id)
);

create index opening_network on opening (network, at);

create table spent_challenge (
    hash bytea not null primary key,
    expires_at bigint not null
);

-- What waits to leave, in the order in which it is due. A mail that failed for good is due never: at the end of time.
create table outbox (
    due_at bigint not null,
    id uuid not null,
    brand_id uuid not null,
    contact_id uuid not null,
    request_id uuid not null,
    template text collate "C" not null,
    recipient_domain text collate "C" not null,
    state text collate "C" not null check (state in ('due', 'failed')),
    leased_until bigint,
    tries bigint not null,
    first_try_at bigint,
    message_id text collate "C",
    last_reply text collate "C",
    ambiguous bigint not null check (ambiguous in (0, 1)),
    primary key (id)
);

-- By the time alone: with the id behind it the planner, who takes the table for empty, would look for ids in it.
create index outbox_due on outbox (due_at);

-- Mails of one kind differ in a few places; they are compressed against a common text (zstd, a raw dictionary). Nothing in
-- it is about a person.
create table mail_dictionary (
    id bigint not null primary key,
    bytes bytea not null
);

create table operator (
    id uuid not null primary key,
    name text collate "C" not null unique,
    password_hash text collate "C" not null,
    role text collate "C" not null check (role in ('owner', 'editor', 'viewer', 'auditor')),
    created_at bigint not null,
    disabled_at bigint
);

create table session (
    hash bytea not null primary key,
    operator_id uuid not null references operator (id),
    created_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null
);
