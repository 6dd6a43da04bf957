-- What each try of a mail came to, a line each: the time in microseconds, a space, and what the server said. It goes with the row.
alter table outbox add column attempts text collate "C";
