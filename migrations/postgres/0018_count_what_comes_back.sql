-- What came back after a server had taken it, and who complained: once for each person whom a campaign asked.
alter table campaign_recipient add column returned_at bigint;
alter table campaign_recipient add column complained_at bigint;

alter table campaign_tally add column returned bigint not null default 0;
alter table campaign_tally add column complained bigint not null default 0;
