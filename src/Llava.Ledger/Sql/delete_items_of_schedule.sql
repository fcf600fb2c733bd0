delete from schedule_items
where schedule_id = @id;
