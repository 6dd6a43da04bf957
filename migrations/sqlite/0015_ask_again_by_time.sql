-- Asking again by time: when the oldest explicit consent of a contact was last confirmed, for the contacts whose term may be
-- over; and the last use of what they agreed to, as the operator's programs report it. It is no evidence, so it is no event.
alter table contact add column explicit_from integer;

-- A contact is no younger than what it confirmed: it is looked at once too often at most.
update contact set explicit_from = created_at where standings like '%"explicit"%';

create index contact_explicit on contact (brand_id, explicit_from, id) where explicit_from is not null;

create table contact_use (
    brand_id blob not null,
    contact_id blob not null,
    -- Empty: of whatever the contact agreed to.
    purpose text not null,
    used_at integer not null,
    primary key (brand_id, contact_id, purpose)
) strict, without rowid;

-- Where the enrolment of such a campaign is, beside the contact.
alter table campaign add column enrolled_from integer;

-- How many hits on a contact's own links (to leave, to the preferences) were recorded. Beside the contact: a hit holds no lock.
create table contact_opening (
    brand_id blob not null,
    contact_id blob not null,
    openings integer not null,
    primary key (brand_id, contact_id)
) strict, without rowid;
