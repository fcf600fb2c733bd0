-- What was recorded since a moment, by span of time, job and outcome.
select finished_at / cast(@span as bigint), job_id, outcome, count(*), sum(completion_tokens), sum(prefill_ms + decode_ms)
from results
where finished_at >= @since
group by finished_at / cast(@span as bigint), job_id, outcome;
