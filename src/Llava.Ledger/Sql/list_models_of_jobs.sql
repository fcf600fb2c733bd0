select distinct model
from jobs
where cast(@tenant as text) is null or tenant = @tenant
order by model;
