select finished_at / cast(@span as bigint), count(*), sum(completion_tokens), sum(prefill_ms + decode_ms)
from results
where job_id = @job and attempts > 0
group by finished_at / cast(@span as bigint)
order by 1;
