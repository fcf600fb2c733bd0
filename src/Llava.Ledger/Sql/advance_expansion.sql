update jobs
set item_count = item_count + @items, source_position = @position
where id = @job and expanded_at is null and state in ('validating', 'queued', 'running') and item_count = @from;
