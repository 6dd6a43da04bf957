-- Figures by day, folded from the events in the order of the log. Nothing in them is about one person: no address, no id of a
-- contact.

-- How far the events are folded, and up to which day the small domains were put together with the others.
create table summary_cursor (
    one integer not null primary key check (one = 1),
    position integer not null,
    folded_day integer not null
) strict, without rowid;

insert into summary_cursor (one, position, folded_day) values (1, 0, 0);

-- A day (UTC) as days since 1970. What came of a signup is counted under the day of the signup, so that rates are true.
-- `dimension` says what `name` is: all (''), invited (''), form, source, domain; and mail: a recipient domain, with what
-- became of its mails under the day on which that was.
create table summary (
    brand_id blob not null check (length(brand_id) = 16),
    dimension text not null check (dimension in ('all', 'invited', 'form', 'source', 'domain', 'mail')),
    day integer not null,
    name text not null check (length(name) <= 253),
    signed_up integer not null,
    held_back integer not null,
    mailed integer not null,
    opened integer not null,
    confirmed integer not null,
    declined integer not null,
    failed integer not null,
    replaced integer not null,
    withdrawn integer not null,
    bounced integer not null,
    complained integer not null,
    within_minute integer not null,
    within_ten_minutes integer not null,
    within_hour integer not null,
    within_day integer not null,
    later integer not null,
    primary key (brand_id, dimension, day, name)
) strict, without rowid;

-- Requests under way: under what their signup is counted, and what was counted of them. Forgotten a day after they ended.
create table summary_request (
    request_id blob not null primary key check (length(request_id) = 16),
    brand_id blob not null check (length(brand_id) = 16),
    signed_up_at integer not null,
    invited integer not null check (invited in (0, 1)),
    form text not null,
    source text not null,
    domain text not null,
    seen integer not null,
    forget_at integer not null
) strict, without rowid;

create index summary_request_forget on summary_request (forget_at);
