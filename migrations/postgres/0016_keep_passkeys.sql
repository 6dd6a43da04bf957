-- Operators' passkeys (WebAuthn), and the challenges that their authenticators are to sign.

create table passkey (
    credential_id bytea not null primary key check (length(credential_id) between 16 and 1023),
    operator_id uuid not null references operator (id),
    -- What pages call it by.
    id uuid not null unique,
    -- What the operator calls it.
    name text collate "C" not null,
    -- How the authenticator is reached, a bit for each way.
    transports bigint not null,
    -- The public key, and what a sign-in changes (the signature counter among it), both as the library writes them.
    fixed bytea not null,
    moving bytea not null,
    created_at bigint not null,
    used_at bigint
);

create index passkey_operator on passkey (operator_id);

-- What the browser's authenticator is to sign, as the library writes it, and until when. Taken away with the first answer.
alter table session add column challenge bytea;
alter table session add column challenge_until bigint;
