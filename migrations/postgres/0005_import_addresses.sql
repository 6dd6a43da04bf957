-- When implicit consent of a contact ends next; most have none that ends.
alter table contact add column lapses_at bigint;

create index contact_lapses on contact (lapses_at) where lapses_at is not null;

-- Imports: each one file that was read once. How far it came is written with the rows themselves, so that one that was
-- interrupted goes on where it stopped. Its events lie behind `after_position`, up to `last_position` once it has ended.
create table import (
    brand_id uuid not null,
    id uuid not null,
    name text collate "C" not null,
    purpose text collate "C" not null,
    file_name text collate "C" not null,
    file_sha256 bytea not null check (length(file_sha256) = 32),
    -- How the file is read, as JSON: the same file read otherwise would be another import.
    reading text collate "C" not null,
    state text collate "C" not null check (state in ('running', 'done', 'withdrawing', 'withdrawn')),
    rows_done bigint not null,
    -- What became of the rows, as JSON.
    counts text collate "C" not null,
    report_bytes bigint,
    after_position bigint not null,
    last_position bigint,
    started_at bigint not null,
    ended_at bigint,
    primary key (brand_id, id)
);

create unique index import_name on import (brand_id, name);
