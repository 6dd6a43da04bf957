-- A mistyped address is corrected once per request: which request follows, and how many corrections led to one.
alter table request add column corrected_to uuid;
alter table request add column corrections bigint not null default 0;
