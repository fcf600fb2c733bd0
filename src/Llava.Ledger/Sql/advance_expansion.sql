update jobs
set item_count = item_count + @items, source_position = @position
where id = @job and state = 'validating' and item_count = @from;
