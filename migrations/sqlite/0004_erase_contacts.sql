-- What stays of an erased contact besides its emptied events.

-- The address as a keyed hash: it gives no basis, and no import brings it back, until the person signs up and confirms anew.
create table erased_address (
    brand_id blob not null,
    hash blob not null check (length(hash) = 16),
    erased_at integer not null,
    primary key (brand_id, hash)
) strict, without rowid;

-- Where a brand keeps proof after an erasure: what the events held, in parts, encrypted to a key that is not here.
create table sealed_evidence (
    brand_id blob not null,
    contact_id blob not null,
    part integer not null,
    address_hash blob not null check (length(address_hash) = 16),
    sealed blob not null,
    reason text not null,
    sealed_at integer not null,
    delete_at integer not null,
    primary key (brand_id, contact_id, part)
) strict;

create index sealed_evidence_address on sealed_evidence (brand_id, address_hash);

create index sealed_evidence_due on sealed_evidence (delete_at);
