-- How many people of each campaign are in which state, whose mail came to what, and how they answered. Counted by triggers, in the
-- transaction of what is counted: states, mails and answers are written in a dozen places, and no list could count millions of
-- people each time it is looked at.
--
-- `what` is a state (of who was left out with the reason, `left_out:REASON`), `mail:accepted`, `mail:failed`,
-- `answer:confirmed`, `answer:declined` or `answer:left`.
create table campaign_count (
    brand_id blob not null,
    campaign_id blob not null,
    what text not null,
    -- Always 0 here. On PostgreSQL whoever counts adds a row of its own, and 0 is what was put together.
    part integer not null,
    people integer not null,
    primary key (brand_id, campaign_id, what, part)
) strict, without rowid;

insert into campaign_count (brand_id, campaign_id, what, part, people)
select brand_id, campaign_id, case state when 'left_out' then 'left_out:' || coalesce(why, '') else state end, 0, count(*)
from campaign_recipient group by 1, 2, 3;

insert into campaign_count (brand_id, campaign_id, what, part, people)
select brand_id, campaign_id, 'mail:' || mail, 0, count(*)
from campaign_recipient where mail is not null group by 1, 2, 3;

insert into campaign_count (brand_id, campaign_id, what, part, people)
select brand_id, campaign_id, 'answer:' || state, 0, count(*)
from request where campaign_id is not null and state in ('confirmed', 'declined', 'left') group by 1, 2, 3;

create trigger campaign_counts_enrolled after insert on campaign_recipient
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    values (new.brand_id, new.campaign_id,
        case new.state when 'left_out' then 'left_out:' || coalesce(new.why, '') else new.state end, 0, 1)
    on conflict (brand_id, campaign_id, what, part) do update set people = people + 1;
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select new.brand_id, new.campaign_id, 'mail:' || new.mail, 0, 1 where new.mail is not null
    on conflict (brand_id, campaign_id, what, part) do update set people = people + 1;
end;

create trigger campaign_counts_moved after update of state, why on campaign_recipient
when new.state is not old.state or (new.state = 'left_out' and new.why is not old.why)
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    values (old.brand_id, old.campaign_id,
        case old.state when 'left_out' then 'left_out:' || coalesce(old.why, '') else old.state end, 0, -1)
    on conflict (brand_id, campaign_id, what, part) do update set people = people - 1;
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    values (new.brand_id, new.campaign_id,
        case new.state when 'left_out' then 'left_out:' || coalesce(new.why, '') else new.state end, 0, 1)
    on conflict (brand_id, campaign_id, what, part) do update set people = people + 1;
end;

create trigger campaign_counts_mails after update of mail on campaign_recipient when new.mail is not old.mail
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select old.brand_id, old.campaign_id, 'mail:' || old.mail, 0, -1 where old.mail is not null
    on conflict (brand_id, campaign_id, what, part) do update set people = people - 1;
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select new.brand_id, new.campaign_id, 'mail:' || new.mail, 0, 1 where new.mail is not null
    on conflict (brand_id, campaign_id, what, part) do update set people = people + 1;
end;

create trigger campaign_counts_erased after delete on campaign_recipient
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    values (old.brand_id, old.campaign_id,
        case old.state when 'left_out' then 'left_out:' || coalesce(old.why, '') else old.state end, 0, -1)
    on conflict (brand_id, campaign_id, what, part) do update set people = people - 1;
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select old.brand_id, old.campaign_id, 'mail:' || old.mail, 0, -1 where old.mail is not null
    on conflict (brand_id, campaign_id, what, part) do update set people = people - 1;
end;

create trigger campaign_counts_answers after update of state on request
when new.campaign_id is not null and new.state is not old.state
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select old.brand_id, old.campaign_id, 'answer:' || old.state, 0, -1 where old.state in ('confirmed', 'declined', 'left')
    on conflict (brand_id, campaign_id, what, part) do update set people = people - 1;
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select new.brand_id, new.campaign_id, 'answer:' || new.state, 0, 1 where new.state in ('confirmed', 'declined', 'left')
    on conflict (brand_id, campaign_id, what, part) do update set people = people + 1;
end;

create trigger campaign_counts_forgotten after delete on request
when old.campaign_id is not null and old.state in ('confirmed', 'declined', 'left')
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    values (old.brand_id, old.campaign_id, 'answer:' || old.state, 0, -1)
    on conflict (brand_id, campaign_id, what, part) do update set people = people - 1;
end;
