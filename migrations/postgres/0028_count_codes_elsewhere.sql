-- Wrong codes for a request's mail that were typed on pages of other requests: the page of one that it replaced, or that followed it
-- without a mail. What each page shows is counted by itself.
alter table request add column other_tries bigint not null default 0;
