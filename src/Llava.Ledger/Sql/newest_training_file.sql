select id
from files
where tenant = @tenant and purpose = 'fine-tune' and kept and (expires_at is null or expires_at > @now)
order by id desc
limit 1;
