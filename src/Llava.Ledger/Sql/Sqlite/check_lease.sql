-- An update rather than a select: it counts as one row.
update chunks
set fence = fence
where job_id = @job and chunk_no = @chunk and owner = @owner and fence = @fence and state = 'leased';
