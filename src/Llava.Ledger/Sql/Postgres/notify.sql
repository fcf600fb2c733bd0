select pg_notify('llava_ledger', ring)
from unnest(@rings) as ring;
