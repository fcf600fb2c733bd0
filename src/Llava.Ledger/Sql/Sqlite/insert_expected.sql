insert into expected_answers (job_id, item_no, text)
select @job, json_extract(value, '$.item_no'), json_extract(value, '$.text')
from json_each(@answers);
