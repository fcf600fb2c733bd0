insert into reviews (job_id, item_no, review_no, verdict, text, original, reviewer, created_at, latest)
values (@job, @item, @number, @verdict, cast(@text as text), cast(@original as text), @reviewer, @now, true);
