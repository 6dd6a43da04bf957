-- Requests that end otherwise than by an answer, and when each open one is to be looked at next: for its reminder or its end.
-- SQLite cannot change a check, so the table is built anew.
create table request_rebuilt (
    brand_id blob not null,
    id blob not null,
    contact_id blob not null,
    form_id blob not null,
    form_version text not null,
    purposes text not null,
    language text not null,
    page_host text,
    key_id integer not null,
    state text not null check (state in
        ('open', 'confirmed', 'declined', 'replaced', 'abandoned', 'left', 'expired', 'bounced')),
    mailed integer not null check (mailed in (0, 1)),
    last_mail_at integer not null,
    follows_id blob,
    code_tries integer not null,
    openings integer not null,
    issued_at integer not null,
    expires_at integer not null,
    ended_at integer,
    campaign_id blob,
    entered_at integer,
    look_at integer not null,
    primary key (brand_id, id)
) strict, without rowid;

insert into request_rebuilt (brand_id, id, contact_id, form_id, form_version, purposes, language, page_host, key_id, state,
    mailed, last_mail_at, follows_id, code_tries, openings, issued_at, expires_at, ended_at, campaign_id,
    entered_at, look_at)
select brand_id, id, contact_id, form_id, form_version, purposes, language, page_host, key_id, state, mailed, last_mail_at,
    follows_id, code_tries, openings, issued_at, expires_at, ended_at, campaign_id,
    entered_at, expires_at
from request;

drop table request;

alter table request_rebuilt rename to request;

create index request_look on request (look_at) where state = 'open';

-- Since when somebody who never confirmed has no request to answer; after a term nothing of them is kept.
alter table contact add column unconfirmed_since integer;

create index contact_unconfirmed on contact (unconfirmed_since) where unconfirmed_since is not null;
