select id
from uploads
where expires_at <= @before;
