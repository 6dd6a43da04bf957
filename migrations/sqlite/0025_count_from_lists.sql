-- Addresses that a campaign had asked before all that was known of them was removed, as keyed hashes: an invitation in person comes
-- once. `asked_by` is an instant by which it had.
create table asked_address (
    brand_id blob not null,
    hash blob not null,
    asked_by integer not null,
    primary key (brand_id, hash)
) strict, without rowid;

-- Whom a list brought has a mark from the beginning; of those that are there it is looked at whether they never confirmed.
update contact set unconfirmed_since = created_at where unconfirmed_since is null and standings like '%"state":"pending"%'
    and standings not like '%"state":"explicit"%' and standings not like '%"state":"implicit"%';
