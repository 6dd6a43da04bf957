-- Campaigns, and whom each of them asks.
create table campaign (
    brand_id uuid not null,
    id uuid not null,
    name text collate "C" not null,
    -- What the operator declared, as JSON. It does not change.
    plan text collate "C" not null,
    state text collate "C" not null check (state in ('enrolling', 'running', 'paused', 'stopped', 'cancelled', 'done')),
    -- Why it stopped by itself.
    why text collate "C",
    -- The last contact that was looked at while the campaign enrols its people.
    enrolled_to uuid,
    -- The hourly rate's theoretical arrival time, and how many were asked on which day since the start.
    arrival bigint not null,
    day bigint not null,
    asked_on_day bigint not null,
    started_at bigint not null,
    ended_at bigint,
    primary key (brand_id, id)
);

create unique index campaign_name on campaign (brand_id, name);

create index campaign_at_work on campaign (state) where state in ('enrolling', 'running');

-- `due_at` orders those that wait; of those that were asked it is when something is to be looked at next.
create table campaign_recipient (
    brand_id uuid not null,
    campaign_id uuid not null,
    contact_id uuid not null,
    state text collate "C" not null check (state in ('waiting', 'held', 'asked', 'answered', 'unanswered', 'left_out', 'cancelled')),
    -- Why it was left out; of a held one, the rule.
    why text collate "C",
    due_at bigint not null,
    -- From where the address came, for the mail to say so.
    source text collate "C",
    request_id uuid,
    -- What became of the mail.
    mail text collate "C" check (mail in ('accepted', 'failed')),
    released bigint not null check (released in (0, 1)),
    asked_at bigint,
    reminded_at bigint,
    primary key (brand_id, campaign_id, contact_id)
);

create index campaign_recipient_due on campaign_recipient (brand_id, campaign_id, state, due_at);

create unique index campaign_recipient_request on campaign_recipient (brand_id, request_id) where request_id is not null;

create index campaign_recipient_contact on campaign_recipient (brand_id, contact_id);
