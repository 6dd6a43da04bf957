-- Which part of its list told of a row: an event says how many such rows a part has, and a hash over them. Without the salt, which goes with
-- the rows, that hash tells nothing of anybody. Part -1: an earlier version wrote it, and no event tells of it.
alter table left_elsewhere add column part bigint not null default -1;
alter table left_elsewhere add column salt bytea not null default '\x00000000000000000000000000000000' check (length(salt) = 16);
alter table left_elsewhere alter column part drop default;
alter table left_elsewhere alter column salt drop default;
alter table left_elsewhere drop constraint left_elsewhere_pkey;
alter table left_elsewhere add primary key (brand_id, hash, purpose, import_id, part);
