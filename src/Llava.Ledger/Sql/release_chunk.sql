update chunks
set state = 'open',
    attempts = case when @counts then attempts else attempts - 1 end,
    owner = null,
    lease_until = null,
    published_at = null,
    error = coalesce(@error, error)
where job_id = @job and chunk_no = @chunk and owner = @owner and fence = @fence and state = 'leased';
