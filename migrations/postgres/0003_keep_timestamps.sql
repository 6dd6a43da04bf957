-- What others say of the log: time-stamping authorities (RFC 3161) and witnesses (C2SP tlog-witness).

-- A response of an authority over the bytes of a checkpoint's note, checked before it was written. Never changed.
create table timestamp (
    size bigint not null references log_checkpoint (size),
    authority text collate "C" not null check (length(authority) between 1 and 40),
    -- The token's own time.
    at bigint not null,
    response bytea not null check (length(response) <= 262144),
    -- Signer, intermediates and root, as PEM.
    certificates text collate "C" not null,
    received_at bigint not null,
    -- In the order in which they were kept, from 1, and a chain of hashes up to this one: checkpoints sign both.
    number bigint not null unique check (number > 0),
    chain bytea not null check (length(chain) = 32),
    primary key (size, authority)
);

create index timestamp_by_authority on timestamp (authority, size);

-- When an authority is asked next, and what it last could not do. How far our clock was ahead of it when it last answered.
create table timestamp_try (
    authority text collate "C" not null primary key,
    tries bigint not null,
    due_at bigint not null,
    last_asked_at bigint,
    last_problem text collate "C",
    ahead_micros bigint
);

-- A witness's signature line under the checkpoint of this size. Never changed.
create table cosignature (
    size bigint not null references log_checkpoint (size),
    witness text collate "C" not null check (length(witness) between 1 and 200),
    line text collate "C" not null check (length(line) <= 1024),
    -- The line's own time.
    at bigint not null,
    received_at bigint not null,
    primary key (size, witness)
);

create index cosignature_by_witness on cosignature (witness, size);

-- When a witness is asked next, how far it has come with us, and what it last could not do.
create table witness_try (
    witness text collate "C" not null primary key,
    size bigint not null,
    tries bigint not null,
    due_at bigint not null,
    last_asked_at bigint,
    last_problem text collate "C",
    -- Whether it has seen another history of the log than this database holds.
    in_doubt bigint not null check (in_doubt in (0, 1))
);

create function witnessed_never_changes() returns trigger language plpgsql as $$
begin
    raise exception 'a % never changes', tg_table_name;
end $$;

create trigger timestamp_never_changes before update or delete on timestamp
for each row execute function witnessed_never_changes();

create trigger cosignature_never_changes before update or delete on cosignature
for each row execute function witnessed_never_changes();
