-- SQLite's outbox lies by time and id; PostgreSQL needs an index for the mails that are held or failed.
select 1;
