-- Not while items of the job are tried again, which takes its end back.
update batches
set output_file_id = @output, error_file_id = @errors, published_at = @now
where id = @id and published_at is null
  and exists (select 1 from jobs j where j.id = batches.job_id and j.announced_at is not null and j.finished_at = @finished);
