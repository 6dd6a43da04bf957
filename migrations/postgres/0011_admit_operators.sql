-- Operators may be kept to some brands, and have a second factor. Their sessions can be listed and ended one by one.

-- The brands that an operator works for, as a JSON list of ids; empty for all of them.
alter table operator add column brands text collate "C" not null default '[]';

-- The secret of the one-time codes (RFC 6238) is derived from a root secret and this number; none where codes are not set up.
alter table operator add column totp_number bytea check (length(totp_number) = 16);
alter table operator add column totp_key_id bigint;
-- The step of the last code that was taken: none is taken twice.
alter table operator add column totp_step bigint not null default 0;

-- Each opens once, in place of a code. Kept as its SHA-256.
create table recovery_code (
    operator_id uuid not null references operator (id),
    hash bytea not null check (length(hash) = 32),
    primary key (operator_id, hash)
);

drop table session;

-- Somebody signed in, or (`stage` is "password") somebody whose password was right and whose second factor is awaited.
create table session (
    hash bytea not null primary key,
    id uuid not null unique,
    operator_id uuid not null references operator (id),
    stage text collate "C" not null check (stage in ('password', 'whole')),
    -- What the browser said of itself, shortened, and the network that it came from.
    browser text collate "C" not null,
    network text collate "C" not null,
    tries bigint not null default 0,
    created_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null
);

create index session_operator on session (operator_id);
