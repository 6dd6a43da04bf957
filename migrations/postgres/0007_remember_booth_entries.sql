-- Entries from booth tablets that are recorded, by the number that the tablet gave them: sent twice, recorded once. Nothing
-- here leads to a person, and a number is forgotten once its entry would be too old to be taken.
create table booth_entry (
    brand_id uuid not null,
    id uuid not null,
    recorded_at bigint not null,
    primary key (brand_id, id)
);

create index booth_entry_recorded on booth_entry (recorded_at);
