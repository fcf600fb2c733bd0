update promotions
set holds = @holds, reason = @reason, decided_at = @now
where run_id = @run and decided_at is null;
