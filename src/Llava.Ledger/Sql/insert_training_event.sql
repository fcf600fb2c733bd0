insert into training_events (run_id, event_no, level, message, data, created_at)
values (@id, @no, @level, @message, @data, @now);
