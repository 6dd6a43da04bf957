-- What each network opened of a mail, in place of each single hit: a bounded number of rows for each request, however often its links
-- are opened, so that a sweep is seen whenever it comes. `closest` is the least time, in microseconds, that this network let pass
-- between the link that confirms and the one about the mail; of one that opened not both, the largest number. The first hits of a
-- mail have slots of their networks' own; later another network that falls into a slot takes it, unless the one that is there has
-- opened both links closer together.
create table opened_from (
    brand_id uuid not null,
    request_id uuid not null,
    slot bigint not null,
    network text collate "C" not null,
    confirm_at bigint,
    about_at bigint,
    decline_at bigint,
    opened_at bigint not null,
    closest bigint not null,
    primary key (brand_id, request_id, slot)
);

-- The networks' own slots are from 64 on.
insert into opened_from (brand_id, request_id, slot, network, confirm_at, about_at, decline_at, opened_at, closest)
select o.brand_id, o.request_id, 63 + row_number() over (partition by o.brand_id, o.request_id order by o.network), o.network,
    max(case when o.link = 'confirm' then o.at end), max(case when o.link = 'about' then o.at end),
    max(case when o.link = 'decline' then o.at end), max(o.at),
    coalesce((select min(abs(a.at - c.at)) from opening a join opening c on c.brand_id = a.brand_id and c.request_id = a.request_id
        and c.network = a.network and c.link = 'confirm'
        where a.brand_id = o.brand_id and a.request_id = o.request_id and a.network = o.network and a.link = 'about'), 9223372036854775807)
from opening o group by o.brand_id, o.request_id, o.network;

drop table opening;

create index opened_from_network on opened_from (network, opened_at);
