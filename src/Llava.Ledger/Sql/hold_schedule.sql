-- An update rather than a select: on PostgreSQL it holds the row until the commit, so that what is read next stays true.
update schedules
set name = name
where id = @id;
