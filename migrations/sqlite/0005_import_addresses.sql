-- When implicit consent of a contact ends next; most have none that ends.
alter table contact add column lapses_at integer;

create index contact_lapses on contact (lapses_at) where lapses_at is not null;

-- Imports: each one file that was read once. How far it came is written with the rows themselves, so that one that was
-- interrupted goes on where it stopped. Its events lie behind `after_position`, up to `last_position` once it has ended.
create table import (
    brand_id blob not null,
    id blob not null,
    name text not null,
    purpose text not null,
    file_name text not null,
    file_sha256 blob not null check (length(file_sha256) = 32),
    -- How the file is read, as JSON: the same file read otherwise would be another import.
    reading text not null,
    state text not null check (state in ('running', 'done', 'withdrawing', 'withdrawn')),
    rows_done integer not null,
    -- What became of the rows, as JSON.
    counts text not null,
    report_bytes integer,
    after_position integer not null,
    last_position integer,
    started_at integer not null,
    ended_at integer,
    primary key (brand_id, id)
) strict, without rowid;

create unique index import_name on import (brand_id, name);
