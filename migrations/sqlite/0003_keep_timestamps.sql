-- What others say of the log: time-stamping authorities (RFC 3161) and witnesses (C2SP tlog-witness).

-- A response of an authority over the bytes of a checkpoint's note, checked before it was written. Never changed.
create table timestamp (
    size integer not null references log_checkpoint (size),
    authority text not null check (length(authority) between 1 and 40),
    -- The token's own time.
    at integer not null,
    response blob not null check (length(response) <= 262144),
    -- Signer, intermediates and root, as PEM.
    certificates text not null,
    received_at integer not null,
    -- In the order in which they were kept, from 1, and a chain of hashes up to this one: checkpoints sign both.
    number integer not null unique check (number > 0),
    chain blob not null check (length(chain) = 32),
    primary key (size, authority)
) strict;

create index timestamp_by_authority on timestamp (authority, size);

-- When an authority is asked next, and what it last could not do. How far our clock was ahead of it when it last answered.
create table timestamp_try (
    authority text not null primary key,
    tries integer not null,
    due_at integer not null,
    last_asked_at integer,
    last_problem text,
    ahead_micros integer
) strict;

-- A witness's signature line under the checkpoint of this size. Never changed.
create table cosignature (
    size integer not null references log_checkpoint (size),
    witness text not null check (length(witness) between 1 and 200),
    line text not null check (length(line) <= 1024),
    -- The line's own time.
    at integer not null,
    received_at integer not null,
    primary key (size, witness)
) strict;

create index cosignature_by_witness on cosignature (witness, size);

-- When a witness is asked next, how far it has come with us, and what it last could not do.
create table witness_try (
    witness text not null primary key,
    size integer not null,
    tries integer not null,
    due_at integer not null,
    last_asked_at integer,
    last_problem text,
    -- Whether it has seen another history of the log than this database holds.
    in_doubt integer not null check (in_doubt in (0, 1))
) strict;

create trigger timestamp_never_changes before update on timestamp
begin
    select raise(abort, 'a timestamp never changes');
end;

create trigger timestamp_is_never_deleted before delete on timestamp
begin
    select raise(abort, 'a timestamp never changes');
end;

create trigger cosignature_never_changes before update on cosignature
begin
    select raise(abort, 'a cosignature never changes');
end;

create trigger cosignature_is_never_deleted before delete on cosignature
begin
    select raise(abort, 'a cosignature never changes');
end;
