-- Operators may be kept to some brands, and have a second factor. Their sessions can be listed and ended one by one.

-- The brands that an operator works for, as a JSON list of ids; empty for all of them.
alter table operator add column brands text not null default '[]';

-- The secret of the one-time codes (RFC 6238) is derived from a root secret and this number; none where codes are not set up.
alter table operator add column totp_number blob check (length(totp_number) = 16);
alter table operator add column totp_key_id integer;
-- The step of the last code that was taken: none is taken twice.
alter table operator add column totp_step integer not null default 0;

-- Each opens once, in place of a code. Kept as its SHA-256.
create table recovery_code (
    operator_id blob not null references operator (id),
    hash blob not null check (length(hash) = 32),
    primary key (operator_id, hash)
) strict, without rowid;

drop table session;

-- Somebody signed in, or (`stage` is "password") somebody whose password was right and whose second factor is awaited.
create table session (
    hash blob not null primary key,
    id blob not null unique,
    operator_id blob not null references operator (id),
    stage text not null check (stage in ('password', 'whole')),
    -- What the browser said of itself, shortened, and the network that it came from.
    browser text not null,
    network text not null,
    tries integer not null default 0,
    created_at integer not null,
    seen_at integer not null,
    expires_at integer not null
) strict, without rowid;

create index session_operator on session (operator_id);
