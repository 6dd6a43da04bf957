-- Programs: the keys that they bring, the answers that a repeated request gets again, and the webhooks that tell them.

create table api_key (
    id blob not null primary key,
    name text not null unique,
    -- SHA-256 of the key; the key itself is nowhere.
    hash blob not null unique check (length(hash) = 32),
    -- Separated by spaces.
    scopes text not null,
    -- None: every brand.
    brand_id blob references brand (id),
    created_at integer not null,
    expires_at integer,
    revoked_at integer,
    -- The last day on which it was used, counted since 1970.
    used_day integer
) strict;

-- Requests with an Idempotency-Key, by its SHA-256. While one is under way, `running_until` says how long others wait for it;
-- once it was answered, status and body are what a repetition gets.
create table api_answer (
    key_id blob not null,
    hash blob not null check (length(hash) = 32),
    request_hash blob not null check (length(request_hash) = 32),
    running_until integer,
    status integer,
    body text,
    -- SHA-256 of the body, looked at before it is given again.
    body_hash blob check (length(body_hash) = 32),
    expires_at integer not null,
    primary key (key_id, hash)
) strict, without rowid;

create index api_answer_expires on api_answer (expires_at);

-- Where events are told. Everything up to `position` is delivered or stands in `webhook_message`. The secret is made from the
-- root secret of `key_id` and `generation`; after a rotation the one before signs beside it for a while.
create table webhook (
    id blob not null primary key,
    -- None: every brand.
    brand_id blob references brand (id),
    url text not null,
    -- Separated by spaces; empty: all.
    types text not null,
    about text not null,
    state text not null check (state in ('active', 'paused')),
    -- Why it was paused.
    why text,
    position integer not null,
    key_id integer not null,
    generation integer not null,
    old_key_id integer,
    old_generation integer,
    old_until integer,
    -- Tries that failed since the last that did not, and since when.
    failures integer not null,
    failing_since integer,
    next_try_at integer not null,
    created_at integer not null
) strict;

-- What is told to whom: the event at this position. Waiting ones are sent in the order of their positions, per contact; the
-- others are the log of deliveries, kept for a while.
create table webhook_message (
    webhook_id blob not null references webhook (id),
    position integer not null,
    brand_id blob not null,
    contact_id blob not null,
    type text not null,
    state text not null check (state in ('waiting', 'delivered', 'failed', 'dropped')),
    due_at integer not null,
    tries integer not null,
    first_try_at integer,
    last_try_at integer,
    -- The HTTP status of the last answer, and its first words or what went wrong instead.
    status integer,
    reply text,
    primary key (webhook_id, position)
) strict, without rowid;

create index webhook_message_waiting on webhook_message (webhook_id, contact_id, position) where state = 'waiting';

create index webhook_message_contact on webhook_message (brand_id, contact_id);
