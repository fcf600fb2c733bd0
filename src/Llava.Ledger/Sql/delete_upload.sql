delete from uploads
where id = @id;
