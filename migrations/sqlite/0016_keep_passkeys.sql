-- Operators' passkeys (WebAuthn), and the challenges that their authenticators are to sign.

create table passkey (
    credential_id blob not null primary key check (length(credential_id) between 16 and 1023),
    operator_id blob not null references operator (id),
    -- What pages call it by.
    id blob not null unique,
    -- What the operator calls it.
    name text not null,
    -- How the authenticator is reached, a bit for each way.
    transports integer not null,
    -- The public key, and what a sign-in changes (the signature counter among it), both as the library writes them.
    fixed blob not null,
    moving blob not null,
    created_at integer not null,
    used_at integer
) strict, without rowid;

create index passkey_operator on passkey (operator_id);

-- What the browser's authenticator is to sign, as the library writes it, and until when. Taken away with the first answer.
alter table session add column challenge blob;
alter table session add column challenge_until integer;
