-- Campaigns, and whom each of them asks.
create table campaign (
    brand_id blob not null,
    id blob not null,
    name text not null,
    -- What the operator declared, as JSON. It does not change.
    plan text not null,
    state text not null check (state in ('enrolling', 'running', 'paused', 'stopped', 'cancelled', 'done')),
    -- Why it stopped by itself.
    why text,
    -- The last contact that was looked at while the campaign enrols its people.
    enrolled_to blob,
    -- The hourly rate's theoretical arrival time, and how many were asked on which day since the start.
    arrival integer not null,
    day integer not null,
    asked_on_day integer not null,
    started_at integer not null,
    ended_at integer,
    primary key (brand_id, id)
) strict, without rowid;

create unique index campaign_name on campaign (brand_id, name);

create index campaign_at_work on campaign (state) where state in ('enrolling', 'running');

-- `due_at` orders those that wait; of those that were asked it is when something is to be looked at next.
create table campaign_recipient (
    brand_id blob not null,
    campaign_id blob not null,
    contact_id blob not null,
    state text not null check (state in ('waiting', 'held', 'asked', 'answered', 'unanswered', 'left_out', 'cancelled')),
    -- Why it was left out; of a held one, the rule.
    why text,
    due_at integer not null,
    -- From where the address came, for the mail to say so.
    source text,
    request_id blob,
    -- What became of the mail.
    mail text check (mail in ('accepted', 'failed')),
    released integer not null check (released in (0, 1)),
    asked_at integer,
    reminded_at integer,
    primary key (brand_id, campaign_id, contact_id)
) strict, without rowid;

create index campaign_recipient_due on campaign_recipient (brand_id, campaign_id, state, due_at);

create unique index campaign_recipient_request on campaign_recipient (brand_id, request_id) where request_id is not null;

create index campaign_recipient_contact on campaign_recipient (brand_id, contact_id);
