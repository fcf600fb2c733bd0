-- The job is held: neither its state nor its number of items changes between this and the commit.
update parts
set item_count = item_count + @items, first_item = coalesce(first_item, @from), position = @position
where job_id = @job and part_no = @part and state = 'waiting'
  and exists (select 1 from jobs j where j.id = @job and j.state in ('queued', 'running') and j.item_count = @from);
