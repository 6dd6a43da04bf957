-- What an operator has begun in the pages and not finished: an import whose file was brought, a campaign that is looked over.
create table draft (
    brand_id uuid not null,
    id uuid not null,
    kind text collate "C" not null check (kind in ('import', 'campaign')),
    stage text collate "C" not null check (stage in ('open', 'trying', 'tried', 'started', 'done', 'failed')),
    -- What was said so far and what came of it, as JSON. It holds no address.
    body text collate "C" not null,
    -- Counted up with each change: whoever knows an older one changes nothing.
    revision bigint not null,
    begun_at bigint not null,
    changed_at bigint not null,
    primary key (brand_id, id)
);

create index draft_due on draft (stage) where stage in ('trying', 'started');
