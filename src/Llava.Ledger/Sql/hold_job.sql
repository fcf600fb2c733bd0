-- An update rather than a select: on PostgreSQL it holds the row until the commit, so that what is read next stays true.
update jobs
set state = state
where id = @job;
