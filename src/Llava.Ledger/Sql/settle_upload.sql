update uploads
set state = @state, file_id = @file
where id = @id and state = 'pending';
