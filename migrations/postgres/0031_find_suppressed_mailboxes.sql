-- Of the mailboxes that mails go to hardly any is suppressed: whether one is, is looked up among these alone, and not among all.
create unique index suppressed_mailbox on mailbox (brand_id, hash) where suppressed_at is not null;
