-- A day of a campaign's warm-up begins when the first of its mails has left, and the next one 24 hours later.
alter table campaign add column day_began_at integer;
-- Mails that had left, or failed, before the day.
alter table campaign add column left_before integer not null default 0;

-- Until now days were counted from the start.
update campaign set day_began_at = started_at + day * 86400000000 where asked_on_day > 0;
