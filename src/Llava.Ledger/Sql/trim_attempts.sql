-- The newest stay.
delete from attempts
where job_id = @job and (ended_at, chunk_no, fence) < (
    select ended_at, chunk_no, fence
    from attempts
    where job_id = @job
    order by ended_at desc, chunk_no desc, fence desc
    limit 1 offset @newer);
