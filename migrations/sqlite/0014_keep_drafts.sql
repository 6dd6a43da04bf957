-- What an operator has begun in the pages and not finished: an import whose file was brought, a campaign that is looked over.
create table draft (
    brand_id blob not null,
    id blob not null,
    kind text not null check (kind in ('import', 'campaign')),
    stage text not null check (stage in ('open', 'trying', 'tried', 'started', 'done', 'failed')),
    -- What was said so far and what came of it, as JSON. It holds no address.
    body text not null,
    -- Counted up with each change: whoever knows an older one changes nothing.
    revision integer not null,
    begun_at integer not null,
    changed_at integer not null,
    primary key (brand_id, id)
) strict, without rowid;

create index draft_due on draft (stage) where stage in ('trying', 'started');
