-- A mistyped address is corrected once per request: which request follows, and how many corrections led to one.
alter table request add column corrected_to blob;
alter table request add column corrections integer not null default 0;
