-- What a checkpoint holds of a tile never changes. What stands beyond the newest one was written for one to come and is in no
-- evidence: if it is not what the events say, the sequencer may write it anew.
drop trigger log_tile_only_grows;

create trigger log_tile_only_grows before update on log_tile
when new.level is not old.level or new.place is not old.place
    or (substr(new.hashes, 1, length(old.hashes)) is not old.hashes
        and exists (
            select 1 from (
                select 32 * max(0, min(256, (coalesce(max(size), 0) >> (8 * old.level)) - 256 * old.place)) as held
                from log_checkpoint
            ) where substr(new.hashes, 1, held) is not substr(old.hashes, 1, held)
        ))
begin
    select raise(abort, 'what a checkpoint holds of a tile never changes');
end;
