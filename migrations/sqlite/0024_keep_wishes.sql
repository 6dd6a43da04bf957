-- The holds of a brand by when they end, and by since when they are: lists that are looked at page by page.
create index legal_hold_ends on legal_hold (brand_id, until, contact_id);
create index legal_hold_since on legal_hold (brand_id, since, contact_id);

-- People who wished to be erased while they were held. It is done once no hold keeps them any more, or they take the wish back;
-- that they wished it stands in their events.
create table erasure_wish (
    brand_id blob not null,
    contact_id blob not null,
    wished_at integer not null,
    primary key (brand_id, contact_id)
) strict, without rowid;

create index erasure_wish_at on erasure_wish (wished_at, contact_id);
