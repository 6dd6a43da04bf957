-- Programs: the keys that they bring, the answers that a repeated request gets again, and the webhooks that tell them.

create table api_key (
    id uuid not null primary key,
    name text collate "C" not null unique,
    -- SHA-256 of the key; the key itself is nowhere.
    hash bytea not null unique check (length(hash) = 32),
    -- Separated by spaces.
    scopes text collate "C" not null,
    -- None: every brand.
    brand_id uuid references brand (id),
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    -- The last day on which it was used, counted since 1970.
    used_day bigint
);

-- Requests with an Idempotency-Key, by its SHA-256. While one is under way, `running_until` says how long others wait for it;
-- once it was answered, status and body are what a repetition gets.
create table api_answer (
    key_id uuid not null,
    hash bytea not null check (length(hash) = 32),
    request_hash bytea not null check (length(request_hash) = 32),
    running_until bigint,
    status bigint,
    body text collate "C",
    -- SHA-256 of the body, looked at before it is given again.
    body_hash bytea check (length(body_hash) = 32),
    expires_at bigint not null,
    primary key (key_id, hash)
);

create index api_answer_expires on api_answer (expires_at);

-- Where events are told. Everything up to `position` is delivered or stands in `webhook_message`. The secret is made from the
-- root secret of `key_id` and `generation`; after a rotation the one before signs beside it for a while.
create table webhook (
    id uuid not null primary key,
    -- None: every brand.
    brand_id uuid references brand (id),
    url text collate "C" not null,
    -- Separated by spaces; empty: all.
    types text collate "C" not null,
    about text collate "C" not null,
    state text collate "C" not null check (state in ('active', 'paused')),
    -- Why it was paused.
    why text collate "C",
    position bigint not null,
    key_id bigint not null,
    generation bigint not null,
    old_key_id bigint,
    old_generation bigint,
    old_until bigint,
    -- Tries that failed since the last that did not, and since when.
    failures bigint not null,
    failing_since bigint,
    next_try_at bigint not null,
    created_at bigint not null
);

-- What is told to whom: the event at this position. Waiting ones are sent in the order of their positions, per contact; the
-- others are the log of deliveries, kept for a while.
create table webhook_message (
    webhook_id uuid not null references webhook (id),
    position bigint not null,
    brand_id uuid not null,
    contact_id uuid not null,
    type text collate "C" not null,
    state text collate "C" not null check (state in ('waiting', 'delivered', 'failed', 'dropped')),
    due_at bigint not null,
    tries bigint not null,
    first_try_at bigint,
    last_try_at bigint,
    -- The HTTP status of the last answer, and its first words or what went wrong instead.
    status bigint,
    reply text collate "C",
    primary key (webhook_id, position)
);

create index webhook_message_waiting on webhook_message (webhook_id, contact_id, position) where state = 'waiting';

create index webhook_message_contact on webhook_message (brand_id, contact_id);
