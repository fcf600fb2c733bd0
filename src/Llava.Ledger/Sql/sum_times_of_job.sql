-- Means of the phases, and the time in which a device had an item of the job in work: items of a batch overlap, so of each only
-- what no earlier one of the same worker covers.
select count(*), cast(avg(waited) as double precision), avg(prepare_ms), avg(queue_ms), avg(prefill_ms), avg(decode_ms), avg(written),
       sum(case when covered is null or began >= covered then ended - began when ended > covered then ended - covered else 0 end)
from (
    select spans.*, max(ended) over (partition by worker order by began, item_no rows between unbounded preceding and 1 preceding) as covered
    from (
        select item_no, worker, claimed_at - queued_at as waited, prepare_ms, queue_ms, prefill_ms, decode_ms,
               finished_at - claimed_at - prepare_ms - queue_ms - prefill_ms - decode_ms as written,
               claimed_at + prepare_ms + queue_ms as began, claimed_at + prepare_ms + queue_ms + prefill_ms + decode_ms as ended
        from results
        where job_id = @job and prepare_ms is not null
    ) spans
) timed;
