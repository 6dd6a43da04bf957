-- Requests that end otherwise than by an answer, and when each open one is to be looked at next: for its reminder or its end.
alter table request drop constraint request_state_check;

alter table request add constraint request_state_check check (state in
    ('open', 'confirmed', 'declined', 'replaced', 'abandoned', 'left', 'expired', 'bounced'));

alter table request add column look_at bigint;

update request set look_at = expires_at;

alter table request alter column look_at set not null;

create index request_look on request (look_at) where state = 'open';

-- Since when somebody who never confirmed has no request to answer; after a term nothing of them is kept.
alter table contact add column unconfirmed_since bigint;

create index contact_unconfirmed on contact (unconfirmed_since) where unconfirmed_since is not null;
