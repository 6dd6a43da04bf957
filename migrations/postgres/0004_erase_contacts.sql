-- What stays of an erased contact besides its emptied events.

-- The address as a keyed hash: it gives no basis, and no import brings it back, until the person signs up and confirms anew.
create table erased_address (
    brand_id uuid not null,
    hash bytea not null check (length(hash) = 16),
    erased_at bigint not null,
    primary key (brand_id, hash)
);

-- Where a brand keeps proof after an erasure: what the events held, in parts, encrypted to a key that is not here.
create table sealed_evidence (
    brand_id uuid not null,
    contact_id uuid not null,
    part bigint not null,
    address_hash bytea not null check (length(address_hash) = 16),
    sealed bytea not null,
    reason text collate "C" not null,
    sealed_at bigint not null,
    delete_at bigint not null,
    primary key (brand_id, contact_id, part)
);

create index sealed_evidence_address on sealed_evidence (brand_id, address_hash);

create index sealed_evidence_due on sealed_evidence (delete_at);
