-- What came back after a server had taken it, and who complained: once for each person whom a campaign asked.
alter table campaign_recipient add column returned_at integer;
alter table campaign_recipient add column complained_at integer;

alter table campaign_tally add column returned integer not null default 0;
alter table campaign_tally add column complained integer not null default 0;
