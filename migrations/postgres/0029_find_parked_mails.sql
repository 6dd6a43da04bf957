-- Mails that are held, or that failed for good, have one time each, and are found by the id behind it. Each mail stands in one of the two
-- indexes: what waits pays for no more than before, and no statement that finds rows by their ids can take the second for a way.
drop index outbox_due;
create index outbox_due on outbox (due_at) where due_at < 9223372036854775806;
create index outbox_parked on outbox (due_at, id) where due_at >= 9223372036854775806;
