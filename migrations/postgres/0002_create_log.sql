-- The log: committed events get their place in it in the order of their positions.

-- Who does a job that one process does at a time. A lease that ran out is anybody's.
create table lease (
    name text collate "C" not null primary key,
    holder uuid not null,
    held_until bigint not null
);

-- Which position has which index: from a row to the next both count up together. A row begins where a transaction that was
-- rolled back left a gap.
create table log_run (
    first_index bigint not null primary key,
    first_position bigint not null unique
);

-- The tree in tiles of 256 hashes. Level 0 holds the entries themselves, the commitments; level n the hashes of the tree's
-- level 8 n. A tile grows until it is full.
create table log_tile (
    level bigint not null check (level between 0 and 7),
    place bigint not null check (place >= 0),
    hashes bytea not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
    primary key (level, place)
);

-- Hashes do not compress.
alter table log_tile alter column hashes set storage external;

-- Every checkpoint that was signed. Each has one successor at most, so the log cannot fork.
create table log_checkpoint (
    size bigint not null primary key,
    follows bigint unique references log_checkpoint (size),
    last_position bigint not null,
    note text collate "C" not null,
    signed_at bigint not null,
    check ((size = 0) = (follows is null)),
    check (follows < size)
);

-- Positions are given before the commit, so a lower one can become visible after a higher one. Whoever appends holds this
-- lock, shared, from before the first position is given to the commit; the sequencer takes it alone for a moment, and then
-- knows that nothing is under way below the highest position it sees.
create function event_takes_its_turn() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(7161108350190421347);
    return null;
end $$;

create trigger event_takes_its_turn before insert on event
for each statement execute function event_takes_its_turn();

create function log_never_changes() returns trigger language plpgsql as $$
begin
    raise exception 'the log never changes';
end $$;

create trigger log_run_never_changes before update or delete on log_run
for each row execute function log_never_changes();

create trigger log_tile_only_grows before update on log_tile
for each row when (
    (new.level, new.place) is distinct from (old.level, old.place)
    or substr(new.hashes, 1, length(old.hashes)) is distinct from old.hashes
)
execute function log_never_changes();

create trigger log_tile_is_never_deleted before delete on log_tile
for each row execute function log_never_changes();

create trigger log_checkpoint_never_changes before update or delete on log_checkpoint
for each row execute function log_never_changes();
