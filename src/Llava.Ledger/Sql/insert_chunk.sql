insert into chunks (job_id, chunk_no, first_item, item_count, tokens, state, attempts, fence)
values (@job, (select coalesce(max(chunk_no) + 1, 0) from chunks where job_id = @job), @first, @items, @tokens, @state, @attempts, 0);
