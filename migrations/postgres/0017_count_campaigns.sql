-- How many people of each campaign are in which state, whose mail came to what, and how they answered. Counted by triggers, in the
-- transaction of what is counted: states, mails and answers are written in a dozen places, and no list could count millions of
-- people each time it is looked at.
--
-- `what` is a state (of who was left out with the reason, `left_out:REASON`), `mail:accepted`, `mail:failed`,
-- `answer:confirmed`, `answer:declined` or `answer:left`.
--
-- Whoever counts adds rows of its own, so that no two processes wait for each other, or in a circle; a worker puts them together
-- (part 0). The sum of the parts is true at every moment.
create table campaign_count (
    brand_id uuid not null,
    campaign_id uuid not null,
    what text collate "C" not null,
    part bigint not null,
    people bigint not null,
    primary key (brand_id, campaign_id, what, part)
);

create index campaign_count_apart on campaign_count (part) where part <> 0;

create sequence campaign_count_part;

create function campaign_counts_enrolled() returns trigger language plpgsql as $$
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select brand_id, campaign_id, what, nextval('campaign_count_part'), people from (
        select brand_id, campaign_id, what, count(*) as people from (
            select brand_id, campaign_id,
                case state when 'left_out' then 'left_out:' || coalesce(why, '') else state end as what
            from enrolled
            union all select brand_id, campaign_id, 'mail:' || mail from enrolled where mail is not null
        ) as each_of_them group by brand_id, campaign_id, what
    ) as counted;
    return null;
end $$;

create function campaign_counts_moved() returns trigger language plpgsql as $$
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select brand_id, campaign_id, what, nextval('campaign_count_part'), people from (
        select brand_id, campaign_id, what, sum(one) as people from (
            select brand_id, campaign_id,
                case state when 'left_out' then 'left_out:' || coalesce(why, '') else state end as what, -1 as one
            from before_it
            union all select brand_id, campaign_id,
                case state when 'left_out' then 'left_out:' || coalesce(why, '') else state end, 1
            from after_it
            union all select brand_id, campaign_id, 'mail:' || mail, -1 from before_it where mail is not null
            union all select brand_id, campaign_id, 'mail:' || mail, 1 from after_it where mail is not null
        ) as each_of_them group by brand_id, campaign_id, what having sum(one) <> 0
    ) as counted;
    return null;
end $$;

create function campaign_counts_erased() returns trigger language plpgsql as $$
begin
    insert into campaign_count (brand_id, campaign_id, what, part, people)
    select brand_id, campaign_id, what, nextval('campaign_count_part'), -people from (
        select brand_id, campaign_id, what, count(*) as people from (
            select brand_id, campaign_id,
                case state when 'left_out' then 'left_out:' || coalesce(why, '') else state end as what
            from erased
            union all select brand_id, campaign_id, 'mail:' || mail from erased where mail is not null
        ) as each_of_them group by brand_id, campaign_id, what
    ) as counted;
    return null;
end $$;

create function campaign_counts_answers() returns trigger language plpgsql as $$
begin
    if old.state in ('confirmed', 'declined', 'left') then
        insert into campaign_count (brand_id, campaign_id, what, part, people)
        values (old.brand_id, old.campaign_id, 'answer:' || old.state, nextval('campaign_count_part'), -1);
    end if;
    if tg_op = 'UPDATE' then
        if new.state in ('confirmed', 'declined', 'left') then
            insert into campaign_count (brand_id, campaign_id, what, part, people)
            values (new.brand_id, new.campaign_id, 'answer:' || new.state, nextval('campaign_count_part'), 1);
        end if;
    end if;
    return null;
end $$;

create trigger campaign_counts_enrolled after insert on campaign_recipient
referencing new table as enrolled for each statement execute function campaign_counts_enrolled();

create trigger campaign_counts_moved after update on campaign_recipient
referencing old table as before_it new table as after_it for each statement execute function campaign_counts_moved();

create trigger campaign_counts_erased after delete on campaign_recipient
referencing old table as erased for each statement execute function campaign_counts_erased();

-- Row by row, so that requests of no campaign, which are nearly all, cost nothing.
create trigger campaign_counts_answers after update of state on request for each row
when (new.campaign_id is not null and new.state <> old.state) execute function campaign_counts_answers();

create trigger campaign_counts_forgotten after delete on request for each row
when (old.campaign_id is not null) execute function campaign_counts_answers();

-- Behind the triggers, which keep others from writing until all of this is committed.
insert into campaign_count (brand_id, campaign_id, what, part, people)
select brand_id, campaign_id, case state when 'left_out' then 'left_out:' || coalesce(why, '') else state end, 0, count(*)
from campaign_recipient group by 1, 2, 3;

insert into campaign_count (brand_id, campaign_id, what, part, people)
select brand_id, campaign_id, 'mail:' || mail, 0, count(*)
from campaign_recipient where mail is not null group by 1, 2, 3;

insert into campaign_count (brand_id, campaign_id, what, part, people)
select brand_id, campaign_id, 'answer:' || state, 0, count(*)
from request where campaign_id is not null and state in ('confirmed', 'declined', 'left') group by 1, 2, 3;
