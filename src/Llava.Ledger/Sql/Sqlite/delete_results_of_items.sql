delete from results
where job_id = @job and item_no in (select value from json_each(@items));
