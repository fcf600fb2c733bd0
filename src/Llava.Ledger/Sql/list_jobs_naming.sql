select id
from jobs
where tenant = @tenant and replace(request, @named, '') <> request
order by id desc
limit 20;
