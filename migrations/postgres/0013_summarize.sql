-- Figures by day, folded from the events in the order of the log. Nothing in them is about one person: no address, no id of a
-- contact.

-- How far the events are folded, and up to which day the small domains were put together with the others.
create table summary_cursor (
    one bigint not null primary key check (one = 1),
    position bigint not null,
    folded_day bigint not null
);

insert into summary_cursor (one, position, folded_day) values (1, 0, 0);

-- A day (UTC) as days since 1970. What came of a signup is counted under the day of the signup, so that rates are true.
-- `dimension` says what `name` is: all (''), invited (''), form, source, domain; and mail: a recipient domain, with what
-- became of its mails under the day on which that was.
create table summary (
    brand_id uuid not null,
    dimension text collate "C" not null check (dimension in ('all', 'invited', 'form', 'source', 'domain', 'mail')),
    day bigint not null,
    name text collate "C" not null check (length(name) <= 253),
    signed_up bigint not null,
    held_back bigint not null,
    mailed bigint not null,
    opened bigint not null,
    confirmed bigint not null,
    declined bigint not null,
    failed bigint not null,
    replaced bigint not null,
    withdrawn bigint not null,
    bounced bigint not null,
    complained bigint not null,
    within_minute bigint not null,
    within_ten_minutes bigint not null,
    within_hour bigint not null,
    within_day bigint not null,
    later bigint not null,
    primary key (brand_id, dimension, day, name)
);

-- Requests under way: under what their signup is counted, and what was counted of them. Forgotten a day after they ended.
create table summary_request (
    request_id uuid not null primary key,
    brand_id uuid not null,
    signed_up_at bigint not null,
    invited bigint not null check (invited in (0, 1)),
    form text collate "C" not null,
    source text collate "C" not null,
    domain text collate "C" not null,
    seen bigint not null,
    forget_at bigint not null
);

create index summary_request_forget on summary_request (forget_at);
