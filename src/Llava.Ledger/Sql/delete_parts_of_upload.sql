delete from upload_parts
where upload_id = @upload;
