-- The campaign that made a request: the breaker weighs only what people caused who signed up.
alter table request add column campaign_id uuid;
-- When a signup was entered, by the clock of a booth's tablet, where it waited there.
alter table request add column entered_at bigint;

update request set campaign_id = (select p.campaign_id from campaign_recipient p
    where p.brand_id = request.brand_id and p.request_id = request.id)
where exists (select 1 from campaign_recipient p where p.brand_id = request.brand_id and p.request_id = request.id);

-- What became of a campaign's first mails, counted as it is written, in parts: batches side by side seldom add to the same.
create table campaign_tally (
    brand_id uuid not null,
    campaign_id uuid not null,
    part bigint not null,
    accepted bigint not null,
    failed bigint not null,
    primary key (brand_id, campaign_id, part)
);

insert into campaign_tally (brand_id, campaign_id, part, accepted, failed)
select brand_id, campaign_id, 0, sum(case when mail = 'accepted' then 1 else 0 end),
    sum(case when mail = 'failed' then 1 else 0 end)
from campaign_recipient where mail is not null group by brand_id, campaign_id;

-- The SHA-256 of the report as long as `report_bytes` says; none of one that an older version began.
alter table import add column report_sha256 bytea check (length(report_sha256) = 32);

-- Files of proof (scans, contracts), each once for a brand, by the SHA-256 of its content.
create table proof_file (
    id bigint generated always as identity primary key,
    brand_id uuid not null,
    sha256 bytea not null check (length(sha256) = 32),
    bytes bigint not null,
    content bytea not null,
    kept_at bigint not null
);

create unique index proof_file_hash on proof_file (brand_id, sha256);

-- Who refers to a file of proof: a whole import, or a contact by a row of one. A file that nobody refers to is removed.
create table proof_reference (
    brand_id uuid not null,
    sha256 bytea not null,
    import_id uuid not null,
    -- All zeros where the whole import refers to it.
    contact_id uuid not null,
    primary key (brand_id, sha256, import_id, contact_id)
);

create index proof_reference_contact on proof_reference (brand_id, contact_id);

-- Mails to the operator about implicit consent that is about to end: at most one for a brand and a day.
create table lapse_notice (
    brand_id uuid not null,
    -- Days since 1970-01-01, in UTC.
    day bigint not null,
    -- How many contacts it tells of, when the first of them ends, and up to when it looked.
    contacts bigint not null,
    first_until bigint not null,
    looked_until bigint not null,
    state text collate "C" not null check (state in ('due', 'sent', 'failed')),
    due_at bigint not null,
    tries bigint not null,
    last_reply text collate "C",
    primary key (brand_id, day)
);

create index lapse_notice_due on lapse_notice (due_at) where state = 'due';
