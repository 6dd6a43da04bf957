-- Which part of its list told of a row: an event says how many such rows a part has, and a hash over them. Without the salt, which goes with
-- the rows, that hash tells nothing of anybody. Part -1: an earlier version wrote it, and no event tells of it.
create table left_elsewhere_new (
    brand_id blob not null,
    hash blob not null check (length(hash) = 16),
    purpose text not null,
    import_id blob not null,
    part integer not null,
    salt blob not null check (length(salt) = 16),
    -- Only who confirmed since has come back.
    left_at integer not null,
    primary key (brand_id, hash, purpose, import_id, part)
) strict, without rowid;

insert into left_elsewhere_new (brand_id, hash, purpose, import_id, part, salt, left_at)
select brand_id, hash, purpose, import_id, -1, zeroblob(16), left_at from left_elsewhere;

drop table left_elsewhere;
alter table left_elsewhere_new rename to left_elsewhere;
