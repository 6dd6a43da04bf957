-- The log: committed events get their place in it in the order of their positions, which here is the order of their commits.

-- Who does a job that one process does at a time. A lease that ran out is anybody's.
create table lease (
    name text not null primary key,
    holder blob not null check (length(holder) = 16),
    held_until integer not null
) strict, without rowid;

-- Which position has which index: from a row to the next both count up together. A row begins where a transaction that was
-- rolled back left a gap.
create table log_run (
    first_index integer not null primary key,
    first_position integer not null unique
) strict;

-- The tree in tiles of 256 hashes. Level 0 holds the entries themselves, the commitments; level n the hashes of the tree's
-- level 8 n. A tile grows until it is full.
create table log_tile (
    level integer not null check (level between 0 and 7),
    place integer not null check (place >= 0),
    hashes blob not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
    primary key (level, place)
) strict;

-- Every checkpoint that was signed. Each has one successor at most, so the log cannot fork.
create table log_checkpoint (
    size integer not null primary key,
    follows integer unique references log_checkpoint (size),
    last_position integer not null,
    note text not null,
    signed_at integer not null,
    check ((size = 0) = (follows is null)),
    check (follows < size)
) strict;

create trigger log_run_never_changes before update on log_run
begin
    select raise(abort, 'the log never changes');
end;

create trigger log_run_is_never_deleted before delete on log_run
begin
    select raise(abort, 'the log never changes');
end;

create trigger log_tile_only_grows before update on log_tile
when new.level is not old.level or new.place is not old.place
    or substr(new.hashes, 1, length(old.hashes)) is not old.hashes
begin
    select raise(abort, 'a tile only grows');
end;

create trigger log_tile_is_never_deleted before delete on log_tile
begin
    select raise(abort, 'the log never changes');
end;

create trigger log_checkpoint_never_changes before update on log_checkpoint
begin
    select raise(abort, 'the log never changes');
end;

create trigger log_checkpoint_is_never_deleted before delete on log_checkpoint
begin
    select raise(abort, 'the log never changes');
end;
