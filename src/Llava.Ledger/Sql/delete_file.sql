delete from files
where id = @id;
