delete from schedules
where id = @id;
