delete from chunks
where job_id = @job and chunk_no = @chunk;
