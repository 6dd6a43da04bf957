-- The suppressed mailboxes of a brand, by since when: a list that is looked at page by page.
create index mailbox_suppressed on mailbox (brand_id, suppressed_at, hash) where suppressed_at is not null;

-- Contacts that are kept although they would be erased: somebody needs what is known of them for a claim. A hold ends by itself,
-- or an owner lifts it; that it was placed and lifted, by whom and why, stands in the contact's events.
create table legal_hold (
    brand_id blob not null,
    contact_id blob not null,
    reason text not null,
    operator text not null,
    since integer not null,
    until integer not null,
    primary key (brand_id, contact_id)
) strict, without rowid;

create index legal_hold_until on legal_hold (until);
