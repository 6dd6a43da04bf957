-- Keys of rates hold network addresses, which go within hours; the planner's samples of them would stay until the next analysis, and
-- nothing is planned by them. To give the column its own type once more drops those that were taken.
alter table rate alter column key set statistics 0;
alter table rate alter column key type text collate "C";
-- Short files of proof would be sampled whole, and be there still when no file is left.
alter table proof_file alter column content set statistics 0;
alter table proof_file alter column content type bytea;
