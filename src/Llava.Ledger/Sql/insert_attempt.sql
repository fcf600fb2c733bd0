insert into attempts (job_id, chunk_no, fence, ending, attempt, first_item, item_count, worker, started_at, ended_at, error)
values (@job, @chunk, @fence, @ending, @attempt, @first, @items, @worker, @started, @now, @error)
on conflict do nothing;
