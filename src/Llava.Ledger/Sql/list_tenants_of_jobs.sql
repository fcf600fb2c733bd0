select distinct tenant
from jobs
order by tenant;
