delete from results
where job_id = @job and item_no in (select cast(value as integer) from json_array_elements_text(cast(@items as json)));
