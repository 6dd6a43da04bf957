-- What a checkpoint holds of a tile never changes. What stands beyond the newest one was written for one to come and is in no
-- evidence: if it is not what the events say, the sequencer may write it anew.
create function log_tile_keeps_what_is_signed() returns trigger language plpgsql as $$
declare
    held bigint;
begin
    select 32 * greatest(0, least(256, (coalesce(max(size), 0) >> (8 * old.level)::int) - 256 * old.place)) into held
    from log_checkpoint;
    if (new.level, new.place) is distinct from (old.level, old.place)
        or substr(new.hashes, 1, held::int) is distinct from substr(old.hashes, 1, held::int) then
        raise exception 'what a checkpoint holds of a tile never changes';
    end if;
    return new;
end $$;

drop trigger log_tile_only_grows on log_tile;

create trigger log_tile_only_grows before update on log_tile
for each row when (
    (new.level, new.place) is distinct from (old.level, old.place)
    or substr(new.hashes, 1, length(old.hashes)) is distinct from old.hashes
)
execute function log_tile_keeps_what_is_signed();
